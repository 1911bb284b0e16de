"""Measured devices and pods, and what a pod template requests. Memory is in MiB."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from webhook.core.api.mig import Profile
from webhook.core.api.workload import Workload
from webhook.core.gpu.strategies import Strategy


@dataclass(frozen=True, slots=True, order=True)
class DeviceKey:
    """One device: `uuid` is its GPU's, `instance` the GPU_I_ID of a MIG device, else empty."""

    node: str
    uuid: str
    instance: str = ""


DeviceKind = tuple[str, Profile | None]
"""A node and a MIG profile, None for its whole GPUs."""
SharedKinds = frozenset[DeviceKind]
"""Those that several pods have at once."""


@dataclass(frozen=True, slots=True, order=True)
class PodName:
    """A pod by its namespace and name, also one that is gone."""

    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class DeviceUse:
    """What was measured in a window. None is unknown, not zero.

    `points` are 5-minute means, `hours` the hours that have a point. `active` is the share of
    time in which a kernel ran, of the device: 95th percentile of the 5-minute means, and mean and
    highest of the samples. `memory_low` is the 5th percentile of the memory.
    """

    points: int = 0
    hours: float = 0.0
    active_p95: float | None = None
    active_mean: float | None = None
    active_max: float | None = None
    memory_max: float | None = None
    memory_low: float | None = None


def merge_uses(first: DeviceUse | None, second: DeviceUse) -> DeviceUse:
    """Return two uses of one device or pod, one after the other, as one.

    Series end and begin anew when an exporter is upgraded. The higher 95th percentile counts:
    that of both cannot be told from two.
    """
    if first is None:
        return second
    points = first.points + second.points
    means = [(each.active_mean, each.points) for each in (first, second)]
    known = [(mean, weight) for mean, weight in means if mean is not None]
    weights = sum(weight for _, weight in known)
    return DeviceUse(
        points=points,
        hours=first.hours + second.hours,
        active_p95=_most(first.active_p95, second.active_p95),
        active_mean=sum(mean * weight for mean, weight in known) / weights if weights else None,
        active_max=_most(first.active_max, second.active_max),
        memory_max=_most(first.memory_max, second.memory_max),
        memory_low=min(
            (m for m in (first.memory_low, second.memory_low) if m is not None), default=None
        ),
    )


def _most(first: float | None, second: float | None) -> float | None:
    return max((each for each in (first, second) if each is not None), default=None)


@dataclass(frozen=True, slots=True)
class Device:
    """A GPU or MIG device, what it did, and the pods named on it.

    `product` is as the node label spells it, `memory` all that it has.
    """

    key: DeviceKey
    product: str
    profile: Profile | None
    memory: float | None
    use: DeviceUse
    pods: Mapping[PodName, DeviceUse] = field(default_factory=dict)

    @property
    def kind(self) -> DeviceKind:
        """What tells which of the node's offers it is."""
        return self.key.node, self.profile


def merge_devices(first: Device, second: Device) -> Device:
    """Return one device under two names of its node as one, by its first name."""
    uses = {
        pod: merge_uses(first.pods.get(pod), second.pods[pod]) if pod in second.pods else use
        for pod, use in {**second.pods, **first.pods}.items()
    }
    memory = _most(first.memory, second.memory)
    return replace(first, memory=memory, use=merge_uses(first.use, second.use), pods=uses)


def with_use(device: Device, use: DeviceUse) -> Device:
    """Return a device with its own use, which bounds the time of its pods."""
    pods = {
        pod: replace(each, points=min(each.points, use.points), hours=min(each.hours, use.hours))
        for pod, each in device.pods.items()
    }
    return replace(device, use=use, pods=pods)


class ReservingServer(StrEnum):
    """A program that reserves GPU memory when it starts."""

    VLLM = "vLLM"
    SGLANG = "SGLang"
    TGI = "text-generation-inference"
    TRITON = "Triton"
    TENSORRT_LLM = "TensorRT-LLM"
    NIM = "NIM"
    TENSORFLOW = "TensorFlow"
    JAX = "JAX"
    UNKNOWN = "an unknown program"


@dataclass(frozen=True, slots=True)
class Reservation:
    """Memory that says nothing of need. `setting` is what sets it."""

    server: ReservingServer
    setting: str


@dataclass(frozen=True, slots=True)
class TemplateRequest:
    """Equal pods: what they are for, request, hold, and what a person wrote for them.

    `gpus` is for one pod, `held` all that its pods hold in physical GPUs. `written_memory` and
    `written_profile` are the annotations of the template. `strategy` is how its running pods have
    their devices, None where none runs. `kv_cache` is the fullest that a server's own metrics
    said of its KV cache, 0 to 1; `weights` the memory of its model, where it is known.
    """

    namespace: str
    kind: str
    name: str
    workload: Workload
    tenant: str | None
    pods: int
    gpus: int
    held: float
    strategy: Strategy | None
    written_memory: int | None = None
    written_profile: Profile | None = None
    reservation: Reservation | None = None
    kv_cache: float | None = None
    weights: int | None = None
    template: str = ""
