"""Help pages that wrap between words, and only there: names and codes can be copied."""

import argparse
from collections.abc import Iterator, Sequence
from itertools import groupby

from webhook.cli.text import Text

_NOTE = "   "
"""Stands between an example and what is said of it."""


class HelpPage(argparse.HelpFormatter):
    """Wraps paragraphs. Indented lines are examples."""

    def format_help(self) -> str:
        """Return the page. Its column counts the indent of commands, unlike argparse's."""
        self._action_max_length += self._indent_increment
        return super().format_help()

    def _split_lines(self, text: str, width: int) -> list[str]:
        return [line.plain for line in Text(" ".join(text.split())).lines(width)]

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        lines: list[str] = []
        for is_text, group in groupby(text.splitlines(), lambda line: line[:1].strip() != ""):
            if is_text:
                lines += self._split_lines(" ".join(group), width)
            else:
                lines += _examples([*group], width)
        return "\n".join(indent + line for line in lines)


def _examples(lines: Sequence[str], width: int) -> Iterator[str]:
    """Yield them as they are where they fit, or each with its note below it."""
    if max(map(len, lines)) <= width:
        yield from lines
        return
    for line in lines:
        command, _, note = line.rstrip().removeprefix("  ").partition(_NOTE)
        yield f"  {command}"
        yield from [f"      {note.strip()}"] * bool(note)
