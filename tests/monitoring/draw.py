"""A page of our own that draws the panels of the dashboards from a Prometheus.

`python -m tests.monitoring.draw URL FOLDER` writes a page for each dashboard. Grafana itself is
not to be had here: this shows what the queries give, not how Grafana shows it.
"""

import html
import sys
import time
from pathlib import Path
from typing import Any

from tests.monitoring.serving import Api
from tests.monitoring.test_dashboards import BOARDS, filled

Json = dict[str, Any]
COLOURS = ("#1f6f9f", "#c2410c", "#8250bf", "#2d7d46", "#b08800", "#57606a", "#bf3989", "#0e7490")
STYLE = """body{font:14px system-ui,"DejaVu Sans",sans-serif;margin:16px;background:#f6f8fa;
color:#1b1f24}.grid{display:grid;grid-template-columns:repeat(24,1fr);gap:10px}.panel{background:#fff;padding:10px;
border:1px solid #d0d7de;border-radius:6px;overflow:auto}h2{font-size:14px;margin:0 0 6px}
.stat{font-size:28px}table{border-collapse:collapse;width:100%;font-size:12px}td,th{text-align:left;
padding:2px 8px;border-top:1px solid #d0d7de}small{color:#57606a}svg{width:100%;height:150px}"""


def draw(api: Api, board: Json) -> str:
    """Return one dashboard as HTML."""
    panels = "".join(_panel(api, panel) for panel in board["panels"])
    title = html.escape(board["title"])
    head = f"<!doctype html><title>{title}</title><style>{STYLE}</style><h1>{title}</h1>"
    return f"{head}<div class=grid>{panels}</div>"


def _panel(api: Api, panel: Json) -> str:
    kinds = {"stat": _stat, "timeseries": _lines, "table": _table}
    body = kinds[panel["type"]](api, panel)
    span, unit = panel["gridPos"]["w"], panel["fieldConfig"]["defaults"]["unit"]
    head = f"<h2>{html.escape(panel['title'])} <small>{unit}</small></h2>"
    return f'<section class=panel style="grid-column:span {span}">{head}{body}</section>'


def _stat(api: Api, panel: Json) -> str:
    found = api.query(filled(panel["targets"][0]["expr"]))
    return f"<div class=stat>{_number(found[0]['value'][1]) if found else 'no data'}</div>"


def _table(api: Api, panel: Json) -> str:
    rows: dict[tuple[tuple[str, str], ...], dict[str, str]] = {}
    for target in panel["targets"]:
        for each in api.query(filled(target["expr"])):
            key = tuple(sorted((k, v) for k, v in each["metric"].items() if k != "__name__"))
            rows.setdefault(key, {})[target["legendFormat"]] = _number(each["value"][1])
    names = sorted({name for key in rows for name, _ in key})
    values = [target["legendFormat"] for target in panel["targets"]]
    head = "".join(f"<th>{html.escape(name)}" for name in (*names, *values))
    lines = ""
    for key, row in sorted(rows.items()):
        cells = [dict(key).get(name, "") for name in names] + [row.get(v, "") for v in values]
        lines += "<tr>" + "".join(f"<td>{html.escape(cell)}" for cell in cells)
    return f"<table><tr>{head}{lines}</table>" if rows else "no data"


def _lines(api: Api, panel: Json) -> str:
    end = time.time()
    found = [
        (target["legendFormat"], each)
        for target in panel["targets"]
        for each in api.get(
            "/api/v1/query_range", query=filled(target["expr"]), start=str(end - 900),
            end=str(end), step="5",
        )["data"]["result"]
    ]  # fmt: skip
    values = [float(v) for _, each in found for _, v in each["values"] if v != "NaN"]
    top = max([*values, 1e-9])
    paths = []
    for number, (_, each) in enumerate(found):
        points = " ".join(
            f"{(t - end + 900) / 9:.1f},{100 - 95 * float(v) / top:.1f}"
            for t, v in each["values"] if v != "NaN"
        )  # fmt: skip
        colour = COLOURS[number % len(COLOURS)]
        look = f'fill=none stroke="{colour}" stroke-width=2 vector-effect="non-scaling-stroke"'
        paths.append(f'<polyline points="{points}" {look} />')
    legend = ", ".join(sorted({_legend(text, each["metric"]) for text, each in found})[:8])
    svg = f'<svg viewBox="0 0 100 100" preserveAspectRatio=none>{"".join(paths)}</svg>'
    return (
        f"{svg}<small>0 to {_number(str(top))}; {html.escape(legend)}</small>"
        if found
        else "no data"
    )


def _legend(text: str, labels: dict[str, str]) -> str:
    for name, value in labels.items():
        text = text.replace(f"{{{{{name}}}}}", value)
    return text


def _number(text: str) -> str:
    return f"{float(text):.3g}"


if __name__ == "__main__":
    for name, board in BOARDS.items():
        Path(sys.argv[2], f"{name}.html").write_text(draw(Api(sys.argv[1]), board))
