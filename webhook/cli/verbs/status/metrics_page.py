"""A page of Prometheus metrics -> numbers by name and labels."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families

from webhook.cli.cluster.client import Unavailable

Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class MetricsPage:
    """The samples of one replica by name. What is absent there is absent here."""

    samples: Mapping[str, tuple[tuple[Labels, float], ...]]

    def value(self, name: str) -> float | None:
        """A number without labels. It is None where it is absent."""
        return next((value for _, value in self.each(name)), None)

    def each(self, name: str) -> tuple[tuple[Labels, float], ...]:
        """All numbers of a name."""
        return self.samples.get(name, ())


def parse_metrics(text: bytes) -> MetricsPage:
    """Read a page.

    Raises:
        Unavailable: it is none.
    """
    found: dict[str, list[tuple[Labels, float]]] = {}
    try:
        for family in text_string_to_metric_families(text.decode()):
            for sample in family.samples:
                found.setdefault(sample.name, []).append((sample.labels, sample.value))
    except (ValueError, KeyError, IndexError) as error:
        raise Unavailable(f"the metrics cannot be read: {error}") from None
    return MetricsPage({name: tuple(samples) for name, samples in found.items()})


def by_label(
    pages: Iterable[MetricsPage], name: str, label: str, join: Callable[[list[float]], float] = sum
) -> dict[str, int]:
    """Return a metric of all replicas by a label, added up or joined otherwise."""
    found: dict[str, list[float]] = {}
    for page in pages:
        for labels, value in page.each(name):
            found.setdefault(labels.get(label, ""), []).append(value)
    return {key: int(join(values)) for key, values in sorted(found.items()) if any(values)}
