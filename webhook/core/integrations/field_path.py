"""Paths to pod templates, as people write them and as they lead through an object."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

FieldPath = tuple[str | int, ...]
"""Keys and indices from an object down to one place in it."""

PathPattern = tuple[str, ...]
"""A path that may lead to many places: keys, `*` for each value of a map, `[]` for each item."""

ANY_VALUE: Final = "*"
ANY_ITEM: Final = "[]"
_PART: Final = re.compile(r"(\*|[A-Za-z0-9_-]+)((?:\[\*?\])*)")


class FieldPathError(ValueError):
    """The text is no path, and the message says what to write."""


def parse_pattern(text: str) -> PathPattern:
    """Parse `spec.workers[].template` or `spec.replicas.*.template`.

    `[*]` is the same as `[]`.

    Raises:
        FieldPathError: anything else.
    """
    steps: list[str] = []
    for part in text.split("."):
        found = _PART.fullmatch(part)
        if found is None:
            raise FieldPathError(
                f"{text!r} is no path; write for example spec.template, "
                "spec.workers[].template or spec.replicas.*.template"
            )
        steps += (found[1], *(ANY_ITEM,) * found[2].count("["))
    return tuple(steps)


def follow_pattern(subject: Any, pattern: PathPattern) -> Iterator[tuple[FieldPath, Any]]:
    """Yield every place of an object to which the pattern leads, with what stands there."""
    here: list[tuple[FieldPath, Any]] = [((), subject)]
    for step in pattern:
        here = [below for path, at in here for below in _below(path, at, step)]
    yield from here


def _below(path: FieldPath, at: Any, step: str) -> Iterator[tuple[FieldPath, Any]]:
    if step == ANY_ITEM:
        items: Any = enumerate(at) if isinstance(at, list) else ()
    elif not isinstance(at, Mapping):
        items = ()
    else:
        items = at.items() if step == ANY_VALUE else [(step, at[step])] if step in at else ()
    for key, value in items:
        yield (*path, key), value


def dotted(path: FieldPath) -> str:
    """Return a path as people read it: `spec.workerGroupSpecs[0].template`."""
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return "".join(steps).removeprefix(".")
