"""PromQL over dcgm-exporter's own series: no rule needs to be installed.

One device is node + UUID + GPU_I_ID, and the max of its series: docs/monitoring.md says why.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

ACTIVE, FALLBACK = "DCGM_FI_PROF_GR_ENGINE_ACTIVE", "DCGM_FI_DEV_GPU_UTIL"
USED, FREE = "DCGM_FI_DEV_FB_USED", "DCGM_FI_DEV_FB_FREE"
STEP: Final = "5m"
_NODE: Final = ("Hostname", "hostname", "node")
_DEVICE: Final = ("UUID", "GPU_I_ID", "GPU_I_PROFILE", "modelName", *_NODE)
_EXPORTER: Final = ".*dcgm-exporter.*"
"""With honorLabels the pod is in `pod`, which of a free device is the exporter's own."""
_HELD: Final = {
    'exported_pod!=""': ("exported_namespace", "exported_pod"),
    f'exported_pod="",pod!="",pod!~"{_EXPORTER}",container!~"{_EXPORTER}"': ("namespace", "pod"),
}
KV_CACHE: Final = ("vllm:kv_cache_usage_perc", "vllm:gpu_cache_usage_perc", "sglang:token_usage")


def device_queries(active: str, uuids: Sequence[str], window: str) -> Mapping[str, str]:
    """Return a query for each figure of devices.

    `active` is the metric that these GPUs have.
    """

    def by_device(text: Callable[[str], str]) -> str:
        return _max_by(_DEVICE, text(""))

    used, free = (_max_by(_DEVICE, f"{name}{_selector(uuids, '')}") for name in (USED, FREE))
    return {
        **_figures(by_device, active, uuids, window),
        "memory": f"max_over_time(({used} + {free})[{window}:1h])",
    }


def pod_queries(active: str, uuids: Sequence[str], window: str) -> Mapping[str, str]:
    """Return a query for each figure of pods on devices, by its name."""

    def by_pod(text: Callable[[str], str]) -> str:
        return " or ".join(_max_by((*_DEVICE, *pod), text(held)) for held, pod in _HELD.items())

    return _figures(by_pod, active, uuids, window)


def kv_cache_query(window: str) -> str:
    """Return how full servers say that their KV cache was at most, by pod."""
    names = "|".join(KV_CACHE)
    return f'max by (namespace, pod) (max_over_time({{__name__=~"{names}"}}[{window}]))'


_Grouped = Callable[[Callable[[str], str]], str]
"""Joins what a query says of the series of devices, or of the pods on them."""


def _figures(
    grouped: _Grouped, active: str, uuids: Sequence[str], window: str
) -> Mapping[str, str]:
    """Only means of 5 minutes need every step: the rest is read from samples, faster."""

    def over(function: str, name: str, span: str = window) -> str:
        return grouped(lambda held: f"{function}{name}{_selector(uuids, held)}[{span}])")

    means, by_hour = (over("avg_over_time(", active, span) for span in (STEP, "1h"))
    return {
        "points": f"count_over_time(({means})[{window}:{STEP}])",
        "active_p95": f"quantile_over_time(0.95, ({means})[{window}:{STEP}])",
        "active_mean": over("avg_over_time(", active),
        "active_max": over("max_over_time(", active),
        "memory_max": over("max_over_time(", USED),
        "memory_low": over("quantile_over_time(0.05, ", USED),
        "hours": f"count_over_time(({by_hour})[{window}:1h])",
    }


def _selector(uuids: Sequence[str], held: str) -> str:
    return f'{{UUID=~"{"|".join(uuids)}"{"," if held else ""}{held}}}'


def _max_by(labels: Sequence[str], text: str) -> str:
    return f"max by ({', '.join(labels)}) ({text})"


def node_of(labels: Mapping[str, str]) -> str:
    """Return the node that labels name: old exporters say Hostname, new ones hostname."""
    return next((labels[name] for name in _NODE if labels.get(name)), "")
