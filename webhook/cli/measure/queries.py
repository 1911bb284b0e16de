"""PromQL over dcgm-exporter's own series: no rule needs to be installed.

One device is node + UUID + GPU_I_ID, and the max of its series: docs/monitoring.md says why.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
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
_HOLDS: Final = f'__name__=~"{ACTIVE}|{FALLBACK}|{USED}"'
HOLDERS: Final = " or ".join(f"group by ({','.join((*_DEVICE, *pod))}) ({{{_HOLDS},{held}}})"
                             for held, pod in _HELD.items())  # fmt: skip
KV_CACHE: Final = ("vllm:kv_cache_usage_perc", "vllm:gpu_cache_usage_perc", "sglang:token_usage")


_Text = Callable[[str], str]
"""What a query says of the series that also have some matchers."""


@dataclass(frozen=True, slots=True)
class GpuPart:
    """Some GPUs in a window.

    `active` is the metric of activity that they have.
    """

    active: str
    uuids: Sequence[str]
    window: str

    def series(self, name: str, held: str) -> str:
        """Return the selector of one metric."""
        return f'{name}{{UUID=~"{"|".join(self.uuids)}"{"," if held else ""}{held}}}'

    def over(self, function: str, name: str, span: str = "") -> _Text:
        """Return a function over time, of the whole window where no span is given."""
        return lambda held: f"{function}{self.series(name, held)}[{span or self.window}])"


def device_queries(part: GpuPart) -> Mapping[str, str]:
    """Return a query for each figure of devices, by its name."""

    def by_device(text: _Text) -> str:
        return _max_by(_DEVICE, text(""))

    def over_steps(function: str, text: _Text, step: str) -> str:
        return f"{function}({by_device(text)})[{part.window}:{step}])"

    used, free = (_max_by(_DEVICE, part.series(name, "")) for name in (USED, FREE))
    memory = f"max_over_time(({used} + {free})[{part.window}:1h])"
    return {**_figures(by_device, over_steps, part), "memory": memory}


def pod_queries(part: GpuPart) -> Mapping[str, str]:
    """Return a query for each figure of pods on devices, by its name.

    The steps of a series are read before the max: several times as fast, and a pod's are copies.
    """

    def by_pod(text: _Text) -> str:
        return " or ".join(_max_by((*_DEVICE, *pod), text(held)) for held, pod in _HELD.items())

    def over_steps(function: str, text: _Text, step: str) -> str:
        return by_pod(lambda held: f"{function}{text(held)}[{part.window}:{step}])")

    return _figures(by_pod, over_steps, part)


def kv_cache_query(window: str) -> str:
    """Return how full servers say that their KV cache was at most, by pod."""
    names = "|".join(KV_CACHE)
    return f'max by (namespace, pod) (max_over_time({{__name__=~"{names}"}}[{window}]))'


def _figures(
    grouped: Callable[[_Text], str], over_steps: Callable[[str, _Text, str], str], part: GpuPart
) -> Mapping[str, str]:
    """Only means of 5 minutes need every step: the rest is read from samples, faster."""
    active, over = part.active, part.over
    means, by_hour = (over("avg_over_time(", active, span) for span in (STEP, "1h"))
    return {
        "points": over_steps("count_over_time(", means, STEP),
        "active_p95": over_steps("quantile_over_time(0.95, ", means, STEP),
        "active_mean": grouped(over("avg_over_time(", active)),
        "active_max": grouped(over("max_over_time(", active)),
        "memory_max": grouped(over("max_over_time(", USED)),
        "memory_low": grouped(over("quantile_over_time(0.05, ", USED)),
        "hours": over_steps("count_over_time(", by_hour, "1h"),
    }


def _max_by(labels: Sequence[str], text: str) -> str:
    return f"max by ({', '.join(labels)}) ({text})"


def node_of(labels: Mapping[str, str]) -> str:
    """Return the node that labels name: old exporters say Hostname, new ones hostname."""
    return next((labels[name] for name in _NODE if labels.get(name)), "")
