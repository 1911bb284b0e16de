"""What commands print: tables, texts, JSON, YAML and diffs."""

import difflib
import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import msgspec
import yaml
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from webhook.cli.table import FittedTable
from webhook.cli.wrapping import Hanging, Words
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


@dataclass(frozen=True, slots=True)
class Rendering:
    """What a command found: as tools read it, and as a person does.

    `notes` are printed beside what tools read, on standard error. `texts` make other formats.
    """

    record: Any
    screen: tuple[RenderableType, ...] = ()
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
        return Text("-", "dim")
    if isinstance(value, (list, tuple)):
        return Text("\n".join(safe(str(each)) for each in value) or "-")
    return Text(safe(str(value)))


def pairs(facts: Iterable[tuple[str, Text | str | None]]) -> RenderableType:
    """Return names and values below each other, as `kubectl describe` has them."""
    found = list(facts)
    width = max((len(name) for name, _ in found), default=0) + 3
    return Group(
        *(Hanging(Text(f"{name}:".ljust(width), "bold"), _cell(value)) for name, value in found)
    )


def safe(text: str) -> str:
    """Return a text of the cluster without what a terminal would obey."""
    return printable(text, besides="\n")


def indented(part: RenderableType | str, indent: int = 2) -> RenderableType:
    """Return a paragraph that keeps its distance from the margin on every line."""
    if isinstance(part, FittedTable):
        return replace(part, indent=indent)
    if isinstance(part, str):
        part = Text(safe(part))
    return (
        Hanging(Text(" " * indent), part)
        if isinstance(part, Text)
        else Padding(part, (0, 0, 0, indent))
    )


def item(text: str, indent: int = 2) -> RenderableType:
    """Return one of several things, with a dash before its first line."""
    return Hanging(Text(" " * indent + "- "), Text(safe(text)))


def _words(part: RenderableType) -> RenderableType:
    """The same part, as words that are never broken where it is a text."""
    if isinstance(part, str):
        part = Text(safe(part))
    return Words(part) if isinstance(part, Text) else part


def note(text: str) -> Text:
    """Return a line on something that should be known besides."""
    return Text.assemble(("note: ", "bold"), safe(text))


def strategy_cell(strategy: str | None) -> Text:
    """Return a strategy in its colour."""
    return Text(strategy or "-", COLOURS.get(strategy or "", ""))


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


def coloured_diff(lines: Sequence[str]) -> RenderableType:
    """Return a diff in colours, long lines wrapped."""
    from rich.syntax import Syntax  # noqa: PLC0415 - 0.1 s, and most commands print no diff

    return Syntax("\n".join(lines), "diff", background_color="default", word_wrap=True)


def warn(notes: Iterable[str]) -> None:
    """Print notes on standard error, where they are in no tool's way."""
    for each in notes:
        print(f"note: {safe(each)}", file=sys.stderr)  # noqa: T201 - the command's output


def put(*parts: RenderableType) -> None:
    """Print on standard output: wrapped on a terminal, else each line whole and without padding."""
    console = create_console()
    if console.is_terminal:
        console.print(Group(*map(_words, parts)), crop=False)
    elif parts:
        _print_whole(console, Group(*map(_words, parts)))


def _print_whole(console: Console, part: RenderableType) -> None:
    console.width = _ENDLESS
    with console.capture() as captured:
        console.print(part)
    lines = (line.rstrip() for line in captured.get().splitlines())
    print("\n".join(lines))  # noqa: T201 - the command's output


def create_console() -> Console:
    """Return standard output, with colours and wrapping only on a terminal."""
    made = Console(highlight=False, markup=False)  # brackets of the cluster are no style
    if made.is_terminal:
        return made
    return Console(highlight=False, markup=False, width=max(made.width, 200))
