"""What a pod takes of physical GPUs before and after a decision, estimated.

Nothing here decides. A fraction counts what the device leaves for others: a slice by its compute
or memory, whichever is more; a share by the replicas that its GPU is divided into.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from webhook.core.api import mig
from webhook.core.api.containers import Role
from webhook.core.decision.values import GpuRequest
from webhook.core.gpu.values import Offer
from webhook.core.verdict import Verdict

# Compute slices of a whole GPU where that is not seven (NVIDIA MIG User Guide, "Supported MIG
# Profiles").
_USUAL_SLICES: Final = 7
_SLICES: Final = {
    4: ("A30", "A30X", "RTX-PRO-6000"),
    2: ("RTX-PRO-5000", "RTX-PRO-4500", "RTX-PRO-6000D", "RTX-6000D"),
}


@dataclass(frozen=True, slots=True)
class Usage:
    """Devices by strategy, and the GPUs that they amount to. `gpus` may be a fraction."""

    gpus: float = 0.0
    devices: Mapping[str, int] = field(default_factory=dict)


def fraction(offer: Offer) -> float:
    """Return which part of a physical GPU one device of the offer is.

    | offer | part |
    |---|---|
    | a whole GPU | 1 |
    | an MPS or time-sliced replica | 1 by the number of replicas |
    | a MIG device | the larger of its compute and memory by the whole GPU's |
    | a replica of a MIG device | that by the number of replicas |
    """
    part = 1.0
    if offer.profile is not None:
        part = max(offer.profile.slices / _slices(offer.product), _memory(offer))
    return min(part, 1.0) / max(offer.replicas, 1)


def _slices(product: str) -> int:
    for slices, tokens in _SLICES.items():
        if any(mig.is_product(token, product) for token in tokens):
            return slices
    return _USUAL_SLICES


def _memory(offer: Offer) -> float:
    """By memory, 0 where the node does not say how much the whole GPU has."""
    return (offer.total or 0) / offer.gpu_memory if offer.gpu_memory else 0.0


def held(requests: Iterable[GpuRequest], offers: Iterable[Offer]) -> float:
    """Return the GPUs that a pod holds on a node that offers these. What it lacks counts whole."""
    parts = {offer.resource: fraction(offer) for offer in offers}
    return _together((each, parts.get(each.resource, 1.0)) for each in requests)


def requested_gpus(requests: Iterable[GpuRequest]) -> float:
    """Return the GPUs that requests take where each is a whole one."""
    return _together((each, 1.0) for each in requests)


def after(verdict: Verdict) -> Usage:
    """Return what the pod of a verdict takes as decided, nothing where it is refused."""
    if not verdict.allowed or not verdict.allocations:
        return Usage()
    parts = [(each.request, fraction(each.offer)) for each in verdict.allocations]
    devices: Counter[str] = Counter()
    for each in verdict.allocations:
        devices[each.offer.strategy.value] += each.request.count
    return Usage(_together(parts), dict(devices))


def _together(parts: Iterable[tuple[GpuRequest, float]]) -> float:
    """Init containers run before the others, so the larger of the two counts."""
    first = later = 0.0
    for request, part in parts:
        if request.container.role is Role.INIT:
            first = max(first, request.count * part)
        else:
            later += request.count * part
    return max(first, later)
