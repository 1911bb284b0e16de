"""What commands print: tables, texts, JSON, YAML and diffs."""

import difflib
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
import yaml

from webhook.cli.table import FittedTable
from webhook.cli.text import Breakable, Hanging, Paragraph, Paragraphs, Text
from webhook.core.api import names
from webhook.core.api.reason import printable
from webhook.core.checks.registry import REASONS
from webhook.core.gpu.strategies import Strategy

Column = tuple[str, str]
"""A heading, and the key of a record: what stands there is shown as it is, None as `-`."""

TABLE, WIDE, JSON, YAML, DIFF = "table", "wide", "json", "yaml", "diff"
PLAN, HTML, PATCH = "plan", "html", "patch"
COLOURS: Final = {**{each.value: each.traits.colour for each in Strategy}, "mixed": "blue"}
_ENDLESS: Final = 100_000  # columns of what is no terminal: a long text stays on its line, for grep
_CONTEXT: Final = 3  # lines around a change
_SIGNS: Final = {"+": "green", "-": "red", "@": "cyan"}  # of a diff's lines


@dataclass(frozen=True, slots=True)
class Rendering:
    """What a command found: as tools read it, and as a person does.

    `notes` are printed beside what tools read, on standard error. `texts` make other formats.
    """

    record: Any
    screen: tuple[Paragraph | str, ...] = ()
    notes: tuple[str, ...] = ()
    texts: Mapping[str, Callable[[], str]] = field(default_factory=dict)


def show(rendering: Rendering, chosen: str) -> None:
    """Print in the chosen format."""
    if chosen in rendering.texts:
        print(rendering.texts[chosen]())  # noqa: T201 - the command's output
        warn(rendering.notes)
        return
    if chosen in (JSON, YAML):
        print(structured(rendering.record, chosen))  # noqa: T201 - the command's output
        warn(rendering.notes)
        return
    put(*rendering.screen)


def structured(value: Any, chosen: str) -> str:
    """Return JSON with two spaces, or YAML. Keys stay in their order."""
    if chosen == JSON:
        text = msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
        return "".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text)
    plain = msgspec.to_builtins(value)
    text = yaml.safe_dump(plain, sort_keys=False, width=100, allow_unicode=True)
    if not text.replace("\n", "").isprintable():  # what turns a terminal's writing around, and such
        text = yaml.safe_dump(plain, sort_keys=False, width=100)
    return text.rstrip("\n")


def table(
    columns: Sequence[Column], records: Iterable[Mapping[str, Any]], drop: Sequence[str] = ()
) -> FittedTable:
    """Return aligned columns without lines.

    A cell may be text in colour. `drop` are the keys of columns that a narrow terminal can do
    without, the least important first.
    """
    keys = [key for _, key in columns]
    rows = [[_cell(record.get(key)) for key in keys] for record in records]
    dropped = [keys.index(key) for key in drop if key in keys]
    return FittedTable([heading for heading, _ in columns], rows, dropped)


def _cell(value: Any) -> Text:
    if isinstance(value, Text):
        return value
    if value is None or value == "":
        return Text(("-", "dim"))
    if isinstance(value, (list, tuple)):
        return Text("\n".join(safe(str(each)) for each in value) or "-")
    return Text(safe(str(value)))


def pairs(facts: Iterable[tuple[str, Text | str | None]]) -> Paragraphs:
    """Return names and values below each other, as `kubectl describe` has them."""
    found = list(facts)
    width = max((len(name) for name, _ in found), default=0) + 3
    labelled = ((Text((f"{name}:".ljust(width), "bold")), value) for name, value in found)
    return Paragraphs(tuple(Hanging(label, _cell(value)) for label, value in labelled))


def safe(text: str) -> str:
    """Return a text of the cluster without what a terminal would obey."""
    return printable(text, besides="\n")


def indented(part: Paragraph | str, indent: int = 2) -> Paragraph:
    """Return a paragraph that keeps its distance from the margin on every line."""
    return Hanging(Text(" " * indent), _part(part))


def item(text: str, indent: int = 2) -> Paragraph:
    """Return one of several things, with a dash before its first line."""
    return Hanging(Text(" " * indent + "- "), Text(safe(text)))


def _part(part: Paragraph | str) -> Paragraph:
    return Text(safe(part)) if isinstance(part, str) else part


def note(text: str) -> Text:
    """Return a line on something that should be known besides."""
    return Text(("note: ", "bold"), safe(text))


def strategy_cell(strategy: str | None) -> Text:
    """Return a strategy in its colour."""
    return Text((strategy or "-", COLOURS.get(strategy or "", "")))


def explained(code: str) -> str:
    """Return a reason's code with its sentence, if it is one that is known here."""
    return f"{code}: {REASONS[code].sentence}" if code in REASONS else code


def short_resource(resource: str) -> str:
    """Return a resource name without `nvidia.com/`, which all of ours have."""
    return resource.removeprefix(names.NVIDIA)


def amounts(resources: Mapping[str, int]) -> str:
    """Return counts and resource names, such as `1 gpu`."""
    return ", ".join(f"{count} {short_resource(name)}" for name, count in resources.items())


def diff(before: Any, after: Any) -> list[str]:
    """Return the lines of a unified diff of two objects, as YAML."""
    old, new = (yaml.safe_dump(each, sort_keys=False, width=1000) for each in (before, after))
    lines = difflib.unified_diff(
        old.splitlines(), new.splitlines(), "before", "after", n=_CONTEXT, lineterm=""
    )
    return list(lines)


def coloured_diff(lines: Iterable[str]) -> Paragraph:
    """Return a diff in colours, long lines wrapped."""
    return Paragraphs(tuple(Breakable(Text((each, _SIGNS.get(each[:1], "")))) for each in lines))


def warn(notes: Iterable[str]) -> None:
    """Print notes on standard error, where they are in no tool's way."""
    for each in notes:
        print(f"note: {safe(each)}", file=sys.stderr)  # noqa: T201 - the command's output


def put(*parts: Paragraph | str) -> None:
    """Print on standard output: wrapped on a terminal, else each line whole."""
    terminal = is_terminal()
    width = shutil.get_terminal_size().columns if terminal else _ENDLESS
    colours = terminal and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
    for line in Paragraphs(tuple(map(_part, parts))).lines(width):
        print(line.coloured() if colours else line.plain)  # noqa: T201 - the command's output


def is_terminal() -> bool:
    """Return whether somebody reads standard output as it comes."""
    return sys.stdout.isatty() or bool(os.environ.get("FORCE_COLOR"))
