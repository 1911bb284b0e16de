"""Devices that several pods have at once: what they do, and who is on them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from webhook.cli.measure.requests import offers_held
from webhook.core.api.node import Node
from webhook.core.rightsizing.values import Device, PodName

_FULL, _BUSY, _QUIET = 0.9, 0.9, 0.2
"""Of a shared device: memory, activity (p95), and the activity below which more pods fit."""


@dataclass(frozen=True, slots=True)
class SharedDevice:
    """A device that several pods have at once. What each of them uses is not known.

    `named` is false where the exporter may name one pod only, and `pods` are all that have a share
    of such a device there; `gpus` is how many of them that node has.
    """

    device: Device
    pods: tuple[PodName, ...]
    named: bool
    gpus: int
    text: str


def read_shared(
    device: Device,
    devices: Iterable[Device],
    nodes: Mapping[str, Node],
    live: Mapping[PodName, Mapping[str, object]],
) -> SharedDevice:
    """Return a shared device with the pods that are on it."""
    gpus = len({d.key for d in devices if d.kind == device.kind})
    here = [
        name
        for name, pod in live.items()
        if any(
            o.replicas > 1 and o.profile == device.profile for o in offers_held(dict(pod), nodes)
        )
        and (pod.get("spec") or {}).get("nodeName") == device.key.node  # type: ignore[attr-defined]
    ]
    named = len(device.pods) > 1 or not here
    pods = tuple(sorted(device.pods if named else {*device.pods, *here}))
    return SharedDevice(device, pods, named, gpus, _device_text(device))


def _device_text(device: Device) -> str:
    """What to do with a shared device, by its own memory and activity."""
    use = device.use
    full = (use.memory_max or 0) / device.memory if device.memory else 0.0
    if full > _FULL:
        return "its memory is almost full: fewer pods, or MPS or MIG, which limit each"
    if use.active_p95 is None:
        return "its activity is not known"
    if use.active_p95 > _BUSY:
        return "it is busy all the time: its pods wait for each other; give one a device of its own"
    if use.active_p95 < _QUIET:
        return "more replicas would fit"
    return "it is used as a shared device should be"
