"""Gauges whose labels come and go."""

from prometheus_client import generate_latest

from webhook.server import metrics as metric

NAME = "gpu_sharing_undecided_pods"


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
