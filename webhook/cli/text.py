"""Texts with styles, which wrap between words only, so that codes can be copied."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import Final, Protocol

from msgspec import Struct

_SPACE: Final = re.compile(r"(?<!\d) |(?<=[^\s\d]\d) ")
"""Any space but one after a number that stands alone."""
_SGR: Final = {
    "bold": 1, "dim": 2, "red": 31, "green": 32, "yellow": 33, "blue": 34, "magenta": 35,
    "cyan": 36,
}  # fmt: skip
"""What a terminal is told for a word of a style (ECMA-48, Select Graphic Rendition)."""


class Paragraph(Protocol):
    """What a screen consists of."""

    def lines(self, width: int) -> Iterator["Text"]:
        """Yield the lines at a width."""


@dataclass(frozen=True, slots=True, init=False)
class Text:
    """A text, each span of it in a style such as `bold red`, or in none."""

    spans: tuple[tuple[str, str], ...]

    def __init__(self, *parts: "str | tuple[str, str] | Text") -> None:
        spans = chain.from_iterable(_spans(part) for part in parts)
        object.__setattr__(self, "spans", tuple(spans))

    @property
    def plain(self) -> str:
        """The text without styles."""
        return "".join(plain for plain, _ in self.spans)

    def __len__(self) -> int:
        return len(self.plain)

    def __add__(self, other: "Text") -> "Text":
        return Text(self, other)

    def slice(self, start: int, stop: int) -> "Text":
        """Return a part of it, in its styles."""
        parts, at = [], 0
        for plain, style in self.spans:
            parts.append((plain[max(0, start - at) : max(0, stop - at)], style))
            at += len(plain)
        return Text(*parts)

    def lines(self, width: int) -> Iterator["Text"]:
        """Yield the lines at a width. A word that is longer is not broken."""
        start = 0
        for line in self.plain.split("\n"):
            for begin, end in pairwise((0, *_breaks(line, width), len(line))):
                yield self.slice(start + begin, start + begin + len(line[begin:end].rstrip()))
            start += len(line) + 1

    def coloured(self) -> str:
        """Return it as a terminal takes it."""
        return "".join(
            f"\x1b[{';'.join(str(_SGR[word]) for word in style.split())}m{plain}\x1b[0m"
            if style and plain
            else plain
            for plain, style in self.spans
        )


class Breakable(Struct, frozen=True):
    """A text in which only a word longer than a line is broken."""

    text: Text

    def lines(self, width: int) -> Iterator[Text]:
        """Yield the lines at a width."""
        for line in self.text.lines(width):
            for start in range(0, max(1, len(line)), width):
                yield line.slice(start, start + width)


class Hanging(Struct, frozen=True):
    """Something beside a label, whose later lines begin below its first one."""

    label: Text
    part: Paragraph

    def lines(self, width: int) -> Iterator[Text]:
        """Yield the lines at a width."""
        label = self.label
        for line in self.part.lines(width - len(label)):
            yield label + line
            label = Text(" " * len(label))


class Paragraphs(Struct, frozen=True):
    """Several parts below each other."""

    parts: tuple[Paragraph, ...]

    def lines(self, width: int) -> Iterator[Text]:
        """Yield the lines at a width."""
        return chain.from_iterable(part.lines(width) for part in self.parts)


def _spans(part: str | tuple[str, str] | Text) -> tuple[tuple[str, str], ...]:
    if isinstance(part, Text):
        return part.spans
    return (part,) if isinstance(part, tuple) else ((part, ""),)


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
    return max(len(word) for line in text.plain.split("\n") for word in _words(line))


def longest_line(text: Text) -> int:
    """Return the width of the longest line as it was written."""
    return max(map(len, text.plain.split("\n")))
