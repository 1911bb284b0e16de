"""Edits of a YAML or JSON text that leave the rest as it stands."""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import yaml

from webhook.core.policy.yaml_text import PlainLoader


class Edit(NamedTuple):
    """What takes the place of the text between two positions."""

    start: int
    end: int
    text: str


Collection = yaml.MappingNode | yaml.SequenceNode


class TextEditor(NamedTuple):
    """Finds the edits of one text."""

    text: str

    def edits(self, node: yaml.Node, before: Any, after: Any) -> Iterator[Edit]:
        """Yield what makes the value of a node another one."""
        if before == after:
            return
        if isinstance(node, yaml.MappingNode) and isinstance(after, dict) and node.value:
            yield from self._in_mapping(node, before, after)
        elif isinstance(node, yaml.SequenceNode) and node.value and _grows(before, after):
            for item, old, new in zip(node.value, before, after, strict=False):
                yield from self.edits(item, old, new)
            for new in after[len(before) :]:
                yield self._added(node, [new])
        else:
            start, end = node.start_mark.index, node.end_mark.index
            space = " " if self.text[start - 1 : start] == ":" else ""
            yield Edit(start, end, space + self._flow(after))

    def _in_mapping(self, node: yaml.MappingNode, before: Any, after: Any) -> Iterator[Edit]:
        """A key that comes takes the place of one that goes."""
        coming = {key: value for key, value in after.items() if key not in before}
        for key, value in node.value:
            if key.value in after:
                yield from self.edits(value, before[key.value], after[key.value])
                continue
            end = self._end(value)
            if coming:
                name = next(iter(coming))
                yield Edit(key.start_mark.index, end, self._entry(node, {name: coming.pop(name)}))
            else:
                yield self._removed(node, key.start_mark.index, end)
        for name, value in coming.items():
            yield self._added(node, {name: value})

    def _added(self, node: Collection, more: Any) -> Edit:
        end = self._end(node.value[-1] if _is_list(node) else node.value[-1][1])
        if node.flow_style:
            return Edit(end, end, ", " + self._entry(node, more))
        line = self._line_end(end)
        return Edit(line, line, self._break(node) + self._entry(node, more))

    def _entry(self, node: Collection, more: Any) -> str:
        """The text of one entry, but for the indentation of its first line."""
        if node.flow_style:
            return self._flow(more)[1:-1]
        return self._break(node).join(_dump(more).splitlines())

    def _removed(self, node: Collection, start: int, end: int) -> Edit:
        """A whole line in block style, and in flow style the comma before it too."""
        if not node.flow_style:
            return Edit(self.text.rfind("\n", 0, start) + 1, self._line_end(end) + 1, "")
        before = self.text[:start].rstrip()
        return Edit(len(before) - 1, end, "") if before.endswith(",") else Edit(start, end, "")

    def _flow(self, value: Any) -> str:
        if self.text.lstrip()[:1] in ("{", "["):  # perhaps JSON, which YAML takes too
            return json.dumps(value, ensure_ascii=False)
        return _dump(value, default_flow_style=True).strip()

    def _break(self, node: yaml.Node) -> str:
        """The end of a line, and the indentation of a node's entries."""
        return ("\r\n" if "\r\n" in self.text else "\n") + " " * node.start_mark.column

    def _line_end(self, position: int) -> int:
        """Where the line ends, before what breaks it."""
        end = self.text.find("\n", position)
        end = len(self.text) if end < 0 else end
        return end - 1 if self.text[end - 1 : end] == "\r" else end

    def _end(self, node: yaml.Node) -> int:
        """Where a value ends, since the mark of a block stands behind later comments."""
        while isinstance(node, Collection) and not node.flow_style and node.value:
            node = node.value[-1] if _is_list(node) else node.value[-1][1]
        return len(self.text[: node.end_mark.index].rstrip())


def apply_edits(text: str, edits: list[Edit]) -> str:
    """Return the text with all edits made, those at one place in their order."""
    for each in sorted(edits, key=lambda edit: edit.start)[::-1]:
        text = text[: each.start] + each.text + text[each.end :]
    return text


def compose(text: str) -> list[yaml.Node]:
    """Return the documents of a text as nodes."""
    return list(yaml.compose_all(text, Loader=PlainLoader))


def load(text: str) -> list[Any]:
    """Return the documents of a text as values."""
    return list(yaml.load_all(text, Loader=PlainLoader))


def _grows(before: Any, after: Any) -> bool:
    """Whether a list stays, and perhaps gets more items."""
    return isinstance(after, list) and len(after) >= len(before)


def _is_list(node: yaml.Node) -> bool:
    return isinstance(node, yaml.SequenceNode)


def _dump(value: Any, **style: Any) -> str:
    text: str = yaml.safe_dump(value, sort_keys=False, width=1_000_000, allow_unicode=True, **style)
    return text.removesuffix("...\n")
