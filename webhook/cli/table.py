"""A table that fits the terminal without breaking a word."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Final

from webhook.cli.text import Hanging, Text, longest_line, longest_word

_GAP = 2  # between columns
SHORT_KINDS: Final = {
    "Deployment/": "deploy/", "ReplicaSet/": "rs/", "StatefulSet/": "sts/", "DaemonSet/": "ds/",
}  # fmt: skip
"""As kubectl has them."""


@dataclass(frozen=True, slots=True)
class FittedTable:
    """Aligned columns without lines.

    Where they do not fit, long texts wrap between words, then kinds are shortened, then the
    columns `drop` are left out in their order. Where that is not enough either, the cells of a
    row stand below each other.
    """

    headings: Sequence[str]
    rows: Sequence[Sequence[Text]]
    drop: Sequence[int] = ()

    def lines(self, width: int) -> Iterator[Text]:
        """Yield the lines of the columns that fit."""
        whole = _needs(self._widths(longest_word, range(len(self.headings)))) <= width
        fitted = self if whole else replace(self, rows=[[*map(_short, row)] for row in self.rows])
        shown = fitted._shown(width)
        if _needs(fitted._widths(longest_word, shown)) > width:
            yield from fitted._stacked(shown, width)
            return
        widths = fitted._fit(shown, width)
        heads = ([*Text((self.headings[i], "bold")).lines(widths[i])] for i in shown)
        upwards = zip_longest(*map(reversed, heads), fillvalue=Text())
        yield from reversed([_aligned(line, widths.values()) for line in upwards])
        for row in fitted.rows:
            cells = (row[index].lines(widths[index]) for index in shown)
            for line in zip_longest(*cells, fillvalue=Text()):
                yield _aligned(line, widths.values())

    def _stacked(self, shown: Sequence[int], width: int) -> Iterator[Text]:
        """The first cell of each row, and the others below it with their headings."""
        wide = max(len(self.headings[index]) for index in shown) + _GAP
        for row in self.rows:
            yield from row[shown[0]].lines(width)
            for index in shown[1:]:
                label = Text(" " * _GAP, (self.headings[index].ljust(wide), "bold"))
                yield from Hanging(label, row[index]).lines(width)

    def _shown(self, width: int) -> list[int]:
        """The columns that fit, or those that cannot be left out."""
        shown = list(range(len(self.headings)))
        for dropped in self.drop:
            if _needs(self._widths(longest_word, shown)) <= width:
                break
            shown.remove(dropped)
        return shown

    def _fit(self, shown: Sequence[int], width: int) -> Mapping[int, int]:
        """The width of each column."""
        least, widths = self._widths(longest_word, shown), self._widths(longest_line, shown)
        while _needs(widths) > width:
            widths[max(shown, key=lambda index: widths[index] - least[index])] -= 1
        return widths

    def _widths(self, measure: Callable[[Text], int], shown: Sequence[int]) -> dict[int, int]:
        """The width of each column, by its heading and cells."""
        cells = {i: [Text(self.headings[i]), *(row[i] for row in self.rows)] for i in shown}
        return {index: max(map(measure, texts)) for index, texts in cells.items()}


def _needs(widths: Mapping[int, int]) -> int:
    return sum(widths.values()) + _GAP * (len(widths) - 1)


def _aligned(cells: Sequence[Text], widths: Iterable[int]) -> Text:
    """One line of a row, without spaces at its end."""
    line = Text()
    for cell, width in zip(cells, widths, strict=True):
        line = Text(line, cell, " " * (width + _GAP - len(cell)))
    return line.slice(0, len(line.plain.rstrip()))


def _short(cell: Text) -> Text:
    for kind, short in SHORT_KINDS.items():
        if cell.plain.startswith(kind):
            return Text(short, cell.slice(len(kind), len(cell)))
    return cell
