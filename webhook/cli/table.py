"""A table that fits the terminal without breaking a word."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from rich.console import Console, ConsoleOptions, RenderResult
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from webhook.cli.wrapping import Hanging, Words, longest_line, longest_word

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
    indent: int = 0

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Render the columns that fit."""
        width = options.max_width - self.indent
        whole = _needs(self._widths(longest_word, range(len(self.headings)))) <= width
        fitted = self if whole else replace(self, rows=[[*map(_short, row)] for row in self.rows])
        shown = fitted._shown(width)
        if _needs(fitted._widths(longest_word, shown)) > width:
            yield from fitted._stacked(shown)
            return
        widths = fitted._fit(shown, width)
        made = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0))
        for index in shown:
            heading = Words(Text(self.headings[index], "bold"))
            made.add_column(heading, width=widths[index], no_wrap=True)
        for row in fitted.rows:
            made.add_row(*(Words(row[index]) for index in shown))
        needed = options.update(width=_needs(widths) + _GAP)
        for line in console.render_lines(made, needed, pad=False):
            yield Segment(" " * self.indent)
            yield from line
            yield Segment.line()

    def _stacked(self, shown: Sequence[int]) -> RenderResult:
        """The first cell of each row, and the others below it with their headings."""
        wide = max(len(self.headings[index]) for index in shown) + _GAP
        for row in self.rows:
            yield Hanging(Text(" " * self.indent), row[shown[0]])
            for index in shown[1:]:
                label = Text(" " * (self.indent + _GAP))
                yield Hanging(label.append(self.headings[index].ljust(wide), "bold"), row[index])

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


def _short(cell: Text) -> Text:
    for kind, short in SHORT_KINDS.items():
        if cell.plain.startswith(kind):
            return Text.assemble(short, cell[len(kind) :])
    return cell
