"""Text that wraps between words only, so that names and codes stay whole to be copied."""

from collections.abc import Iterator
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.text import Text


@dataclass(frozen=True, slots=True)
class Words:
    """A text whose words are never broken: one that is too long runs over the edge."""

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


def wrapped(text: Text, width: int) -> Iterator[Text]:
    """Yield the lines of a text at a width, with their styles."""
    for line in text.split("\n", allow_blank=True):
        for part in line.divide(_breaks(line.plain, width)):
            part.rstrip()
            yield part


def _breaks(line: str, width: int) -> Iterator[int]:
    """The offsets of the words that begin a new line."""
    start = at = 0
    for word in line.split(" "):
        if at > start and at + len(word) - start > width:
            yield at
            start = at
        at += len(word) + 1


def longest_word(text: Text) -> int:
    """Return the width of the longest word."""
    return max((len(word) for word in text.plain.replace("\n", " ").split(" ")), default=0)


def longest_line(text: Text) -> int:
    """Return the width of the longest line as it was written."""
    return max((len(line) for line in text.plain.split("\n")), default=0)
