"""YAML that would hang, overflow or silently lose data is refused before it is built."""

import re
from typing import Final

import yaml

MOST_NODES: Final = 20_000_000  # a List of 10,000 nodes has about three million
MOST_DEPTH: Final = 500  # the parser below is recursive, in C
_DEEP_LINE: Final = re.compile(rf"^[ \-?]{{{2 * MOST_DEPTH},}}", re.MULTILINE)


def nests_too_deeply(text: str) -> bool:
    """Tell whether a text nests deeper than MOST_DEPTH.

    Raises:
        yaml.YAMLError: it is not YAML.
    """
    brackets = text.count("[") + text.count("{")
    if brackets <= MOST_DEPTH and _DEEP_LINE.search(text) is None:
        return False
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):  # events need no stack
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MOST_DEPTH:
                return True
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
    return False


def check_graph(root: yaml.Node | None, error: type[ValueError]) -> None:
    """Refuse what is legal YAML and no Kubernetes object.

    Raises:
        error: a key that is no plain value or stands twice, an alias within itself, or aliases
            that multiply to more than MOST_NODES.
    """
    if root is not None and _size(root, {}, error) > MOST_NODES:
        raise error(f"line 1: aliases make more than {MOST_NODES} values of it")


def _size(here: yaml.Node, known: dict[int, int], error: type[ValueError]) -> int:
    """Return how many nodes are below, each alias counted as what it stands for."""
    found = known.get(id(here))
    if found == 0:
        raise error(f"line {_line(here)}: an alias stands within what it names")
    if found is not None:
        return found
    known[id(here)] = 0  # under way
    size = 1
    if isinstance(here, yaml.MappingNode):
        _keys(here, error)
        size += sum(_size(value, known, error) for _, value in here.value)
    elif isinstance(here, yaml.SequenceNode):
        size += sum(_size(item, known, error) for item in here.value)
    known[id(here)] = size
    return size


def _keys(mapping: yaml.MappingNode, error: type[ValueError]) -> None:
    seen: set[str] = set()
    for key, _ in mapping.value:
        if not isinstance(key, yaml.ScalarNode):
            what = "a template that was not rendered, or a key that is no plain value"
            raise error(f"line {_line(key)}: {what}")
        if key.value in seen:
            raise error(f"line {_line(key)}: `{key.value}` stands twice in one mapping")
        seen.add(key.value)


def _line(here: yaml.Node) -> int:
    line: int = here.start_mark.line
    return line + 1
