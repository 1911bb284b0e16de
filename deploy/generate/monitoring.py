"""The rules for Prometheus, plain and as a PrometheusRule, from deploy/monitoring/source."""

import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from webhook.cli.prices import load_prices

_SOURCE: Final = Path(__file__).parents[1] / "monitoring" / "source"
_MATCH: Final = "{node=%q,UUID=%q,GPU_I_ID=%q}` $labels.node $labels.UUID $labels.GPU_I_ID | query"
_TEXTS: Final = {
    "@device": "{{ $labels.modelName }}{{ with $labels.GPU_I_PROFILE }} slice {{ . }}{{ end }} "
    "({{ $labels.UUID }}{{ with $labels.GPU_I_ID }} instance {{ . }}{{ end }}) "
    "on {{ $labels.node }}",
    "@gpu": "{{ $labels.modelName }} ({{ $labels.UUID }}) on {{ $labels.node }}",
    "@percent": "{{ $value | humanizePercentage }}",
    "@holders": "Held by{{ range printf `device_pod:gpu_held:bool"
    + _MATCH
    + " | sortByLabel `pod` }} "
    "{{ .Labels.namespace }}/{{ .Labels.pod }}{{ end }}.",
    "@cost": "{{ range printf `device:gpu_cost:usd_per_hour" + _MATCH + " }}"
    'It costs {{ .Value | printf "%.2f" }} USD an hour.{{ end }}',
    "@affected": "Pods on it:{{ range printf `device_pod:gpu_held:bool{node=%q,UUID=%q}` "
    "$labels.node $labels.UUID | query | sortByLabel `pod` }} "
    "{{ .Labels.namespace }}/{{ .Labels.pod }}{{ end }}.",
}
"""What stands in descriptions for a device, its holders and its price."""
_HEADING: Final = "# Made from deploy/monitoring/source by `make generate`: change that.\n"


def plain_rules() -> str:
    """Return deploy/monitoring/rules.yaml, for rule_files of Prometheus."""
    return _HEADING + _groups()


def prometheus_rule() -> str:
    """Return deploy/monitoring/prometheusrule.yaml, for the Prometheus Operator."""
    return (
        f"{_HEADING}apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\n"
        "metadata:\n  name: gpu-sharing\n  labels:\n    app.kubernetes.io/name: gpu-sharing\n"
        f"spec:\n{textwrap.indent(_groups(), '  ')}"
    )


def _groups() -> str:
    texts = [(_SOURCE / name).read_text(encoding="utf-8") for name in ("gpus.yaml", "webhook.yaml")]
    bodies = [text.partition("groups:\n")[2] for text in texts]
    whole = "groups:\n" + "".join(_prices()) + "".join(bodies)
    for mark, text in _TEXTS.items():
        whole = whole.replace(mark, text)
    return whole


def _prices() -> Iterator[str]:
    yield (
        "# On-demand prices of clouds, the lowest of each product. Replace them by your own:\n"
        "# docs/monitoring.md, Prices.\n"
        "- name: gpu-sharing.prices\n  rules:\n"
    )
    for each in load_prices().values():
        yield (
            f"  - record: product:gpu_price:usd_per_hour\n    expr: vector({each.usd_per_hour})\n"
            f"    labels:\n      product: {each.product}\n      source: {each.source}\n"
            f'      as_of: "{each.as_of}"\n'
        )
