"""What a pod takes of physical GPUs, before and after a decision: an estimate for people.

Nothing here decides. A fraction counts what the device leaves for others: a slice by its compute
or memory, whichever is more; a share by the replicas that its GPU is divided into.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from webhook.core.admit import Verdict
from webhook.core.api import mig, names
from webhook.core.api.model import Ask, Inventory, Offer, Role

# Compute slices of a whole GPU where that is not seven (NVIDIA MIG User Guide, "Supported MIG
# Profiles").
_USUAL_SLICES: Final = 7
_SLICES: Final = {
    4: ("A30", "A30X", "RTX-PRO-6000"),
    2: ("RTX-PRO-5000", "RTX-PRO-4500", "RTX-PRO-6000D", "RTX-6000D"),
}
_GPU_MEMORY: Final = names.GPU + names.MEMORY_SUFFIX


@dataclass(frozen=True, slots=True)
class Usage:
    """Devices by strategy, and the GPUs that they amount to; `gpus` may be a fraction."""

    gpus: float = 0.0
    devices: Mapping[str, int] = field(default_factory=dict)


def fraction(offer: Offer, labels: Mapping[str, str]) -> float:
    """Which part of a physical GPU one device of the offer is; `labels` are its node's.

    | offer | part |
    |---|---|
    | a whole GPU | 1 |
    | an MPS or time-sliced replica | 1 by the number of replicas |
    | a MIG device | the larger of its compute and memory by the whole GPU's |
    | a replica of a MIG device | that by the number of replicas |
    """
    part = 1.0
    if offer.profile is not None:
        part = max(offer.profile.slices / _slices(offer.product), _memory(offer, labels))
    return min(part, 1.0) / max(offer.replicas, 1)


def _slices(product: str) -> int:
    for slices, tokens in _SLICES.items():
        if any(mig.is_product(token, product) for token in tokens):
            return slices
    return _USUAL_SLICES


def _memory(offer: Offer, labels: Mapping[str, str]) -> float:
    """By memory; under mig.strategy=single `gpu.memory` is the slice's and tells nothing."""
    whole = labels.get(_GPU_MEMORY, "")
    mixed = offer.memory_label != _GPU_MEMORY
    return (offer.total or 0) / int(whole) if mixed and whole.isdecimal() and int(whole) else 0.0


def held(asks: Iterable[Ask], offers: Iterable[Offer], labels: Mapping[str, str]) -> float:
    """The GPUs that a pod's asks hold on a node that offers these; what it lacks counts whole."""
    parts = {offer.resource: fraction(offer, labels) for offer in offers}
    return _together((ask, parts.get(ask.resource, 1.0)) for ask in asks)


def asked(asks: Iterable[Ask]) -> float:
    """The GPUs that asks take where each is a whole one."""
    return _together((ask, 1.0) for ask in asks)


def after(verdict: Verdict, inventory: Inventory) -> Usage:
    """What the pod of a verdict takes as decided; nothing where it is refused."""
    if not verdict.allowed or not verdict.given:
        return Usage()
    parts = {
        each.ask: fraction(each.offer, labels_of(each.offer, inventory)) for each in verdict.given
    }
    devices: Counter[str] = Counter()
    for each in verdict.given:
        devices[each.offer.strategy.value] += each.ask.count
    return Usage(_together(parts.items()), dict(devices))


def labels_of(offer: Offer, inventory: Inventory) -> Mapping[str, str]:
    """The labels of a node that has the offer; empty where none does, as for a declared pool."""
    for shape in inventory.shapes:
        if offer in shape.offers and shape.nodes:
            return shape.nodes[0].labels
    return {}


def _together(parts: Iterable[tuple[Ask, float]]) -> float:
    """Init containers run before the others, so the larger of the two counts."""
    first = later = 0.0
    for ask, part in parts:
        if ask.place.role is Role.INIT:
            first = max(first, ask.count * part)
        else:
            later += ask.count * part
    return max(first, later)
