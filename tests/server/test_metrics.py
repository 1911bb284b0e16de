"""Gauges whose labels come and go."""

from prometheus_client import generate_latest

from webhook.core.gpu.unusable import UnusableReason, unusable
from webhook.core.gpu.values import Inventory
from webhook.server import metrics as metric

NAME = "gpu_sharing_unreviewed_pods"


def test_a_gauge_by_namespace_shows_what_is_so_now_and_nothing_that_was() -> None:
    metrics = metric.create_metrics()
    found: dict[str, int] | None = {"shop": 2, "lab": 0}
    metric.publish_by_namespace(metrics, NAME, lambda: found)

    def shown() -> list[str]:
        lines = generate_latest(metrics.registry).decode().splitlines()
        return [line for line in lines if line.startswith(NAME)]

    assert shown() == [f'{NAME}{{namespace="lab"}} 0.0', f'{NAME}{{namespace="shop"}} 2.0']
    found = {"shop": 3}
    assert shown() == [f'{NAME}{{namespace="shop"}} 3.0']
    found = None
    assert shown() == []


def test_nodes_that_cannot_be_used_are_counted_by_reason_each_node_once() -> None:
    metrics = metric.create_metrics()
    bad = unusable(UnusableReason.INVALID_MIG, "", "nvidia.com/gpu")
    found = Inventory(unusable={"a": (bad, bad), "b": (bad,)})
    metric.publish_unusable(metrics, lambda: found)
    lines = generate_latest(metrics.registry).decode().splitlines()
    assert f'{metric.UNUSABLE}{{reason="invalid_mig"}} 2.0' in lines
