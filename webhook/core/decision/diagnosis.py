"""Why no offer serves a pod: one violation with what was asked, what exists and what to do."""

from collections.abc import Callable, Iterable

from webhook.core.api import names, reasons
from webhook.core.api.model import Facts, Inventory, NodeGroup, Offer, Violation
from webhook.core.api.pod import Pod
from webhook.core.api.reason import Reason
from webhook.core.decision import select
from webhook.core.decision.allowed import Candidate, refusal
from webhook.core.decision.select import Constraints
from webhook.core.gpu.placement import tolerates
from webhook.core.policy.values import Policy, RowName, row_of

_Found = list[tuple[NodeGroup, Offer]]
_MOST_LISTED = 6


def explain(
    wants: tuple[Candidate, ...], facts: Facts, inventory: Inventory, rules: Policy
) -> tuple[Violation, ...]:
    """Return what keeps each ask from being served; one for the pod where only all together fail.

    The first that is true:

    | of the offers | reason |
    |---|---|
    | none at all, but GPUs without labels | gpu_labels_missing |
    | none at all, or none of that name | no_offer |
    | none that the matrix row may use | training_never_shares, tenant_needs_isolation, no_offer |
    | none on a node that the pod can reach | no_reachable_offer |
    | none with the memory | not_enough_memory |
    | none in that number on one node | not_enough_gpus |
    """
    terms = select.terms_of(facts, rules)
    found: dict[str, Violation] = {}
    for want in wants:
        wrong = _explain(want, terms, (facts, inventory, rules))
        if wrong is not None:
            found.setdefault(wrong.message, wrong)
    return tuple(found.values()) or (_together(wants),)


def _explain(
    want: Candidate, terms: Constraints, world: tuple[Facts, Inventory, Policy]
) -> Violation | None:
    facts, inventory, rules = world
    say = _sayer(want)
    offers = [(shape, offer) for shape in inventory.shapes for offer in shape.offers]
    named = [(s, o) for s, o in offers if want.ask.resource in (names.GPU, o.resource)]
    if not named:
        return _nothing(say, want, offers, inventory)
    able = [
        (shape, offer)
        for shape, offer in named
        if any(offer is each for each in select.eligible(want, terms, shape))
    ]
    if not able:
        return _not_for_row(say, want, facts, (offers, inventory, terms))
    reachable = set(map(id, select.reachable(facts, inventory, rules)))
    near = [(shape, offer) for shape, offer in able if id(shape) in reachable]
    if not near:
        return _unreachable(say, want, facts, (able, rules))
    return _too_small(say, want, terms, near)


_Say = Callable[[Reason, str], Violation]


def _sayer(want: Candidate) -> _Say:
    return lambda reason, text: Violation(reason, want.ask.place.name, text, "resources.limits")


def _nothing(say: _Say, want: Candidate, offers: _Found, inventory: Inventory) -> Violation:
    if not offers and inventory.unlabelled:
        return say(reasons.GPU_LABELS_MISSING, _unlabelled(inventory))
    if not offers:
        return say(reasons.NO_OFFER, f"{want.ask.resource}: no node of the cluster offers a GPU")
    text = f"no node offers {want.ask.resource}; offered: {_listed(offers)}{_note(inventory)}"
    return say(reasons.NO_OFFER, text)


def _not_for_row(
    say: _Say, want: Candidate, facts: Facts, seen: tuple[_Found, Inventory, Constraints]
) -> Violation:
    offers, inventory, terms = seen
    row = row_of(facts.workload, facts.tenant)
    who = "a tenant's pod" if row is RowName.TENANT else f"workload {facts.workload}"
    wanted = " or ".join(dict.fromkeys(choice.strategy.value for choice in want.choices))
    profile = f" of profile {facts.profile.name}" if facts.profile else ""
    shm = ""
    if terms.own_shared_memory and "mps" in wanted:
        shm = " (mps would need the pod's /dev/shm for itself)"
    if want.ask.resource == names.GPU:
        text = f"{who} needs {wanted}{profile}{shm}, which no node offers"
    else:  # asked by name, which is never turned into something else
        text = (
            f"{want.ask.resource}: {who} may use {wanted}{shm}, which no node offers by that name; "
            f"write limits {names.GPU}"
        )
    text += f"; offered: {_listed(offers)}{_note(inventory)}"
    if row is RowName.UNCLASSIFIED:
        text += f"; label {names.WORKLOAD} if it may be given otherwise"
    return say(refusal(row, reasons.NO_OFFER), text)


def _unreachable(
    say: _Say, want: Candidate, facts: Facts, seen: tuple[_Found, Policy]
) -> Violation:
    able, rules = seen
    why = _repelled(facts.pod, able, rules) or _unselected(facts.pod, able)
    text = f"{want.ask.resource}: {_listed(able)} exist, but not where the pod can go; {why}"
    return say(reasons.NO_REACHABLE_OFFER, text)


def _repelled(pod: Pod, able: _Found, rules: Policy) -> str | None:
    tolerations = pod.spec.tolerations or ()
    taints = {
        f"{taint.key}{'=' + taint.value if taint.value else ''}:{taint.effect}"
        for shape, _ in able
        for taint in shape.taints
        if taint.key not in rules.gpu_taints and not tolerates(tolerations, taint)
    }
    listed = ", ".join(sorted(taints)[:_MOST_LISTED])
    return f"it does not tolerate {listed}" if taints else None


def _unselected(pod: Pod, able: _Found) -> str:
    """Name the selector that none of those nodes has, if there is one such."""
    labels = [node.labels for shape, _ in able for node in shape.nodes]
    for key, value in sorted((pod.spec.node_selector or {}).items()):
        if not any(each.get(key) == value for each in labels):
            return f"none of those nodes is labelled {key}={value}, as its nodeSelector wants"
    return "its nodeSelector and required node affinity exclude those nodes"


def _too_small(say: _Say, want: Candidate, terms: Constraints, near: _Found) -> Violation | None:
    roomy = [(shape, offer) for shape, offer in near if select.roomy(terms, offer)]
    if not roomy:
        largest = max((offer.memory or 0 for _, offer in near), default=0)
        text = (
            f"needs {terms.memory} MiB for each GPU, the most offered to it is {largest} MiB; "
            f"lower annotation {names.GPU_MEMORY}"
        )
        return say(reasons.NOT_ENOUGH_MEMORY, text)
    most = max(offer.amount for _, offer in roomy)
    if most < want.ask.count:
        asked = f"{want.ask.resource}: {want.ask.count} asked"
        text = f"{asked}, no reachable node has more than {most}; ask for {most} or fewer"
        return say(reasons.NOT_ENOUGH_GPUS, text)
    return None


def _together(wants: tuple[Candidate, ...]) -> Violation:
    total = sum(want.ask.count for want in wants)
    text = (
        f"no reachable node can serve the pod's {len(wants)} GPU containers ({total} GPUs) "
        "together; ask for fewer, or split the pod"
    )
    return Violation(reasons.NOT_ENOUGH_GPUS, "", text, "spec.containers")


def _listed(offers: Iterable[tuple[NodeGroup, Offer]]) -> str:
    kinds = sorted({f"{o.strategy} {o.resource} ({o.product or 'unknown GPU'})" for _, o in offers})
    more = f" and {len(kinds) - _MOST_LISTED} more" if len(kinds) > _MOST_LISTED else ""
    return ", ".join(kinds[:_MOST_LISTED]) + more


def _unlabelled(inventory: Inventory) -> str:
    return (
        f"{inventory.unlabelled} nodes have NVIDIA GPUs but no labels of GPU Feature Discovery; "
        "enable it (gfd.enabled in the GPU Operator)"
    )


def _note(inventory: Inventory) -> str:
    return f"; {_unlabelled(inventory)}" if inventory.unlabelled else ""
