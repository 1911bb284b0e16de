"""PromQL over dcgm-exporter's own series: no rule needs to be installed.

One device is node + UUID + GPU_I_ID, and the max of its series: docs/monitoring.md says why.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from webhook.core.rightsizing.values import PodName

ACTIVE, FALLBACK = "DCGM_FI_PROF_GR_ENGINE_ACTIVE", "DCGM_FI_DEV_GPU_UTIL"
USED, FREE = "DCGM_FI_DEV_FB_USED", "DCGM_FI_DEV_FB_FREE"
STEP: Final = "5m"
_NODE: Final = ("Hostname", "hostname", "node")
_DEVICE: Final = ("UUID", "GPU_I_ID", "GPU_I_PROFILE", "modelName", *_NODE)
_SERIES: Final = (*_DEVICE, "exported_namespace", "exported_pod", "namespace", "pod", "container")
_EXPORTER: Final = "dcgm-exporter"
"""Of a free device `pod` is the exporter's own, or `exported_pod` after a federation."""
HOLDERS: Final = f'group by ({", ".join(_SERIES)}) ({{__name__=~"{ACTIVE}|{FALLBACK}|{USED}"}})'
KV_CACHE: Final = ("vllm:kv_cache_usage_perc", "vllm:gpu_cache_usage_perc", "sglang:token_usage")


@dataclass(frozen=True, slots=True)
class GpuPart:
    """Some GPUs in a window.

    `active` is the metric of activity that they have.
    """

    active: str
    uuids: Sequence[str]
    window: str

    def series(self, name: str) -> str:
        """Return the selector of one metric."""
        return f'{name}{{UUID=~"{"|".join(self.uuids)}"}}'

    def over(self, function: str, name: str, span: str = "") -> str:
        """Return a function of one metric over a span, else over the window."""
        return f"{function}{self.series(name)}[{span or self.window}])"


def series_queries(part: GpuPart) -> Mapping[str, str]:
    """Return a query for each figure of series: devices with a pod or without.

    The steps of a series are read before the max: three times as fast as after it.
    """
    used, free = (part.over("last_over_time(", name) for name in (USED, FREE))
    over = _figures(part, lambda function, text, step: f"{function}{text}[{part.window}:{step}])")
    return {
        name: _max_by(_SERIES, text)
        for name, text in {**over, "memory": f"{used} + {free}"}.items()
    }


def device_queries(part: GpuPart) -> Mapping[str, str]:
    """Return a query for each figure of devices that had several series at once."""

    def over_steps(function: str, text: str, step: str) -> str:
        return f"{function}({_by_device('max', text)})[{part.window}:{step}])"

    return {name: _by_device("max", text) for name, text in _figures(part, over_steps).items()}


def several_query(part: GpuPart) -> str:
    """Return a query for devices that had several series at once.

    It looks every 37 minutes, so that what happens every hour is seen, and a moment is none.
    """
    now = _by_device("count", part.series(part.active))
    return f"count_over_time(({now} > 1)[{part.window}:37m]) > 1"


def kv_cache_query(window: str) -> str:
    """Return how full servers say that their KV cache was at most, by pod."""
    names = "|".join(KV_CACHE)
    return f'max by (namespace, pod) (max_over_time({{__name__=~"{names}"}}[{window}]))'


def _figures(part: GpuPart, over_steps: Callable[[str, str, str], str]) -> Mapping[str, str]:
    """Only means of 5 minutes need every step: the rest is read from samples, faster."""
    means, by_hour = (part.over("avg_over_time(", part.active, span) for span in (STEP, "1h"))
    return {
        "points": over_steps("count_over_time(", means, STEP),
        "active_p95": over_steps("quantile_over_time(0.95, ", means, STEP),
        "active_mean": part.over("avg_over_time(", part.active),
        "active_max": part.over("max_over_time(", part.active),
        "memory_max": part.over("max_over_time(", USED),
        "memory_low": part.over("quantile_over_time(0.05, ", USED),
        "hours": over_steps("count_over_time(", by_hour, "1h"),
    }


def _max_by(labels: Sequence[str], text: str) -> str:
    return f"max by ({', '.join(labels)}) ({text})"


def _by_device(function: str, text: str) -> str:
    """Two exporters of one node may say its name in two labels."""
    for label in _NODE[:2]:
        text = f'label_replace({text}, "node", "$1", "{label}", "(.+)")'
    return f"{function} by (node, UUID, GPU_I_ID) ({text})"


def node_of(labels: Mapping[str, str]) -> str:
    """Return the node that labels name: old exporters say Hostname, new ones hostname."""
    return next((labels[name] for name in _NODE if labels.get(name)), "")


def holder_of(labels: Mapping[str, str]) -> PodName | None:
    """Return the pod that labels name on a device, None where nobody holds it."""
    for prefix in ("exported_", ""):
        if pod := labels.get(f"{prefix}pod"):
            exporter = _EXPORTER in pod or (not prefix and _EXPORTER in labels.get("container", ""))
            return None if exporter else PodName(labels.get(f"{prefix}namespace", ""), pod)
    return None
