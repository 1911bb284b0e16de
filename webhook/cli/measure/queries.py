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
    used, free = (_max_by(_DEVICE, _last(name, uuids)) for name in (USED, FREE))
    by_hour = _max_by(_DEVICE, _mean(active, uuids, "1h"))
    return {
        **_figures(_max_by(_DEVICE, _mean(active, uuids, STEP)), used, window),
        "hours": f"count_over_time(({by_hour})[{window}:1h])",
        "memory": f"max_over_time(({used} + {free})[{window}:1h])",
    }


def pod_queries(active: str, uuids: Sequence[str], window: str) -> Mapping[str, str]:
    """Return a query for each figure of pods on devices, by its name."""

    def by_pod(text: Callable[[str], str]) -> str:
        return " or ".join(_max_by((*_DEVICE, *pod), text(held)) for held, pod in _HELD.items())

    mean = by_pod(lambda held: _mean(active, uuids, STEP, held))
    used = by_pod(lambda held: _last(USED, uuids, held))
    by_hour = by_pod(lambda held: _mean(active, uuids, "1h", held))
    return {
        **_figures(mean, used, window),
        "hours": f"count_over_time(({by_hour})[{window}:1h])",
    }


def kv_cache_query(window: str) -> str:
    """Return how full servers say that their KV cache was at most, by pod."""
    names = "|".join(KV_CACHE)
    return f'max by (namespace, pod) (max_over_time({{__name__=~"{names}"}}[{window}]))'


def _figures(active: str, memory: str, window: str) -> Mapping[str, str]:
    steps = f"[{window}:{STEP}]"
    return {
        "points": f"count_over_time(({active}){steps})",
        "active_p95": f"quantile_over_time(0.95, ({active}){steps})",
        "active_mean": f"avg_over_time(({active}){steps})",
        "active_max": f"max_over_time(({active}){steps})",
        "memory_max": f"max_over_time(({memory}){steps})",
        "memory_low": f"quantile_over_time(0.05, ({memory}){steps})",
    }


def _mean(name: str, uuids: Sequence[str], span: str, held: str = "") -> str:
    return f"avg_over_time({name}{_selector(uuids, held)}[{span}])"


def _last(name: str, uuids: Sequence[str], held: str = "") -> str:
    return f"max_over_time({name}{_selector(uuids, held)}[{STEP}])"


def _selector(uuids: Sequence[str], held: str) -> str:
    return f'{{UUID=~"{"|".join(uuids)}"{"," if held else ""}{held}}}'


def _max_by(labels: Sequence[str], text: str) -> str:
    return f"max by ({', '.join(labels)}) ({text})"


def node_of(labels: Mapping[str, str]) -> str:
    """Return the node that labels name: old exporters say Hostname, new ones hostname."""
    return next((labels[name] for name in _NODE if labels.get(name)), "")
