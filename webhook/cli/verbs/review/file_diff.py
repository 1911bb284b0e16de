"""What the webhook would add, as a diff of the files that `git apply` takes."""

import difflib
import os
import re
import sys
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any, Final

import yaml

from webhook.cli import output, yaml_edit
from webhook.cli.evaluate import Evaluation
from webhook.cli.yaml_edit import Edit, TextEditor
from webhook.core.integrations.field_path import FieldPath

_CONTEXT: Final = 3  # lines around a change
_LINE: Final = re.compile(r"[^\n]*\n|[^\n]+")
_STEP: Final = re.compile(r"\.(\w+)|\[(\d+)\]")


def print_diffs(results: Sequence[Evaluation]) -> None:
    """Print the diffs, in colours on a terminal, else byte for byte."""
    lines = file_diffs(results)
    if output.is_terminal():
        output.put(output.coloured_diff(map(output.safe, lines)))
    else:
        sys.stdout.buffer.write("".join(f"{line}\n" for line in lines).encode())
        sys.stdout.flush()


def file_diffs(results: Sequence[Evaluation]) -> Iterator[str]:
    """Yield each file's diff by lines, after a comment on each of its pods."""
    for source, group in groupby(results, key=lambda each: each.found.source):
        found = list(group)
        changed = [each for each in found if each.verdict.allowed and each.verdict.patch]
        text = found[0].found.text
        new = _edited(text, changed)
        yield from map(_comment, found)
        if new is None:
            yield f"# {source}: no diff, since what changes is not written there as one place"
        else:
            yield from _unified(_relative(source), text, new)


def _comment(result: Evaluation) -> str:
    verdict, found = result.verdict, result.found.value
    title = f"{found['kind']}/{result.name} {result.template.path}".strip()
    why = f"{verdict.reason}. {verdict.reason.sentence}" if verdict.allowed else verdict.message
    unchanged = " (unchanged)" if verdict.allowed and not verdict.patch else ""
    return output.safe(f"# {title}: {' '.join(why.split())}{unchanged}")


def _edited(text: str, changed: Sequence[Evaluation]) -> str | None:
    """The new text, None where it would not mean what the webhook does."""
    nodes, wanted = yaml_edit.compose(text), yaml_edit.load(text)
    before, editor = list(wanted), TextEditor(text)
    edits: list[Edit] = []
    for each in changed:
        index = each.found.number - 1
        path = (*_steps(each.found.path), *each.template.place)
        new = _template_after(_at(before[index], path), each)
        if new is None:
            return None
        edits += editor.edits(_node_at(nodes[index], path), _at(before[index], path), new)
        wanted[index] = _with(wanted[index], path, new)
    made = yaml_edit.apply_edits(text, edits)
    try:
        return made if yaml_edit.load(made) == wanted else None
    except yaml.YAMLError:
        return None


def _template_after(at: dict[str, Any], result: Evaluation) -> dict[str, Any] | None:
    """The template with what the pod got, or None for one that was put together."""
    pod, after = result.template.pod, result.after
    own = at.get("spec") == pod["spec"]
    if not own and at != pod["spec"]:
        return None
    new = {**at, "spec": after["spec"]} if own else dict(after["spec"])
    metadata = dict(at.get("metadata") or {}) if own else new
    for key, value in (after.get("metadata") or {}).items():
        if key in ("labels", "annotations") and value:
            metadata[key] = value
    return {**new, "metadata": metadata} if own and metadata else new


def _steps(path: str) -> FieldPath:
    return tuple(key or int(index) for key, index in _STEP.findall(path))


def _at(value: Any, path: FieldPath) -> Any:
    for step in path:
        value = value[step]
    return value


def _node_at(node: Any, path: FieldPath) -> Any:
    for step in path:
        below = node.value[step] if isinstance(step, int) else None
        node = below or next(value for key, value in node.value if key.value == step)
    return node


def _with(value: Any, path: FieldPath, new: Any) -> Any:
    """The value with something else at a path."""
    if not path:
        return new
    below = _with(value[path[0]], path[1:], new)
    if isinstance(value, dict):
        return {**value, path[0]: below}
    return [below if index == path[0] else each for index, each in enumerate(value)]


def _relative(source: str) -> str:
    """The path from here, where `git apply` looks for it too."""
    path = os.path.relpath(source)
    return source.lstrip("/") if path.startswith("..") else path


def _unified(path: str, text: str, new: str) -> Iterator[str]:
    before, after = (_LINE.findall(each) for each in (text, new))
    for line in difflib.unified_diff(before, after, f"a/{path}", f"b/{path}", n=_CONTEXT):
        yield line.removesuffix("\n")
        if not line.endswith("\n"):
            yield "\\ No newline at end of file"
