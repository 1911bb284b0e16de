"""What a workload needs, from what it used."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from webhook.core.pools.catalog import GpuModel
from webhook.core.rightsizing.join import Evidence
from webhook.core.rightsizing.reservation import measured_reservation
from webhook.core.rightsizing.values import Device, DeviceUse, Reservation, TemplateRequest

HEADROOM: Final = 1.2
LEAST_HOURS: Final = 24
LEAST_POINTS: Final = 100
IDLE: Final = 0.05
"""A device that is less active than this in every sample of the window is idle."""


@dataclass(frozen=True, slots=True)
class Need:
    """What one GPU request of a workload needs.

    `memory` is in MiB, None where it is not known. `compute` is a share of a whole GPU. `peak` is
    the memory that was seen, `p95` the activity of the busiest device. `by_model`: the memory is
    estimated from the model alone.
    """

    points: int
    hours: float
    product: str
    memory: int | None
    compute: float | None
    peak: float | None = None
    p95: float | None = None
    idle: bool = False
    reservation: Reservation | None = None
    by_model: bool = False

    @property
    def is_enough(self) -> bool:
        """Whether there is enough data to recommend anything."""
        return self.hours >= LEAST_HOURS and self.points >= LEAST_POINTS

    @property
    def missing(self) -> str:
        """What is missing, for people."""
        return (
            f"{self.hours:.0f} hours and {self.points} points of 5 minutes were measured; "
            f"{LEAST_HOURS} hours and {LEAST_POINTS} points are needed"
        )


def measure_need(request: TemplateRequest, evidence: Evidence, model: GpuModel) -> Need:
    """Return the need of a workload's busiest pod, from devices of its own.

    Memory cannot be squeezed: its maximum counts, and a fifth. Compute is the 95th percentile of
    5-minute means, of the device's part of a GPU, and a fifth. Memory that a server reserved at
    start is no need; what is known of its model and its cache takes its place.
    """
    uses = [known_use(device, use) for device, use in evidence.own]
    peak = max((use.memory_max for use in uses if use.memory_max is not None), default=None)
    parts = [
        (use.active_p95 * slices_of(device, model), use.active_p95)
        for (device, _), use in zip(evidence.own, uses, strict=True)
        if use.active_p95 is not None
    ]
    compute = max((part for part, _ in parts), default=None)
    reservation = request.reservation or _seen(evidence)
    return Need(
        points=sum(use.points for use in uses),
        hours=_hours(uses, request.pods),
        product=model.product,
        memory=_memory(request, reservation, peak),
        compute=None if compute is None else compute * HEADROOM,
        peak=peak,
        p95=max((p95 for _, p95 in parts), default=None),
        idle=is_idle(uses),
        reservation=reservation,
        by_model=reservation is not None and request.kv_cache is None,
    )


def known_use(device: Device, use: DeviceUse) -> DeviceUse:
    """Return the use of a pod that is alone on its device.

    Zeros beside a busy device mean unknown.

    With virtual GPUs and without hostPID dcgm-exporter writes 0 for every pod. Whoever is alone
    on a device uses what the device does.
    """
    whole = device.use
    return replace(
        use,
        active_p95=use.active_p95 or whole.active_p95,
        active_mean=use.active_mean or whole.active_mean,
        active_max=use.active_max or whole.active_max,
        memory_max=use.memory_max or whole.memory_max,
        memory_low=use.memory_low if use.memory_max else whole.memory_low,
    )


def is_idle(uses: Iterable[DeviceUse]) -> bool:
    """Whether there is use, and every device was idle in every 5 minutes."""
    peaks = [use.active_max for use in uses]
    return bool(peaks) and all(each is not None and each < IDLE for each in peaks)


def slices_of(device: Device, model: GpuModel) -> float:
    """Return which share of the GPU's compute a device has."""
    if device.profile is None:
        return 1.0
    return device.profile.slices / (model.slices or 7)


def _hours(uses: list[DeviceUse], pods: int) -> float:
    """Hours of running: of pods one after another together, of replicas side by side once."""
    longest = max((use.hours for use in uses), default=0.0)
    return max(longest, sum(use.hours for use in uses) / max(pods, 1))


def _seen(evidence: Evidence) -> Reservation | None:
    for device, use in evidence.own:
        if found := measured_reservation(known_use(device, use), device.memory):
            return found
    return None


def _memory(
    request: TemplateRequest, reservation: Reservation | None, peak: float | None
) -> int | None:
    """The memory in MiB.

    | reserves | model's memory | KV cache | memory |
    |---|---|---|---|
    | no | - | - | the peak and a fifth |
    | yes | known | known | the model's and the fullest cache, and a fifth |
    | yes | known | - | the model's, as it is estimated for pods that say nothing |
    | yes | - | - | unknown |
    """
    if reservation is None:
        return None if peak is None else math.ceil(peak * HEADROOM)
    if request.weights is None or (peak is not None and peak <= request.weights):
        return None
    if request.kv_cache is None or peak is None:
        return request.weights
    return math.ceil((request.weights + (peak - request.weights) * request.kv_cache) * HEADROOM)
