"""One Prometheus scrapes every page, with honorLabels and without, and an Alertmanager listens."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.monitoring import tools
from tests.monitoring.serving import PAGES, RULES, Api, alertmanager, exporter, prometheus, wait_for

HONOR = {"honor": True, "exported": False}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = f"{Path(__file__).parent}/"
    for item in items:
        if str(item.path).startswith(here) and "needs_prometheus" in item.keywords:
            item.add_marker(pytest.mark.skipif(tools.missing(), reason=tools.WHY_NOT))


def scrapes(port: int) -> list[dict[str, object]]:
    """A job for each page and kind of labels, as the operator's ServiceMonitor makes them.

    Each page is a cluster of its own, so the host that it names becomes PAGE/KIND.
    """
    target = {"pod": "nvidia-dcgm-exporter-x", "namespace": "gpu-operator"}
    return [
        {
            "job_name": f"{page}/{kind}",
            "honor_labels": honor,
            "metrics_path": f"/{page}",
            "static_configs": [{"targets": [f"127.0.0.1:{port}"], "labels": target}],
            "metric_relabel_configs": [
                {
                    "source_labels": [label],
                    "regex": ".+",
                    "target_label": label,
                    "replacement": f"{page}/{kind}",
                }
                for label in ("Hostname", "hostname")
            ],
        }
        for page in PAGES
        for kind, honor in HONOR.items()
    ]


@pytest.fixture(scope="session")
def alerts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    with alertmanager(tmp_path_factory.mktemp("alertmanager")) as api:
        yield api


@pytest.fixture(scope="session")
def pages(tmp_path_factory: pytest.TempPathFactory, alerts: Api) -> Iterator[Api]:
    with exporter(PAGES) as port:
        sent_to = {"targets": [alerts.url.removeprefix("http://")]}
        config = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(RULES)],
            "scrape_configs": scrapes(port),
            "alerting": {"alertmanagers": [{"static_configs": [sent_to]}]},
        }
        with prometheus(tmp_path_factory.mktemp("prometheus"), config) as api:
            nodes = len(PAGES) * len(HONOR)
            query = "group by (node) (device:gpu_share:ratio)"
            wait_for(lambda: len(api.query(query)) == nodes, "every page is scraped and recorded")
            yield api
