"""What to write in a policy file instead of what is wrong there."""

import difflib
import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Any, Final, Literal, get_args, get_origin, get_type_hints

import msgspec

from webhook.core.policy.schema import PolicyFile

_STEP: Final = re.compile(r"\.([^.\[\]]+)|\[([^\]]*)\]")
_PATH: Final = re.compile(r"at `\$([^`]*)`")
_UNKNOWN: Final = re.compile(r"unknown field `(.+?)`")


def hint(error: str) -> str:
    """Return what to write instead, where a message of msgspec does not say it.

    Guesses come from the keys that can stand at that place only. A key of another place is
    sent there.
    """
    place = _PATH.search(error)
    path = place[1] if place else ""
    unknown = _UNKNOWN.search(error)
    if unknown:
        return _of_key(unknown[1], path)
    if "missing required field `on`" in error:
        return "; a strategy on every product is written alone: mps"
    if "expected `array`, got `object`" in error.lower():
        return "; write a list, which adds to the built-in one, or {replace: [...]}"
    if "expected `array`" in error.lower():
        return "; write a list of one or more, or leave the key out"
    allowed = next(filter(None, map(_words, _types_at(path))), ()) if path else ()
    described = next(filter(None, map(_description, _types_at(path))), "") if path else ""
    meant = " or ".join(allowed) or described  # Helm makes false of `off`
    return f"; write {meant}" if meant else ""


def _of_key(wrong: str, path: str) -> str:
    here = [key for part in _structs_at(path) for key, _ in _fields(part)]
    near = difflib.get_close_matches(wrong, here, n=1)
    if near:
        return f"; did you mean `{near[0]}`?"
    elsewhere = next((place for key, place in _places(PolicyFile, "") if key == wrong), None)
    belongs = ""
    if elsewhere is not None:
        belongs = f"; it belongs {'in ' + elsewhere if elsewhere else 'at the top'}"
    listed = here and (path or not belongs)
    return f"; here can stand {', '.join(here)}{belongs}" if listed else belongs


def _places(part: type[msgspec.Struct], path: str) -> Iterator[tuple[str, str]]:
    """Yield each key of the file with the place where it stands."""
    for key, annotation in _fields(part):
        yield key, path
        below = f"{path}.{key}" if path else key
        for inner in _structs(annotation):
            yield from _places(inner, below)


def _structs_at(path: str) -> list[type[msgspec.Struct]]:
    return [each for found in _types_at(path) for each in _structs(found)]


def _types_at(path: str) -> list[Any]:
    """Return the types that a value at a path may have."""
    found: list[Any] = [PolicyFile]
    for key, _ in _STEP.findall(path):
        if key:
            parts = [part for each in found for part in _structs(each)]
            found = [kind for part in parts for name, kind in _fields(part) if name == key]
    return found


def _structs(annotation: Any) -> Iterator[type[msgspec.Struct]]:
    """Yield the parts of the file within a type, such as items of lists."""
    if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
        yield annotation
    for inner in get_args(annotation) if get_origin(annotation) is not Literal else ():
        yield from _structs(inner)


def _fields(part: type[msgspec.Struct]) -> Iterator[tuple[str, Any]]:
    """Yield each key of a part of the file, with the type of its value."""
    annotations = get_type_hints(part, include_extras=True)
    for key, name in zip(part.__struct_encode_fields__, part.__struct_fields__, strict=True):
        yield key, annotations[name]


def _description(annotation: Any) -> str:
    """Return what a type or the items of a list are said to be."""
    told = (each.description or "" for each in getattr(annotation, "__metadata__", ()))
    return next(filter(None, (*told, *map(_description, get_args(annotation)))), "")


def _words(annotation: Any) -> tuple[str, ...]:
    """Return the words of the first closed list within a type."""
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return tuple(annotation)
    inner = get_args(annotation)
    return (
        inner if get_origin(annotation) is Literal else next(filter(None, map(_words, inner)), ())
    )
