"""Files, folders and standard input -> Kubernetes objects, each with where it came from."""

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from webhook.core import yaml_text

STDIN: Final = "-"
_ENDINGS: Final = frozenset({".yaml", ".yml", ".json"})


class InputError(ValueError):
    """An input cannot be read; the message says which, where in it, and what was expected."""


class NotAnObject(InputError):  # noqa: N818 - what was found, in words
    """It can be read, but it is no Kubernetes object."""


@dataclass(frozen=True, slots=True)
class Found:
    """An object of a file. `lines` tells where a path of it stands, for messages."""

    source: str
    value: dict[str, Any]
    document: yaml_text.Document | None = None

    def say(self, error: str) -> str:
        """Turn a decoding error into one with file, line and path."""
        told = self.document.explain(error) if self.document else error
        return f"{self.source}: {told}"


def read(names: Iterable[str]) -> Iterator[Found | InputError]:
    """Yield every object of the named files and folders (`-` is standard input).

    What cannot be read is yielded as an InputError in its place, so that the rest is still seen.
    In a folder only .yaml, .yml and .json files count, and of those only Kubernetes objects.
    """
    for name in names:
        path = Path(name)
        if name != STDIN and path.is_dir():
            files = (p for p in sorted(path.rglob("*")) if p.suffix in _ENDINGS and p.is_file())
            for each in (each for file in files for each in _objects(str(file))):
                if isinstance(each, NotAnObject):  # values files, kustomizations and the like
                    print(f"note: skipped {each}", file=sys.stderr)  # noqa: T201 - for people
                else:
                    yield each
        else:
            yield from _objects(name)


def text_of(name: str) -> str:
    """The text of a file, or of standard input.

    Raises:
        InputError: it cannot be read, or is not UTF-8.
    """
    try:
        if name == STDIN:
            return sys.stdin.buffer.read().decode()  # whatever the locale says
        return Path(name).read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"{name}: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{name}: not UTF-8 text at byte {error.start}") from None


def _objects(name: str) -> Iterator[Found | InputError]:
    try:
        text = text_of(name)
    except InputError as error:
        yield error
        return
    yield from of_text("standard input" if name == STDIN else name, text)


def of_text(source: str, text: str) -> Iterator[Found | InputError]:
    """Yield every object of a text; `source` is what messages call it."""
    try:
        documents = _documents(text)
    except InputError as error:
        yield InputError(f"{source}: {error}")
        return
    for number, document in enumerate(documents, start=1):
        if document.value is not None:
            yield from _flatten(source, number, document)


def _documents(text: str) -> list[yaml_text.Document]:
    """JSON goes the fast way: a cluster's nodes are tens of megabytes."""
    if text.lstrip()[:1] in ("{", "["):
        try:
            return [yaml_text.Document(msgspec.json.decode(text), None)]
        except (msgspec.DecodeError, RecursionError):
            pass  # YAML may begin so too, and its parser says where the mistake is
    return yaml_text.parse_all(text, InputError)


def _flatten(
    source: str, number: int, document: yaml_text.Document
) -> Iterator[Found | InputError]:
    """Take lists apart: `kind: List`, any other list kind, or a bare sequence."""
    pending = [document.value]
    while pending:
        value = pending.pop(0)
        if isinstance(value, list):
            pending = [*value, *pending]
        elif not isinstance(value, dict) or not isinstance(value.get("kind"), str):
            yield NotAnObject(
                f"{source}: document {number}: expected a Kubernetes object with apiVersion and "
                f"kind, got {_describe(value)}"
            )
        elif isinstance(value.get("items"), list) and value["kind"].endswith("List"):
            pending = [*value["items"], *pending]
        else:
            yield Found(source, value, document if value is document.value else None)


def _describe(value: object) -> str:
    if isinstance(value, dict):
        return "a mapping without kind"
    return f"{type(value).__name__} {str(value)[:40]!r}"
