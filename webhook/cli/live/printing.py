"""Records as tables, JSON or YAML, notes and progress; knows nothing of what they mean."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
import yaml
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from webhook.cli import show

Record = Mapping[str, Any]
Column = tuple[str, str]
"""A heading, and the key of a record: what stands there is shown as it is, None as `-`."""

TABLE, WIDE, JSON, YAML = "table", "wide", "json", "yaml"


def structured(value: Any, output: str) -> str:
    """JSON with two spaces, or YAML; keys stay in their order."""
    if output == JSON:
        return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
    plain = msgspec.to_builtins(value)
    return yaml.safe_dump(plain, sort_keys=False, width=100, allow_unicode=True).rstrip("\n")


def table(columns: Sequence[Column], records: Iterable[Record]) -> Table:
    """Aligned columns without lines; a cell may be text in colour."""
    made = Table(box=None, pad_edge=False, header_style="bold", collapse_padding=True)
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
        return Text("\n".join(str(each) for each in value) or "-")
    return Text(str(value))


def pairs(facts: Iterable[tuple[str, RenderableType | str | None]]) -> Table:
    """Names and values below each other, as `kubectl describe` has them."""
    made = Table(box=None, pad_edge=False, show_header=False)
    made.add_column(style="bold", no_wrap=True)
    made.add_column(overflow="fold")
    for name, value in facts:
        made.add_row(f"{name}:", value if not isinstance(value, str | None) else _cell(value))
    return made


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
