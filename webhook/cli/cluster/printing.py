"""Records as tables, JSON or YAML, notes and progress; knows nothing of what they mean."""

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
import yaml
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from webhook.cli import output as show

Record = Mapping[str, Any]
Column = tuple[str, str]
"""A heading, and the key of a record: what stands there is shown as it is, None as `-`."""

TABLE, WIDE, JSON, YAML = "table", "wide", "json", "yaml"
_ENDLESS = 100_000  # columns of what is no terminal: a long text stays on its line, for grep


def structured(value: Any, output: str) -> str:
    """JSON with two spaces, or YAML; keys stay in their order."""
    if output == JSON:
        return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
    plain = msgspec.to_builtins(value)
    return yaml.safe_dump(plain, sort_keys=False, width=100, allow_unicode=True).rstrip("\n")


def table(columns: Sequence[Column], records: Iterable[Record]) -> Table:
    """Aligned columns without lines; a cell may be text in colour."""
    made = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for heading, _ in columns:
        made.add_column(heading, overflow="fold")
    for record in records:
        made.add_row(*(_cell(record.get(key)) for _, key in columns))
    return made


def _cell(value: Any) -> RenderableType:
    if isinstance(value, Text):
        return value
    if value is None or value == "":
        return Text("-", "dim")
    if isinstance(value, (list, tuple)):
        return Text("\n".join(safe(str(each)) for each in value) or "-")
    return Text(safe(str(value)))


def safe(text: str) -> str:
    """A text of the cluster as a terminal may show it: anybody could write colours, or worse."""
    return "".join(c if c.isprintable() or c == "\n" else "\ufffd" for c in text)


def pairs(facts: Iterable[tuple[str, RenderableType | str | None]]) -> Table:
    """Names and values below each other, as `kubectl describe` has them."""
    made = Table(box=None, pad_edge=False, show_header=False)
    made.add_column(style="bold", no_wrap=True)
    made.add_column(overflow="fold")
    for name, value in facts:
        made.add_row(f"{name}:", value if not isinstance(value, str | None) else _cell(value))
    return made


def below(text: RenderableType | str, indent: int = 2) -> RenderableType:
    """A paragraph that keeps its distance from the margin on every line."""
    return Padding(Text(safe(text)) if isinstance(text, str) else text, (0, 0, 0, indent))


def item(text: str, indent: int = 2) -> RenderableType:
    """One of several things, with a dash before its first line."""
    made = Table.grid(padding=(0, 1, 0, 0))
    made.add_row("-", Text(safe(text)))
    return Padding(made, (0, 0, 0, indent))


def note(text: str) -> Text:
    """Something that should be known besides."""
    return Text.assemble(("note: ", "bold"), safe(text))


def warn(notes: Iterable[str]) -> None:
    """Say notes on standard error, where they are in no tool's way."""
    for each in notes:
        print(f"note: {safe(each)}", file=sys.stderr)  # noqa: T201 - the command's output


def put(*parts: RenderableType) -> None:
    """Print on standard output: wrapped on a terminal, else each line whole and without padding."""
    console = show.console()
    if console.is_terminal:
        console.print(Group(*parts))
    else:
        _whole(console, Group(*parts))


def put_list(columns: Sequence[Column], records: Iterable[Record]) -> None:
    """Print a table whose cells stay whole, as kubectl does: a name in two parts helps nobody."""
    _whole(show.console(), table(columns, records))


def _whole(console: Console, part: RenderableType) -> None:
    console.width = _ENDLESS
    with console.capture() as captured:
        console.print(part)
    lines = (line.rstrip() for line in captured.get().splitlines())
    print("\n".join(lines))  # noqa: T201 - the command's output


def out() -> Console:
    """Standard output; colours only on a terminal, no wrapping of what is piped."""
    return show.console()


@contextmanager
def progress(text: str) -> Iterator[None]:
    """Say what takes long, on standard error and only on a terminal."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield
        return
    with console.status(text):
        yield
