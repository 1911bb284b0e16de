"""The dashboards as Grafana's JSON (schema 39, Grafana 10 and newer)."""

import json
from collections.abc import Iterator
from functools import partial
from typing import Any, Final

from deploy.generate.dashboard_panels import BOARDS, Board, Panel, Variable

_SOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}
_WIDTH: Final = 24
_HEIGHTS: Final = {"stat": 4}


def _json(board: Board) -> str:
    return json.dumps(_dashboard(board), indent=1) + "\n"


FILES: Final = {
    f"deploy/monitoring/dashboards/{board.uid}.json": partial(_json, board) for board in BOARDS
}
"""What renders each file."""


def _dashboard(board: Board) -> dict[str, Any]:
    source = {"name": "datasource", "type": "datasource", "label": "Prometheus"}
    variables = [{**source, "query": "prometheus", "refresh": 1, "hide": 0, "multi": False}]
    return {
        "uid": board.uid,
        "title": board.title,
        "description": board.description,
        "tags": ["gpu-sharing"],
        "schemaVersion": 39,
        "version": 1,
        "editable": False,
        "graphTooltip": 1,
        "refresh": "1m",
        "time": {"from": "now-24h", "to": "now"},
        "timezone": "browser",
        "templating": {"list": variables + [_variable(each) for each in board.variables]},
        "annotations": {"list": []},
        "panels": list(_panels(board)),
    }


def _variable(variable: Variable) -> dict[str, Any]:
    query = f"label_values({variable.metric}, {variable.label})"
    return {
        "name": variable.name,
        "label": variable.name,
        "type": "query",
        "datasource": _SOURCE,
        "query": {"query": query, "refId": "variable"},
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"text": "All", "value": "$__all"},
        "hide": 0,
    }


def _panels(board: Board) -> Iterator[dict[str, Any]]:
    """From left to right, in lines as high as their highest panel."""
    x = y = height = 0
    for number, panel in enumerate(board.panels, 1):
        own = _HEIGHTS.get(panel.kind, 8)
        if x + panel.span > _WIDTH or (height and own != height):
            x, y = 0, y + height
        height = own
        place = {"x": x, "y": y, "w": panel.span, "h": own}
        yield _panel(panel) | {"id": number, "gridPos": place}
        x += panel.span


def _panel(panel: Panel) -> dict[str, Any]:
    defaults: dict[str, Any] = {"unit": panel.unit}
    options: dict[str, Any] = {}
    if panel.kind == "timeseries":
        defaults["min"] = 0
        options["legend"] = {"displayMode": "list", "placement": "bottom", "showLegend": True}
    made = {
        "type": panel.kind,
        "title": panel.title,
        "description": panel.description,
        "datasource": _SOURCE,
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": options,
        "targets": list(_targets(panel)),
    }
    if panel.kind == "table":
        made["transformations"] = [{"id": "merge", "options": {}}]
    return made


def _targets(panel: Panel) -> Iterator[dict[str, Any]]:
    for number, (query, legend) in enumerate(panel.queries):
        series = panel.kind == "timeseries"
        yield {
            "refId": chr(ord("A") + number),
            "datasource": _SOURCE,
            "expr": query,
            "legendFormat": legend,
            "instant": not series,
            "range": series,
            "format": "table" if panel.kind == "table" else "time_series",
        }
