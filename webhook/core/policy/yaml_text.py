"""YAML text becomes plain values that remember their lines."""

import re
from collections.abc import Iterator
from typing import Any, Final

import yaml
from msgspec import Struct

from webhook.core.policy import yaml_graph

_STEP: Final = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]|\[\.\.\.\]|\[([^\]]+)\]")
_AT: Final = re.compile(r"^(?P<what>.*?)(?: - at `(?P<path>\$[^`]*)`)?$", re.DOTALL)


class PlainLoader(yaml.CSafeLoader):
    """YAML 1.2 scalars, as Kubernetes users expect: `on`, `yes` and `1:30` are plain strings.

    PyYAML follows YAML 1.1, where the key `on` is the boolean true and a date is an object.
    """

    yaml_implicit_resolvers = {}  # noqa: RUF012 - a class attribute of PyYAML's own


for _tag, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?(?:0|[1-9][0-9]*)|0o[0-7]+|0x[0-9a-fA-F]+", list("-+0123456789")),
    ("float", r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", list("-+.0123456789")),
    ("merge", r"<<", ["<"]),
):
    PlainLoader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), _first
    )


class Document(Struct, frozen=True):
    """A parsed document, in which a path such as `$.a.b[0]` has a line."""

    value: Any
    root: yaml.Node | None

    def locate(self, path: str) -> str:
        """Return `line 3, a.b[0]` for `$.a.b[0]`.

        The line is the nearest one where the text lacks a part of the path.
        """
        here, line = self.root, 1
        for key, index, quoted in _STEP.findall(path):
            found = _child(here, key or quoted, index)
            if found is None:
                break
            here, line = found
        words = path.removeprefix("$").removeprefix(".")
        parts = (f"line {line}" if self.root else "", words)
        return ", ".join(part for part in parts if part) or "at the top"

    def explain(self, error: str) -> str:
        """Turn a msgspec message (`Expected … - at `$.path``) into one with line and path."""
        found = _AT.match(error)
        what, path = (found["what"], found["path"]) if found else (error, None)
        unknown = re.search(r"unknown field `(.+?)`", what)
        place = self.locate((path or "$") + (f".{unknown[1]}" if unknown else ""))
        return f"{place}: {what[:1].lower()}{what[1:]}"


def _child(here: yaml.Node | None, key: str, index: str) -> tuple[yaml.Node, int] | None:
    """Return the node below, and the line of its key or its dash."""
    if isinstance(here, yaml.SequenceNode) and index and int(index) < len(here.value):
        item = here.value[int(index)]
        return item, item.start_mark.line + 1
    if isinstance(here, yaml.MappingNode):
        return next(((v, k.start_mark.line + 1) for k, v in here.value if k.value == key), None)
    return None


def parse_document(text: str, error: type[ValueError]) -> Document:
    """Parse the one document of a text.

    Raises:
        error: not YAML, several documents, or a key that stands twice in a mapping (YAML would
            keep the last only).
    """
    documents = parse_documents(text, error)
    if len(documents) > 1:
        raise error("expected one document, got several")
    return documents[0] if documents else Document(None, None)


def _parse(text: str, error: type[ValueError]) -> Iterator[Document]:
    loader = PlainLoader(text)
    while loader.check_node():
        root = loader.get_node()
        yaml_graph.check_graph(root, error)
        yield Document(loader.construct_document(root), root)


def parse_documents(text: str, error: type[ValueError]) -> list[Document]:
    """Parse every document of a text, empty ones too, as `parse_document` does one."""
    try:
        if yaml_graph.nests_too_deeply(text):
            raise error("nested too deeply")
        return list(_parse(text, error))
    except yaml.YAMLError as problem:
        mark = getattr(problem, "problem_mark", None)
        line = f"line {mark.line + 1}: " if mark else ""
        what = getattr(problem, "problem", None) or str(problem)
        raise error(f"{line}not YAML: {what}") from None
    except RecursionError:
        raise error("nested too deeply") from None
