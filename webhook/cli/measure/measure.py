"""Devices and pods of a window, a few hundred GPUs at a time."""

import math
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from webhook.cli.measure import queries
from webhook.cli.measure.prometheus import Prometheus, QueryTooLarge
from webhook.core.api import mig
from webhook.core.api.mig import Profile
from webhook.core.rightsizing.values import Device, DeviceKey, DeviceUse, PodName, merge_uses

_POINTS: Final = 14_000_000  # of a query: Prometheus refuses above 50 million samples in memory
_GPUS: Final = 250  # of a query: what is done shows, and what is refused is small
_STEP: Final = 300  # seconds
_UNITS: Final = {"m": 60, "h": 3600, "d": 86400, "w": 604800}
_UUID: Final = re.compile(r"[A-Za-z0-9-]+")
_SHORTEST, _LONGEST = 3600, 400 * 86400


Step = Callable[[int, int], None]
"""Told how many GPUs are done, of how many."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What a window gave. `end` is its last moment (Unix time), `window` as Prometheus has it."""

    window: str
    end: float
    devices: tuple[Device, ...]
    kv_cache: Mapping[PodName, float]


def parse_window(text: str) -> str:
    """Return a window such as `7d`.

    Raises:
        ValueError: it is none, or is shorter than an hour or longer than 400 days.
    """
    found = re.fullmatch(r"([1-9][0-9]{0,5})([mhdw])", text)
    if found is None or not _SHORTEST <= int(found[1]) * _UNITS[found[2]] <= _LONGEST:
        raise ValueError(f"{text!r} is no window; write for example 24h, 7d or 4w (1h to 400d)")
    return text


def seconds_of(window: str) -> int:
    """Return the length of a window in seconds."""
    return int(window[:-1]) * _UNITS[window[-1]]


def measure(source: Prometheus, window: str, end: float, told: Step) -> Measured:
    """Return all devices that dcgm-exporter named in the window.

    Raises:
        Unavailable: Prometheus does not answer, or refuses a query even of one GPU.
    """
    since = end - seconds_of(window)
    profiled = frozenset(source.values_of("UUID", queries.ACTIVE, since, end))
    others = frozenset(source.values_of("UUID", queries.FALLBACK, since, end)) - profiled
    gpus = [(queries.ACTIVE, each) for each in sorted(profiled) if _UUID.fullmatch(each)]
    gpus += [(queries.FALLBACK, each) for each in sorted(others) if _UUID.fullmatch(each)]
    size = max(1, min(_GPUS, _POINTS * _STEP // seconds_of(window) // 7))
    devices: list[Device] = []
    done = 0
    while done < len(gpus):
        told(done, len(gpus))
        active = gpus[done][0]
        some = [uuid for name, uuid in gpus[done : done + size] if name == active]
        try:
            asked = queries.GpuPart(active, some, window)
            devices.extend(_measure_some(source, asked, end))
        except QueryTooLarge:
            if len(some) == 1:
                raise
            size = len(some) // 2
        else:
            done += len(some)
    full = source.query(queries.kv_cache_query(window), end)
    cache = {PodName(s.labels.get("namespace", ""), s.labels.get("pod", "")): s.value for s in full}
    return Measured(window, end, tuple(devices), cache)


def holders(source: Prometheus, at: float) -> Mapping[DeviceKey, frozenset[PodName]]:
    """Return the pods that the exporter names on each device at a moment.

    Raises:
        Unavailable: Prometheus does not answer, or refuses the query.
    """
    found: dict[DeviceKey, set[PodName]] = defaultdict(set)
    for each in source.query(queries.HOLDERS, at):
        found[_key(each.labels)].add(_pod(each.labels))
    return {key: frozenset(pods) for key, pods in found.items()}


def _measure_some(source: Prometheus, asked: queries.GpuPart, end: float) -> Iterator[Device]:
    scale = 1.0 if asked.active == queries.ACTIVE else 0.01
    by_device = _ask(source, queries.device_queries(asked), end)
    by_pod = _ask(source, queries.pod_queries(asked), end)
    pods: dict[DeviceKey, dict[PodName, DeviceUse]] = defaultdict(dict)
    for labels, figures in by_pod:
        key, pod = _key(labels), _pod(labels)
        pods[key][pod] = merge_uses(pods[key].get(pod), _use(figures, scale))
    found: dict[DeviceKey, Device] = {}
    for labels, figures in by_device:
        key, before = _key(labels), found.get(_key(labels))
        use = merge_uses(before.use if before else None, _use(figures, scale))
        memory = max(figures.get("memory", 0.0), (before and before.memory) or 0.0) or None
        product = "-".join(labels.get("modelName", "").split())
        profile = _profile(labels.get("GPU_I_PROFILE", ""))
        found[key] = Device(key, product, profile, memory, use, pods.get(key, {}))
    cut = {(key.node, key.uuid) for key in found if key.instance}
    for key, device in sorted(found.items()):
        if key.instance or (key.node, key.uuid) not in cut:
            yield device


_Labelled = tuple[Mapping[str, str], Mapping[str, float]]


def _ask(source: Prometheus, asked: Mapping[str, str], end: float) -> Iterator[_Labelled]:
    """Yield the figures of each set of labels."""
    found: dict[frozenset[tuple[str, str]], dict[str, float]] = defaultdict(dict)
    for figure, text in asked.items():
        for sample in source.query(text, end):
            if math.isfinite(sample.value):
                found[frozenset(sample.labels.items())][figure] = sample.value
    for labels, figures in found.items():
        yield dict(labels), figures


def _key(labels: Mapping[str, str]) -> DeviceKey:
    return DeviceKey(queries.node_of(labels), labels.get("UUID", ""), labels.get("GPU_I_ID", ""))


def _pod(labels: Mapping[str, str]) -> PodName:
    prefix = "exported_" if labels.get("exported_pod") else ""
    return PodName(labels.get(f"{prefix}namespace", ""), labels.get(f"{prefix}pod", ""))


def _profile(text: str) -> Profile | None:
    try:
        return mig.parse_profile(text) if text else None
    except mig.ProfileError:
        return None


def _use(figures: Mapping[str, float], scale: float) -> DeviceUse:
    def ratio(name: str) -> float | None:
        found = figures.get(name)
        return None if found is None else found * scale

    return DeviceUse(
        points=int(figures.get("points", 0)),
        hours=figures.get("hours", 0.0),
        active_p95=ratio("active_p95"),
        active_mean=ratio("active_mean"),
        active_max=ratio("active_max"),
        memory_max=figures.get("memory_max"),
        memory_low=figures.get("memory_low"),
    )
