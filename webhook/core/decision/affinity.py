"""A chosen offer -> the placement that makes its name mean what was chosen; chooses nothing."""

from collections.abc import Iterator
from dataclasses import dataclass

from webhook.core.api import names
from webhook.core.api.model import Inventory, NodeGroup, NodeRequirement, Offer, Strategy
from webhook.core.api.node import Taint
from webhook.core.decision.allowed import Candidate
from webhook.core.decision.select import Constraints, fits, place


@dataclass(frozen=True, slots=True)
class Chosen:
    """An offer for a want, and the shape it was found in."""

    want: Candidate
    offer: Offer
    shape: NodeGroup


def of_chosen(
    chosen: Chosen, terms: Constraints, inventory: Inventory
) -> tuple[NodeRequirement, ...]:
    """Return the pins for one ask.

    To the offer's own (see `offers`) come, only where they are needed:

    | why | pin |
    |---|---|
    | MIG under mig.strategy=single | gpu.product In [the products of that profile] |
    | name and strategy exist on products that the ask may not use | gpu.product In [the others] |
    | the pod needs memory | memory label Gt need-1; under MPS also gpu.replicas Lt replicas+1 |
    | some nodes belong to tenants, or may | gpu-sharing.io/tenant In [NAME], or DoesNotExist |

    They come from the whole inventory, not from what this pod can reach, so that running again
    on the rewritten pod gives the same.
    """
    pins = (
        *_products(chosen, terms, inventory),
        *chosen.offer.pins,
        *_memory(chosen.offer, terms),
        *_tenant(chosen.shape, terms, inventory),
    )
    return tuple(dict.fromkeys(pins))


def gpu_taints(chosen: Chosen, inventory: Inventory, keys: frozenset[str]) -> tuple[Taint, ...]:
    """The taints of these keys on nodes that offer the same to the same."""
    taints = (
        taint
        for shape, _ in _alike(chosen.offer, inventory)
        if shape.tenant == chosen.shape.tenant
        for taint in shape.taints
        if taint.key in keys
    )
    return tuple(sorted(set(taints), key=lambda t: (t.key, t.effect, t.value or "")))


def _alike(offer: Offer, inventory: Inventory) -> Iterator[tuple[NodeGroup, Offer]]:
    """What the offer's own pins cannot tell from it: the same name given the same way."""
    for shape in inventory.shapes:
        for other in shape.offers:
            if other.resource == offer.resource and other.strategy is offer.strategy:
                yield shape, other


def _products(
    chosen: Chosen, terms: Constraints, inventory: Inventory
) -> tuple[NodeRequirement, ...]:
    offer = chosen.offer
    single = offer.strategy is Strategy.MIG and offer.resource == names.GPU
    good: set[str] = set()
    narrow = single
    for _, other in _alike(offer, inventory):
        usable = place(chosen.want, other) is not None and fits(terms, other)
        if usable and (not single or other.profile == offer.profile):
            good.add(other.product)
        else:
            narrow = True
    return (NodeRequirement(names.GPU_PRODUCT, "In", tuple(sorted(good))),) if narrow else ()


def _memory(offer: Offer, terms: Constraints) -> tuple[NodeRequirement, ...]:
    if terms.memory is None or offer.total is None:
        return ()
    if offer.strategy is not Strategy.MPS:
        return (NodeRequirement(offer.memory_label, "Gt", (str(terms.memory - 1),)),)
    return (
        NodeRequirement(offer.memory_label, "Gt", (str(offer.total - 1),)),
        NodeRequirement(names.GPU_REPLICAS, "Lt", (str(offer.replicas + 1),)),
    )


def _tenant(
    shape: NodeGroup, terms: Constraints, inventory: Inventory
) -> tuple[NodeRequirement, ...]:
    if shape.tenant is not None:
        return (NodeRequirement(names.TENANT, "In", (shape.tenant,)),)
    pools = terms.shared_pools or any(each.tenant is not None for each in inventory.shapes)
    return (NodeRequirement(names.TENANT, "DoesNotExist"),) if pools else ()
