"""An assessment as one HTML page: self-contained, for people who need not know Kubernetes."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources
from typing import Final

from webhook.cli.measure.assess import Assessment
from webhook.cli.prices import usd_a_month
from webhook.cli.verbs.audit.usage_render import recommended
from webhook.core.rightsizing.waste import Waste

TEMPLATE: Final = "report.html.j2"
_SHOWN: Final = 0.005  # GPUs: less is 0.00
PARTS: Final = (
    ("used", "used"),
    ("oversized", "larger than needed"),
    ("idle", "held and idle"),
    ("free", "free"),
    ("lost", "lost in the layout"),
    ("unknown", "used by we do not know whom"),
)
"""What becomes of a GPU: class of the page, and words."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a bar. `start` and `width` are percents of the bar."""

    kind: str
    words: str
    gpus: float
    start: float
    width: float


@dataclass(frozen=True, slots=True)
class Bar:
    """The GPUs of one product. `usd` is what idle, free, lost and oversized ones cost a month."""

    product: str
    gpus: float
    parts: tuple[Piece, ...]
    usd: float | None

    @property
    def label(self) -> str:
        """The bar as a sentence, for whoever does not see it."""
        parts = ", ".join(f"{each.gpus:.1f} {each.words}" for each in self.parts)
        return f"{self.gpus:.1f} GPUs of {self.product}: {parts}"


def report(found: Assessment) -> str:
    """Return the page."""
    import jinja2  # noqa: PLC0415 - no other format needs it

    text = (resources.files(__package__) / TEMPLATE).read_text(encoding="utf-8")
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    bars = tuple(_bars(found))
    return environment.from_string(text).render(
        found=found,
        made=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        bars=bars,
        kinds=PARTS,
        totals={
            kind: sum(p.gpus for bar in bars for p in bar.parts if p.kind == kind)
            for kind, _ in PARTS
        },
        workloads=sorted(found.workloads, key=lambda each: -each.saved),
        recommended=recommended,
    )


def _bars(found: Assessment) -> Iterator[Bar]:
    for waste in found.waste.values():
        oversized = min(found.oversized(waste.product), waste.used)
        amounts = {
            "used": waste.used - oversized,
            "oversized": oversized,
            **{kind: getattr(waste, kind) for kind in ("idle", "free", "lost", "unknown")},
        }
        usd = usd_a_month(found.prices, waste.product, oversized + waste.wasted)
        yield Bar(waste.product, waste.all, tuple(_parts(amounts, waste)), usd)


def _parts(amounts: dict[str, float], waste: Waste) -> Iterator[Piece]:
    start = 0.0
    for kind, words in PARTS:
        width = 100 * amounts[kind] / waste.all if waste.all else 0.0
        if amounts[kind] >= _SHOWN:
            yield Piece(kind, words, amounts[kind], round(start, 2), round(width, 2))
        start += width
