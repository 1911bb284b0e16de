"""Kubernetes objects of files, folders and standard input, each with where it stands."""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from webhook.core.policy import yaml_text

STDIN: Final = "-"
_ENDINGS: Final = frozenset({".yaml", ".yml", ".json"})


class InputError(ValueError):
    """An input cannot be read, and the message says which, where and what was expected."""


class NotAnObject(InputError):  # noqa: N818 - what was found, in words
    """An input can be read, but it is no Kubernetes object."""


class Manifest(Struct, frozen=True):
    """An object, and where it stands in a file: `$` or, in a List, `$.items[3]`.

    `number` is that of its document, from 1, and `text` the whole file's.
    """

    source: str
    value: dict[str, Any]
    document: yaml_text.Document
    path: str = "$"
    number: int = 1
    text: str = ""

    def locate(self, error: str, below: str = "") -> str:
        """Turn a decoding error into one with file, line, path and the object's name."""
        text = error if "`$" in error else f"{error} - at `$`"
        metadata = self.value.get("metadata")
        name = metadata.get("name") if isinstance(metadata, dict) else None
        named = f" ({self.value['kind']}/{name})" if isinstance(name, str) else ""
        placed = text.replace("`$", f"`{self.path}{below}")
        return f"{self.source}: {self.document.explain(placed)}{named}"


def manifest_of_live(value: dict[str, Any]) -> Manifest:
    """Return an object of the API server, which has no file and no line."""
    namespace = (value.get("metadata") or {}).get("namespace")
    source = f"namespace {namespace}" if namespace else "the cluster"
    return Manifest(source, value, yaml_text.Document(value, None))


def read_manifests(names: Iterable[str]) -> Iterator[Manifest | InputError]:
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


def read_text(name: str) -> str:
    """Return the text of a file, or of standard input.

    Raises:
        InputError: it cannot be read, or is not UTF-8.
    """
    try:
        if name == STDIN:
            return sys.stdin.buffer.read().decode()  # whatever the locale says
        return Path(name).read_bytes().decode()  # with the ends of lines as they are
    except OSError as error:
        raise InputError(f"{_source(name)}: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{_source(name)}: not UTF-8 text at byte {error.start}") from None


def _source(name: str) -> str:
    return "standard input" if name == STDIN else name


def _objects(name: str) -> Iterator[Manifest | InputError]:
    try:
        text = read_text(name)
    except InputError as error:
        yield error
        return
    yield from parse_manifests(_source(name), text)


def parse_manifests(source: str, text: str) -> Iterator[Manifest | InputError]:
    """Yield every object of a text, which messages call `source`."""
    try:
        documents = _documents(text)
    except InputError as error:
        yield InputError(f"{source}: {error}")
        return
    for number, document in enumerate(documents, start=1):
        if document.value is not None:
            for each in _flatten(source, number, document):
                yield replace(each, text=text) if isinstance(each, Manifest) else each


def _documents(text: str) -> list[yaml_text.Document]:
    """Parse JSON the fast way, since a cluster's nodes are tens of megabytes."""
    if text.lstrip()[:1] in ("{", "["):
        try:
            return [yaml_text.Document(msgspec.json.decode(text), None)]
        except RecursionError:
            raise InputError("nested too deeply") from None
        except msgspec.DecodeError:
            pass  # YAML may begin so too, and its parser says where the mistake is
    return yaml_text.parse_documents(text, InputError)


def _flatten(
    source: str, number: int, document: yaml_text.Document
) -> Iterator[Manifest | InputError]:
    """Yield the items of a `kind: List`, any other list kind, or a bare sequence."""
    pending: list[tuple[Any, str]] = [(document.value, "$")]
    while pending:
        value, path = pending.pop()
        if isinstance(value, list):
            numbered = reversed(list(enumerate(value)))
            pending.extend((item, f"{path}[{index}]") for index, item in numbered)
        elif not isinstance(value, dict) or not isinstance(value.get("kind"), str):
            where = "" if path == "$" else f", {path.removeprefix('$.')}"
            yield NotAnObject(
                f"{source}: document {number}{where}: expected a Kubernetes object with "
                f"apiVersion and kind, got {_describe(value)}"
            )
        elif isinstance(value.get("items"), list) and value["kind"].endswith("List"):
            pending.append((value["items"], f"{path}.items"))
        else:
            yield Manifest(source, value, document, path, number)


def _describe(value: object) -> str:
    if isinstance(value, dict):
        return "a mapping without kind"
    return f"{type(value).__name__} {str(value)[:40]!r}"
