"""The node requirements and taints that make a selected offer's name mean what was selected."""

from collections.abc import Iterator

from webhook.core.api import names
from webhook.core.api.node import Taint
from webhook.core.decision.select import choice_index, fits
from webhook.core.decision.values import Search, Selection
from webhook.core.gpu.values import Inventory, NodeGroup, NodeRequirement, Offer


def requirements_for(selected: Selection, search: Search) -> tuple[NodeRequirement, ...]:
    """Return the node requirements of one selection.

    To those of the offer's form come, only where they are needed:

    | why | requirement |
    |---|---|
    | the form is of slices (mig.strategy=single) | product In [the products of that profile] |
    | name and strategy exist on products that it may not use | product In [the others] |
    | the pod needs memory | memory Gt need-1; where it is divided also replicas Lt replicas+1 |
    | some nodes belong to tenants, or may | gpu-sharing.io/tenant In [NAME], or DoesNotExist |

    They come from the whole inventory, not from what this pod can reach, so that running again
    on the rewritten pod gives the same.
    """
    found = (
        *_products(selected, search),
        *selected.offer.form.requirements,
        *_memory(selected.offer, search.question.constraints.memory),
        *_tenant(selected.group, search),
    )
    return tuple(dict.fromkeys(found))


def gpu_taints(selected: Selection, search: Search) -> tuple[Taint, ...]:
    """Return the GPU taints of the tenant's, or others', nodes that give the same."""
    taints = (
        taint
        for group, _ in _alike(selected.offer, search.inventory)
        if group.tenant == selected.group.tenant
        for taint in group.taints
        if taint.key in search.policy.gpu_taints
    )
    return tuple(sorted(set(taints), key=lambda t: (t.key, t.effect, t.value or "")))


def _alike(offer: Offer, inventory: Inventory) -> Iterator[tuple[NodeGroup, Offer]]:
    """What the offer's form cannot tell from it: the same name given the same way."""
    resource, strategy = offer.resource, offer.strategy
    for group in inventory.groups:
        for other in group.offers:
            if other.resource == resource and other.strategy is strategy:
                yield group, other


def _products(selected: Selection, search: Search) -> tuple[NodeRequirement, ...]:
    offer = selected.offer
    single = offer.form.of_slices
    good: set[str] = set()
    narrow = single
    for _, other in _alike(offer, search.inventory):
        usable = choice_index(selected.candidate, other) is not None
        usable = usable and fits(search.question.constraints, other)
        if usable and (not single or other.profile == offer.profile):
            good.add(other.product)
        else:
            narrow = True
    label = offer.form.labels.product
    return (NodeRequirement(label, "In", tuple(sorted(good))),) if narrow else ()


def _memory(offer: Offer, needed: int | None) -> tuple[NodeRequirement, ...]:
    if needed is None or offer.total is None:
        return ()
    labels = offer.form.labels
    if not offer.strategy.traits.divides_memory:
        return (NodeRequirement(labels.memory, "Gt", (str(needed - 1),)),)
    return (
        NodeRequirement(labels.memory, "Gt", (str(offer.total - 1),)),
        NodeRequirement(labels.replicas, "Lt", (str(offer.replicas + 1),)),
    )


def _tenant(group: NodeGroup, search: Search) -> tuple[NodeRequirement, ...]:
    if group.tenant is not None:
        return (NodeRequirement(names.TENANT, "In", (group.tenant,)),)
    owned = any(each.tenant is not None for each in search.inventory.groups)
    pools = search.policy.shared_tenant_pools or owned
    return (NodeRequirement(names.TENANT, "DoesNotExist"),) if pools else ()
