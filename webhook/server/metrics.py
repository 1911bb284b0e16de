"""The Prometheus metrics of one process; every label has a bounded set of values."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

# The API server's own histogram starts at 5 ms, where ours should end: finer below, two above.
_BUCKETS: Final = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1.0)
_REVIEW_LABELS: Final = ("side", "operation", "workload", "strategy", "reason", "mode", "allowed")


@dataclass(frozen=True, slots=True)
class Metrics:
    """The collectors, and the registry that serves them."""

    registry: CollectorRegistry
    reviews: Counter
    seconds: Histogram
    failures: Counter
    reloads: Counter


def create_metrics() -> Metrics:
    """Return fresh collectors in a registry of their own."""
    registry = CollectorRegistry()
    return Metrics(
        registry=registry,
        reviews=Counter(
            "gpu_sharing_reviews",
            "Reviews answered; `allowed` is the decision, also where audit mode let it pass.",
            _REVIEW_LABELS,
            registry=registry,
        ),
        seconds=Histogram(
            "gpu_sharing_review_duration_seconds",
            "Time from the body of a review to its answer.",
            ("side",),
            buckets=_BUCKETS,
            registry=registry,
        ),
        failures=Counter(
            "gpu_sharing_failed_requests",
            "Requests to a review path that got no review, by HTTP status.",
            ("status",),
            registry=registry,
        ),
        reloads=Counter(
            "gpu_sharing_reloads",
            "Certificate, policy and inventory files read; a refused one keeps the last good one.",
            ("file", "result"),
            registry=registry,
        ),
    )


GAUGES: Final = {
    "gpu_sharing_certificate_not_after_seconds": "When the serving certificate ends (Unix time).",
    "gpu_sharing_inventory_age_seconds": "Time since the nodes were last known to be as shown.",
    "gpu_sharing_inventory_nodes": "Nodes in the inventory.",
    "gpu_sharing_policy_generation": "How many policies were loaded; grows with each good reload.",
    "gpu_sharing_policy_stale": "1 while a newer policy file is refused and an older one is kept.",
}


def publish(metrics: Metrics, name: str, read: Callable[[], float]) -> None:
    """Register one of GAUGES; it is read at each scrape."""
    Gauge(name, GAUGES[name], registry=metrics.registry).set_function(read)
