"""Devices and pods of a window, a few hundred GPUs at a time."""

import math
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from webhook.cli.measure import queries
from webhook.cli.measure.prometheus import Prometheus, QueryTooLarge
from webhook.core.api import mig
from webhook.core.api.mig import Profile
from webhook.core.rightsizing.values import (
    Device,
    DeviceKey,
    DeviceUse,
    PodName,
    SharedKinds,
    merge_devices,
    with_use,
)

_POINTS: Final = 14_000_000  # of a query: Prometheus refuses above 50 million samples in memory
_GPUS: Final = 250  # of a query: what is done shows, and what is refused is small
_STEP: Final = 300  # seconds
_UNITS: Final = {"m": 60, "h": 3600, "d": 86400, "w": 604800}
_UUID: Final = re.compile(r"[A-Za-z0-9-]+")
_SHORTEST, _LONGEST = 3600, 400 * 86400


Step = Callable[[int, int], None]
"""Told how many GPUs are done, of how many."""


@dataclass(frozen=True, slots=True)
class Scope:
    """A window, its last moment (Unix time), and the kinds of shared devices."""

    window: str
    end: float
    shared: SharedKinds = frozenset()


@dataclass(frozen=True, slots=True)
class Measured:
    """What a window gave."""

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


def measure(source: Prometheus, scope: Scope, step: Step) -> Measured:
    """Return all devices that dcgm-exporter named in the window.

    Raises:
        Unavailable: Prometheus does not answer, or refuses a query even of one GPU.
    """
    window, end = scope.window, scope.end
    gpus = _gpus(source, end - seconds_of(window), end)
    size = max(1, min(_GPUS, _POINTS * _STEP // seconds_of(window) // 7))
    devices: list[Device] = []
    done = 0
    while done < len(gpus):
        step(done, len(gpus))
        active = gpus[done][0]
        some = [uuid for name, uuid in gpus[done : done + size] if name == active]
        try:
            asked = queries.GpuPart(active, some, window)
            devices.extend(_measure_some(source, asked, scope))
        except QueryTooLarge:
            if len(some) == 1:
                raise
            size = len(some) // 2
        else:
            done += len(some)
    full = source.query(queries.kv_cache_query(window), end)
    cache = {PodName(s.labels.get("namespace", ""), s.labels.get("pod", "")): s.value for s in full}
    return Measured(window, end, tuple(devices), cache)


def _gpus(source: Prometheus, since: float, end: float) -> list[tuple[str, str]]:
    """The UUIDs of all GPUs, each after the metric that tells of its work."""
    active, fallback, used = (
        frozenset(source.values_of("UUID", name, since, end))
        for name in (queries.ACTIVE, queries.FALLBACK, queries.USED)
    )
    named = {queries.ACTIVE: active, queries.FALLBACK: (fallback | used) - active}
    return [(name, u) for name, uuids in named.items() for u in sorted(uuids) if _UUID.fullmatch(u)]


def holders(source: Prometheus, at: float) -> Mapping[DeviceKey, frozenset[PodName]]:
    """Return the pods that the exporter names on each device at a moment.

    Raises:
        Unavailable: Prometheus does not answer, or refuses the query.
    """
    found: dict[DeviceKey, set[PodName]] = defaultdict(set)
    for each in source.query(queries.HOLDERS, at):
        if pod := queries.holder_of(each.labels):
            found[_key(each.labels)].add(pod)
    return {key: frozenset(pods) for key, pods in found.items()}


def _measure_some(source: Prometheus, asked: queries.GpuPart, scope: Scope) -> Iterator[Device]:
    found = _by_series(source, asked, scope.end)
    several = {_key(each.labels) for each in source.query(queries.several_query(asked), scope.end)}
    several |= {
        key for key, each in found.items() if len(each.pods) > 1 and each.kind in scope.shared
    }
    if several:
        part = replace(asked, uuids=sorted({key.uuid for key in several}))
        for labels, figures in _ask(source, queries.device_queries(part), scope.end):
            key = _key(labels)
            found[key] = with_use(found[key], _use(figures, asked))
    cut = {(key.node, key.uuid) for key in found if key.instance}
    for key, device in sorted(found.items()):
        if key.instance or device.pods or (key.node, key.uuid) not in cut:
            yield device


def _by_series(source: Prometheus, asked: queries.GpuPart, end: float) -> dict[DeviceKey, Device]:
    """Return devices as their series make them, one after another."""
    found: dict[DeviceKey, Device] = {}
    for labels, figures in _ask(source, queries.series_queries(asked), end):
        key, use, pod = _key(labels), _use(figures, asked), queries.holder_of(labels)
        product = "-".join(labels.get("modelName", "").split())
        profile = _profile(labels.get("GPU_I_PROFILE", ""))
        pods = {pod: use} if pod else {}
        one = Device(key, product, profile, figures.get("memory"), use, pods)
        found[key] = merge_devices(found[key], one) if key in found else one
    return found


_Labelled = tuple[Mapping[str, str], Mapping[str, float]]


def _ask(source: Prometheus, asked: Mapping[str, str], end: float) -> Iterator[_Labelled]:
    """Yield the figures of each set of labels."""
    found: dict[frozenset[tuple[str, str]], dict[str, float]] = defaultdict(dict)
    answers = source.query_all(list(asked.values()), end)
    for figure, samples in zip(asked, answers, strict=True):
        for sample in samples:
            if math.isfinite(sample.value):
                found[frozenset(sample.labels.items())][figure] = sample.value
    for labels, figures in found.items():
        yield dict(labels), figures


def _key(labels: Mapping[str, str]) -> DeviceKey:
    return DeviceKey(queries.node_of(labels), labels.get("UUID", ""), labels.get("GPU_I_ID", ""))


def _profile(text: str) -> Profile | None:
    try:
        return mig.parse_profile(text) if text else None
    except mig.ProfileError:
        return None


def _use(figures: Mapping[str, float], asked: queries.GpuPart) -> DeviceUse:
    scale = 1.0 if asked.active == queries.ACTIVE else 0.01

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
