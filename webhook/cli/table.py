"""A table that fits the terminal without breaking a word."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderResult
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from webhook.cli.wrapping import Words, longest_line, longest_word

_GAP = 2  # between columns


@dataclass(frozen=True, slots=True)
class FittedTable:
    """Aligned columns without lines.

    Where they do not fit, long texts wrap between words, then the columns `drop` are left out in
    their order. What is still too wide runs over the edge.
    """

    headings: Sequence[str]
    rows: Sequence[Sequence[Text]]
    drop: Sequence[int] = ()
    indent: int = 0

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Render the columns that fit."""
        widths = self._fit(options.max_width - self.indent)
        made = Table(box=None, pad_edge=False, header_style="bold", padding=(0, _GAP, 0, 0))
        for index, width in widths.items():
            made.add_column(self.headings[index], width=width, no_wrap=True)
        for row in self.rows:
            made.add_row(*(Words(row[index]) for index in widths))
        needed = sum(widths.values()) + _GAP * len(widths)
        for line in console.render_lines(made, options.update(width=needed), pad=False):
            yield Segment(" " * self.indent)
            yield from line
            yield Segment.line()

    def _fit(self, width: int) -> dict[int, int]:
        """The columns that are shown, each with its width."""
        least, most = self._widths(longest_word), self._widths(longest_line)
        shown = list(range(len(least)))
        for dropped in self.drop:
            if sum(least[index] + _GAP for index in shown) <= width:
                break
            shown.remove(dropped)
        widths = {index: most[index] for index in shown}
        while sum(widths.values()) + _GAP * len(widths) > width:
            wide = max(shown, key=lambda index: widths[index] - least[index])
            if widths[wide] <= least[wide]:
                break
            widths[wide] -= 1
        return widths

    def _widths(self, measure: Callable[[Text], int]) -> list[int]:
        """The width of each column, by its heading and cells."""
        return [
            max((len(heading), *(measure(row[index]) for row in self.rows)))
            for index, heading in enumerate(self.headings)
        ]
