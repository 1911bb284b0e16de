"""The Prometheus metrics of one process.

Every label has a bounded set of values.
"""

from collections import Counter as Counts
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from msgspec import Struct
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from webhook.core.gpu.values import Inventory

# The API server's own histogram starts at 5 ms, where ours should end: finer below, two above.
_BUCKETS: Final = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1.0)
_REVIEW_LABELS: Final = ("side", "operation", "workload", "strategy", "reason", "mode", "allowed")
_COUNTERS: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "reviews": (
        "Reviews answered; `allowed` is the decision, also where audit mode let it pass.",
        _REVIEW_LABELS,
    ),
    "failed_requests": (
        "Requests to a review path that got no review, by HTTP status.",
        ("status",),
    ),
    "skipped": (
        "Reviews answered without being looked at, by why; nothing else is told of them.",
        ("reason",),
    ),
    "reloads": (
        "Certificate, policy and inventory files read; a refused one keeps the last good one.",
        ("file", "result"),
    ),
    "events": (
        "Events of refusals and rewrites, by what became of them.",
        ("result",),
    ),
    "pods": (
        "Pods that were given GPUs when they were created; in audit mode, that would have been.",
        ("workload", "strategy", "mode"),
    ),
    "refusals": (
        "Refusals but for dry runs; in audit mode, what would have been refused.",
        ("reason", "workload", "side", "mode"),
    ),
    "advice": (
        "Objects whose pods were reviewed in advance, by what becomes of them.",
        ("mode", "outcome"),
    ),
}
"""The counters by their fields in `Metrics`, named `gpu_sharing_` and that."""


class Metrics(Struct, frozen=True):
    """The collectors, and the registry that serves them."""

    registry: CollectorRegistry
    seconds: Histogram
    reviews: Counter
    failed_requests: Counter
    skipped: Counter
    reloads: Counter
    events: Counter
    pods: Counter
    refusals: Counter
    advice: Counter


def create_metrics() -> Metrics:
    """Return fresh collectors in a registry of their own."""
    registry = CollectorRegistry()
    return Metrics(
        registry=registry,
        seconds=Histogram(
            "gpu_sharing_review_duration_seconds",
            "Time from the body of a review to its answer.",
            ("side",),
            buckets=_BUCKETS,
            registry=registry,
        ),
        **{
            name: Counter(f"gpu_sharing_{name}", *of, registry=registry)
            for name, of in _COUNTERS.items()
        },
    )


GAUGES: Final = {
    "gpu_sharing_certificate_not_after_seconds": "When the serving certificate ends (Unix time).",
    "gpu_sharing_inventory_age_seconds": "Time since the nodes were last known to be as shown.",
    "gpu_sharing_inventory_nodes": "Nodes in the inventory.",
    "gpu_sharing_policy_generation": "How many policies were loaded; grows with each good reload.",
    "gpu_sharing_policy_stale": "1 while the policy file is refused and another one is in force.",
    "gpu_sharing_unreviewed_look_seconds": "When unreviewed pods were last counted (Unix time).",
}
BY_NAMESPACE: Final = {
    "gpu_sharing_unreviewed_pods": "Pods with a GPU that this webhook never decided.",
}
OFFERS: Final = "gpu_sharing_inventory_offers"
BUILD_INFO: Final = "gpu_sharing_build_info"
POLICY_SOURCE: Final = "gpu_sharing_policy_source"
_OFFERED: Final = "GPUs, MIG devices and shares of all nodes together, and of pools in the policy."
UNUSABLE: Final = "gpu_sharing_inventory_unusable"
_UNUSABLE: Final = "Nodes with a GPU resource that is not offered, by the reason."
_Samples = Mapping[tuple[str, ...], float]


def publish(metrics: Metrics, name: str, read: Callable[[], float]) -> None:
    """Register one of GAUGES, read at each scrape."""
    Gauge(name, GAUGES[name], registry=metrics.registry).set_function(read)


def publish_by_namespace(
    metrics: Metrics, name: str, read: Callable[[], Mapping[str, int] | None]
) -> None:
    """Register one of BY_NAMESPACE, read at each scrape.

    It is absent while that gives None.

    Namespaces come and go, so a sample must not outlive what was read.
    """

    def by_labels() -> _Samples | None:
        found = read()
        return None if found is None else {(each,): number for each, number in found.items()}

    metrics.registry.register(_Read((name, BY_NAMESPACE[name]), ("namespace",), by_labels))


def publish_offers(metrics: Metrics, read: Callable[[], Inventory | None]) -> None:
    """Register OFFERS, read at each scrape.

    So a series goes with its last node.
    """

    def by_labels() -> _Samples | None:
        found = read()
        if found is None:
            return None
        return {(kind[0], kind[1].value, kind[2]): n for kind, n in found.amounts.items()}

    labels = ("resource", "strategy", "product")
    metrics.registry.register(_Read((OFFERS, _OFFERED), labels, by_labels))


def publish_unusable(metrics: Metrics, read: Callable[[], Inventory | None]) -> None:
    """Register UNUSABLE, read at each scrape."""

    def by_reason() -> _Samples | None:
        found = read()
        if found is None:
            return None
        reasons = ({each.reason.value for each in node} for node in found.unusable.values())
        return Counts((reason,) for node in reasons for reason in node)

    metrics.registry.register(_Read((UNUSABLE, _UNUSABLE), ("reason",), by_reason))


def publish_build_info(metrics: Metrics, version: str) -> None:
    """Register BUILD_INFO, whose label is the version."""
    family = BUILD_INFO, "1, with the version of the webhook."
    metrics.registry.register(_Read(family, ("version",), lambda: {(version,): 1.0}))


def publish_policy_source(metrics: Metrics, read: Callable[[], str]) -> None:
    """Register POLICY_SOURCE, 1 for where the policy in force comes from."""
    family = POLICY_SOURCE, "1 for where the policy in force comes from."
    metrics.registry.register(_Read(family, ("source",), lambda: {(read(),): 1.0}))


class _Read(Collector):
    """A gauge whose labels change with what is read.

    It is absent while that gives None.
    """

    def __init__(
        self,
        family: tuple[str, str],
        labels: tuple[str, ...],
        read: Callable[[], _Samples | None],
    ) -> None:
        self._family, self._labels, self._read = family, labels, read

    def collect(self) -> Iterator[GaugeMetricFamily]:
        found = self._read()
        if found is None:
            return
        family = GaugeMetricFamily(*self._family, labels=self._labels)
        for values, number in sorted(found.items()):
            family.add_metric(values, number)
        yield family
