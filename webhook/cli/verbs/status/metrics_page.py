"""A page of Prometheus metrics -> numbers by name and labels."""

from collections.abc import Iterable, Mapping
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


def summed(pages: Iterable[MetricsPage], name: str, label: str) -> dict[str, float]:
    """A counter of all replicas together, by one of its labels."""
    total: dict[str, float] = {}
    for page in pages:
        for labels, value in page.each(name):
            key = labels.get(label, "")
            total[key] = total.get(key, 0) + value
    return {key: value for key, value in sorted(total.items()) if value}


def largest(pages: Iterable[MetricsPage], name: str, label: str) -> dict[str, float]:
    """A gauge that all replicas show of the same thing, by one of its labels."""
    most: dict[str, float] = {}
    for page in pages:
        for labels, value in page.each(name):
            key = labels.get(label, "")
            most[key] = max(most.get(key, 0), value)
    return {key: value for key, value in sorted(most.items()) if value}
