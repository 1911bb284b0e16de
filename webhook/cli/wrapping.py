"""Text that wraps between words only, so that codes can be copied."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.text import Text

_SPACE: Final = re.compile(r"(?<!\d) |(?<=[^\s\d]\d) ")
"""Any space but one after a number that stands alone."""


@dataclass(frozen=True, slots=True)
class Words:
    """A text whose words are never broken, even where one is too long."""

    text: Text

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Render the lines, each without a break of its own."""
        del console
        lines = wrapped(self.text, options.max_width)
        yield Text("\n", no_wrap=True, overflow="ignore").join(lines)

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        """Return the widths of the longest word and of the longest line."""
        del console
        least, most = longest_word(self.text), longest_line(self.text)
        return Measurement(min(least, options.max_width), min(most, options.max_width))


@dataclass(frozen=True, slots=True)
class Hanging:
    """A text beside a label, whose later lines begin below its first one."""

    label: Text
    text: Text

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Render the lines, each without a break of its own."""
        del console
        indent = len(self.label)
        lines = wrapped(self.text, options.max_width - indent)
        told = (
            Text.assemble(self.label if index == 0 else " " * indent, line)
            for index, line in enumerate(lines)
        )
        yield Text("\n", no_wrap=True, overflow="ignore").join(told)


def wrapped(text: Text, width: int) -> Iterator[Text]:
    """Yield the lines of a text at a width, with their styles."""
    for line in text.split("\n", allow_blank=True):
        for part in line.divide(_breaks(line.plain, width)):
            part.rstrip()
            yield part


def _breaks(line: str, width: int) -> Iterator[int]:
    """The offsets of the words that begin a new line."""
    start = at = 0
    for word in _words(line):
        if at > start and at + len(word) - start > width:
            yield at
            start = at
        at += len(word) + 1


def _words(line: str) -> list[str]:
    """The parts between which a line may break: a number stays with what it counts."""
    return _SPACE.split(line)


def longest_word(text: Text) -> int:
    """Return the width of the longest word."""
    return max((len(word) for line in text.plain.split("\n") for word in _words(line)), default=0)


def longest_line(text: Text) -> int:
    """Return the width of the longest line as it was written."""
    return max((len(line) for line in text.plain.split("\n")), default=0)
