"""The node requirements and taints that make a selected offer's name mean what was selected."""

from collections.abc import Iterator

from webhook.core.api import names
from webhook.core.api.node import Taint
from webhook.core.decision.select import choice_index, fits, has_memory, keep
from webhook.core.decision.values import Search, Selection
from webhook.core.gpu.placement import is_gpu_taint, requirement_holds
from webhook.core.gpu.values import Inventory, NodeGroup, NodeRequirement, Offer


def requirements_for(selected: Selection, search: Search) -> tuple[NodeRequirement, ...]:
    """Return the node requirements of one selection.

    To those of the offer's form come, only where they are needed:

    | why | requirement |
    |---|---|
    | the form is of some products (mig.strategy=single, GKE) | product In [those of them] |
    | name and strategy exist on products that it may not use | product In [the others] |
    | the system has a label of the MIG profile (GKE) | profile In [that] |
    | the pod needs memory | memory Gt need-1; where it is divided also replicas Lt replicas+1 |
    | the same, and the system has no label of memory | product In [large enough], replicas In |
    | some nodes belong to tenants, or may | gpu-sharing.io/tenant In [NAME], or DoesNotExist |
    | a tenant's, and some nodes that show the same have vGPUs | the label of vGPUs NotIn [true] |
    | nodes that meet all this advertise the name and mean something else | hostname NotIn |

    They come from the whole inventory, not from what this pod can reach, so that running again
    on the rewritten pod gives the same. They are kept with it, since many pods ask the same.
    """
    candidate = selected.candidate
    key = (
        id(selected.offer),
        selected.group.tenant,
        candidate.request.resource,
        candidate.choices,
        search.question.constraints,
    )
    return keep(search.inventory, key, lambda: _requirements(selected, search))


def _requirements(selected: Selection, search: Search) -> tuple[NodeRequirement, ...]:
    profile = _profile(selected.offer)
    found = (
        *_products(selected, search),
        *(each for each in selected.offer.form.requirements if not _is_implied(each, profile)),
        *profile,
        *_memory(selected.offer, search.question.constraints.memory),
        *_tenant(selected.group, search),
        *_virtual(selected, search),
    )
    return (*dict.fromkeys(found), *_barred(selected.offer, found, search.inventory))


def gpu_taints(selected: Selection, search: Search) -> tuple[Taint, ...]:
    """Return the GPU taints of the tenant's, or others', nodes that give the same."""
    taints = (
        taint
        for group, _ in _alike(selected.offer, search.inventory)
        if group.tenant == selected.group.tenant
        for taint in group.taints
        if is_gpu_taint(taint, search.policy.gpu_taints)
    )
    return tuple(sorted(set(taints), key=lambda t: (t.key, t.effect, t.value or "")))


def _alike(offer: Offer, inventory: Inventory) -> Iterator[tuple[NodeGroup, Offer]]:
    """What the offer's form cannot tell from it: the same name, shown alike."""
    every = ((group, other) for group in inventory.groups for other in group.offers)
    same = keep(
        inventory,
        ("alike", offer.resource),
        lambda: [each for each in every if each[1].resource == offer.resource],
    )
    return (each for each in same if each[1].form == offer.form)


def _products(selected: Selection, search: Search) -> tuple[NodeRequirement, ...]:
    offer, constraints = selected.offer, search.question.constraints
    labels, narrow = offer.form.labels, bool(offer.form.product_pattern)
    if labels.product is None:
        return ()
    of_profile = narrow or labels.profile is not None
    by_memory = labels.memory is None and constraints.memory is not None
    good: set[str] = set()
    for _, other in _alike(offer, search.inventory):
        usable = choice_index(selected.candidate, other) is not None and fits(constraints, other)
        if by_memory:
            same = not offer.strategy.traits.divides_memory or other.replicas == offer.replicas
            usable = usable and same and has_memory(constraints, other)
        if usable and (not of_profile or other.profile == offer.profile):
            good.add(other.product)
        else:
            narrow = True
    return (NodeRequirement(labels.product, "In", tuple(sorted(good))),) if narrow else ()


def _profile(offer: Offer) -> tuple[NodeRequirement, ...]:
    label, profile = offer.form.labels.profile, offer.profile
    if label is None:
        return ()
    if profile is None:
        return (NodeRequirement(label, "DoesNotExist"),)
    return (NodeRequirement(label, "In", (profile.name,)),)


def _is_implied(requirement: NodeRequirement, others: tuple[NodeRequirement, ...]) -> bool:
    return requirement.operator == "Exists" and any(
        each.key == requirement.key and each.operator == "In" for each in others
    )


def _memory(offer: Offer, needed: int | None) -> tuple[NodeRequirement, ...]:
    labels, divides = offer.form.labels, offer.strategy.traits.divides_memory
    if needed is None or offer.total is None:
        return ()
    if labels.memory is None:
        if labels.replicas is None or not divides:
            return ()
        return (NodeRequirement(labels.replicas, "In", (str(offer.replicas),)),)
    if not divides:
        return (NodeRequirement(labels.memory, "Gt", (str(needed - 1),)),)
    return (
        NodeRequirement(labels.memory, "Gt", (str(offer.total - 1),)),
        NodeRequirement(labels.replicas or "", "Lt", (str(offer.replicas + 1),)),
    )


def _barred(
    offer: Offer, required: tuple[NodeRequirement, ...], inventory: Inventory
) -> tuple[NodeRequirement, ...]:
    """Keep off nodes whose labels say the same and are not to be believed."""
    bad = (
        node.labels.get(names.HOSTNAME, node.name)
        for node in inventory.barred.get(offer.resource, ())
        if all(requirement_holds(each, node.labels) for each in required)
    )
    listed = tuple(sorted(bad))
    return (NodeRequirement(names.HOSTNAME, "NotIn", listed),) if listed else ()


def _virtual(selected: Selection, search: Search) -> tuple[NodeRequirement, ...]:
    label = selected.offer.form.labels.virtual
    if label is None or selected.offer.virtual or not search.question.constraints.isolated:
        return ()
    some = any(other.virtual for _, other in _alike(selected.offer, search.inventory))
    return (NodeRequirement(label, "NotIn", ("true",)),) if some else ()


def _tenant(group: NodeGroup, search: Search) -> tuple[NodeRequirement, ...]:
    if group.tenant is not None:
        return (NodeRequirement(names.TENANT, "In", (group.tenant,)),)
    owned = any(each.tenant is not None for each in search.inventory.groups)
    pools = search.question.constraints.shared_tenant_pools or owned
    return (NodeRequirement(names.TENANT, "DoesNotExist"),) if pools else ()
