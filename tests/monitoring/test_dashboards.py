"""The dashboards: their form, and every query on every page by a real Prometheus."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.monitoring.serving import ROOT, Api
from tests.monitoring.test_rules import MEANING, listed, rules

FILES = sorted((ROOT / "deploy/monitoring/dashboards").glob("*.json"))
BOARDS = {path.stem: json.loads(path.read_text()) for path in FILES}
Json = dict[str, Any]
NEEDS_WEBHOOK = "gpu_sharing_"


def queries(board: Json) -> list[tuple[Json, str]]:
    return [(panel, each["expr"]) for panel in board["panels"] for each in panel["targets"]]


def filled(query: str, **chosen: str) -> str:
    """A query as Grafana sends it, with all or one of each variable."""
    for name, value in chosen.items():
        query = query.replace(f"${name}", value)
    return re.sub(r"\$(?!__)[A-Za-z]\w*", ".*", query).replace("$__rate_interval", "5m")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_sdk_reads_them_and_nothing_is_lost(path: Path) -> None:
    models = pytest.importorskip("grafana_foundation_sdk.models.dashboard")
    cog = pytest.importorskip("grafana_foundation_sdk.cog.plugins")
    cog.register_default_plugins()
    read = models.Dashboard.from_json(BOARDS[path.stem])
    assert [panel.title for panel in read.panels] == [
        p["title"] for p in BOARDS[path.stem]["panels"]
    ]
    assert all(panel.targets for panel in read.panels)


@pytest.mark.parametrize("board", BOARDS.values(), ids=list(BOARDS))
def test_the_rules_of_the_dashboard_linter_that_matter(board: Json) -> None:
    assert board["editable"] is False
    variables = board["templating"]["list"]
    assert variables[0]["name"] == "datasource"
    assert all(each["refresh"] == 2 for each in variables[1:])  # when the time range changes
    titles = [panel["title"] for panel in board["panels"]]
    assert len(set(titles)) == len(titles)
    for panel in board["panels"]:
        assert panel["type"] in ("stat", "timeseries", "table")
        assert panel["description"].endswith(".")
        assert panel["fieldConfig"]["defaults"]["unit"]
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        for target in panel["targets"]:
            assert not re.search(r"(rate|increase)\([^)]*\[\d", target["expr"])
    names = {each["name"] for each in variables}
    used = set(re.findall(r"\$(?!__)([A-Za-z]\w*)", " ".join(query for _, query in queries(board))))
    assert used <= names


@pytest.mark.parametrize("board", BOARDS.values(), ids=list(BOARDS))
def test_panels_do_not_lie_upon_each_other(board: Json) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        at = panel["gridPos"]
        cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert not cells & taken
        assert at["x"] + at["w"] <= 24
        taken |= cells


def test_every_record_that_is_shown_is_recorded() -> None:
    recorded = {each["record"] for each in rules() if "record" in each}
    text = " ".join(query for board in BOARDS.values() for _, query in queries(board))
    assert set(re.findall(r"\b[a-z_]+:[a-z_]+:[a-z_]+", text)) <= recorded


@pytest.mark.needs_prometheus
@pytest.mark.parametrize("board", BOARDS.values(), ids=list(BOARDS))
def test_every_query_is_answered_on_the_pages(pages: Api, board: Json) -> None:
    """A panel that shows nothing says so by the absence of what it is about, never by an error."""
    absent = []
    for panel, query in queries(board):
        if not pages.query(filled(query)) and NEEDS_WEBHOOK not in query:
            absent.append(panel["title"])
    assert absent in ([], ["Idle devices"])  # an hour has not passed


@pytest.mark.needs_prometheus
@pytest.mark.parametrize("page", MEANING)
def test_the_numbers_of_one_device_are_those_of_the_page(pages: Api, page: str) -> None:
    """The board of one device, for each device of each page and both kinds of labels."""
    panels = {panel["title"]: query for panel, query in queries(BOARDS["gpu-sharing-device"])}
    shown = {"Pods": "pods", "Part of a GPU": "share", "Price": "usd", "Activity": "active"}
    for (node, uuid, instance), meant in listed():
        if node.split("/")[0] != page:
            continue
        for title, key in shown.items():
            query = filled(panels[title], node=node, UUID=uuid, instance=instance or "^$")
            found = [float(each["value"][1]) for each in pages.query(query)]
            known = [meant[key]] if key in meant else [0][: key == "pods"]
            assert found == [pytest.approx(each, abs=1e-4) for each in known], (node, title)


@pytest.mark.needs_prometheus
def test_the_fleet_adds_up(pages: Api) -> None:
    panels = {panel["title"]: query for panel, query in queries(BOARDS["gpu-sharing-fleet"])}
    meant = [value for _, value in listed()]

    def shown(title: str) -> float:
        return float(pages.query(filled(panels[title]))[0]["value"][1])

    gpus = {(node, uuid) for (node, uuid, _), _ in listed()}
    assert shown("GPUs") == pytest.approx(len(gpus))
    assert shown("Free") == pytest.approx(sum(each.get("free", 0) for each in meant), abs=1e-3)
    held = sum(each["share"] for each in meant if "pods" in each)
    assert shown("Held") == pytest.approx(held, abs=1e-3)
    by_namespace = pages.query(filled(panels["Held by namespace"]))
    assert by_namespace
