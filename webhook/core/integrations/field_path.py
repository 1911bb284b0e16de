"""Paths to pod templates: as people write them, and as they lead through an object."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

Path = tuple[str | int, ...]
"""Keys and indices from an object down to one place in it."""

Steps = tuple[str, ...]
"""A path that may lead to many places: keys, `*` for each value of a map, `[]` for each item."""

ANY_VALUE: Final = "*"
ANY_ITEM: Final = "[]"
_PART: Final = re.compile(r"(\*|[A-Za-z0-9_-]+)((?:\[\*?\])*)")


class PathError(ValueError):
    """It is no path; the message says what to write."""


def parse(text: str) -> Steps:
    """Read `spec.workers[].template` or `spec.replicas.*.template`; `[*]` is the same as `[]`.

    Raises:
        PathError: anything else.
    """
    steps: list[str] = []
    for part in text.split("."):
        found = _PART.fullmatch(part)
        if found is None:
            raise PathError(
                f"{text!r} is no path; write for example spec.template, "
                "spec.workers[].template or spec.replicas.*.template"
            )
        steps += (found[1], *(ANY_ITEM,) * found[2].count("["))
    return tuple(steps)


def follow(subject: Any, steps: Steps) -> Iterator[tuple[Path, Any]]:
    """Every place of an object to which the steps lead, with what stands there."""
    here: list[tuple[Path, Any]] = [((), subject)]
    for step in steps:
        here = [below for path, at in here for below in _below(path, at, step)]
    yield from here


def _below(path: Path, at: Any, step: str) -> Iterator[tuple[Path, Any]]:
    if step == ANY_ITEM:
        items: Any = enumerate(at) if isinstance(at, list) else ()
    elif not isinstance(at, Mapping):
        items = ()
    else:
        items = at.items() if step == ANY_VALUE else [(step, at[step])] if step in at else ()
    for key, value in items:
        yield (*path, key), value


def dotted(path: Path) -> str:
    """A path as people read it: `spec.workerGroupSpecs[0].template`."""
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return "".join(steps).removeprefix(".")
