"""Why no offer serves a pod, as violations: request, offers and mend."""

from collections.abc import Iterable
from typing import Final

from webhook.core.api import denials, names
from webhook.core.api.pod import Pod
from webhook.core.api.reason import Reason
from webhook.core.api.violation import Violation
from webhook.core.decision import select, unoffered
from webhook.core.decision.allowed import denial_reason
from webhook.core.decision.values import Candidate, Question, Search
from webhook.core.gpu.placement import distinct_nodes, is_gpu_taint, tolerates
from webhook.core.gpu.values import Inventory, NodeGroup, Offer
from webhook.core.policy.values import Policy, RowName

_Offers = list[tuple[NodeGroup, Offer]]
_MOST_LISTED: Final = 6


def explain(candidates: tuple[Candidate, ...], search: Search) -> tuple[Violation, ...]:
    """Return what keeps each request from being served, or one violation for all together.

    The first that is true:

    | of the offers | reason |
    |---|---|
    | none at all, but GPUs whose labels do not tell | gpu_labels_missing |
    | none at all, but GPUs whose labels contradict | nodes_unusable |
    | none at all, or none of that name | no_offer |
    | none that the matrix row may use | training_never_shares, tenant_needs_isolation, no_offer |
    | none on a node that the pod can reach | no_reachable_offer |
    | none with the memory | not_enough_memory |
    | none in that number on one node | not_enough_gpus |
    """
    found: dict[str, Violation] = {}
    for candidate in candidates:
        wrong = _explain(candidate, search)
        if wrong is not None:
            found.setdefault(wrong.message, wrong)
    return tuple(found.values()) or (_together(candidates),)


def _explain(candidate: Candidate, search: Search) -> Violation | None:
    constraints, inventory = search.question.constraints, search.inventory
    resource = candidate.request.resource
    offers = [(group, offer) for group in inventory.groups for offer in group.offers]
    if not any(resource in (names.GPU, offer.resource) for _, offer in offers):
        return _nothing(candidate, offers, inventory)
    able = [
        (group, offer)
        for group in inventory.groups
        for offer in select.filter_offers(candidate, constraints, group)
    ]
    if not able:
        return _not_for_row(candidate, search, offers)
    reachable = set(map(id, search.reachable))
    near = [(group, offer) for group, offer in able if id(group) in reachable]
    if not near:
        return _unreachable(candidate, search, able)
    return _too_small(candidate, search.question, [offer for _, offer in near])


def _nothing(candidate: Candidate, offers: _Offers, inventory: Inventory) -> Violation:
    resource = candidate.request.resource
    if not offers and inventory.unusable:
        text = f"{resource}: no node offers it; {unoffered.tell_unusable(inventory)}"
        return _violation(unoffered.reason_of(inventory), candidate, text)
    if not offers:
        text = f"{resource}: no node of the cluster offers a GPU"
        return _violation(denials.NO_OFFER, candidate, text)
    text = f"no node offers {resource}; offered: {_listed(offers)}{_note(inventory, resource)}"
    return _violation(denials.NO_OFFER, candidate, text)


def _not_for_row(candidate: Candidate, search: Search, offers: _Offers) -> Violation:
    question, resource = search.question, candidate.request.resource
    who = (
        "a tenant's pod" if question.row_name is RowName.TENANT else f"workload {question.workload}"
    )
    strategies = dict.fromkeys(choice.strategy for choice in candidate.choices)
    wanted = " or ".join(each.value for each in strategies)
    mounting = [each.value for each in strategies if each.traits.mounts_shared_memory]
    shm = ""
    if question.constraints.own_shared_memory and mounting:
        shm = f" ({' or '.join(mounting)} would need the pod's /dev/shm for itself)"
    reached = any(each.form.needs_host_ipc and each.strategy in strategies for _, each in offers)
    if reached and not question.constraints.host_ipc:
        shm += " (mps of GKE needs spec.hostIPC: true)"
    if resource == names.GPU:
        profile = question.constraints.profile
        of_profile = f" of profile {profile.name}" if profile else ""
        text = f"{who} needs {wanted}{of_profile}{shm}, which no node offers"
    else:  # asked by name, which is never turned into something else
        text = (
            f"{resource}: {who} may use {wanted}{shm}, which no node offers by that name; "
            f"write limits {names.GPU}"
        )
    text += f"; offered: {_listed(offers)}{_note(search.inventory, resource)}"
    if question.row_name is RowName.UNCLASSIFIED:
        text += f"; label {names.WORKLOAD} if it may be given otherwise"
    return _violation(denial_reason(question.row_name, denials.NO_OFFER), candidate, text)


def _unreachable(candidate: Candidate, search: Search, able: _Offers) -> Violation:
    subject = search.question.pod
    named = subject.spec.node_name
    why = (None if named else _repelled(subject, able, search.policy)) or _unselected(subject, able)
    exist = f"{candidate.request.resource}: {_listed(able)} exist"
    text = f"{exist}, but not where the pod can go; {why}"
    return _violation(denials.NO_REACHABLE_OFFER, candidate, text)


def _repelled(pod: Pod, able: _Offers, policy: Policy) -> str | None:
    tolerations = pod.spec.tolerations or ()
    taints = {
        f"{taint.key}{'=' + taint.value if taint.value else ''}:{taint.effect}"
        for group, _ in able
        for taint in group.taints
        if not is_gpu_taint(taint, policy.gpu_taints) and not tolerates(tolerations, taint)
    }
    listed = ", ".join(sorted(taints)[:_MOST_LISTED])
    return f"it does not tolerate {listed}" if taints else None


def _unselected(pod: Pod, able: _Offers) -> str:
    """Name the selector that none of those nodes has, if there is one such."""
    if pod.spec.node_name:
        return f"spec.nodeName is {pod.spec.node_name}, which offers none; remove it"
    for key, value in sorted((pod.spec.node_selector or {}).items()):
        distinct = (distinct_nodes(group, frozenset({key})) for group, _ in able)
        if not any(node.labels.get(key) == value for nodes in distinct for node in nodes):
            return f"none of those nodes is labelled {key}={value}, as its nodeSelector wants"
    return "its nodeSelector and required node affinity exclude those nodes"


def _too_small(candidate: Candidate, question: Question, near: list[Offer]) -> Violation | None:
    large = [offer for offer in near if select.has_memory(question.constraints, offer)]
    known = [offer.memory for offer in near if offer.memory is not None]
    if not large and not known:
        text = (
            f"needs {question.constraints.memory}Mi for each GPU, and the nodes that offer it do "
            f"not tell their memory; remove annotation {names.GPU_MEMORY}, or declare the pool "
            "with its memory in the policy"
        )
        return _violation(denials.NOT_ENOUGH_MEMORY, candidate, text)
    if not large:
        largest = max(known)
        text = (
            f"needs {question.constraints.memory} MiB for each GPU, the most offered to it is "
            f"{largest} MiB; lower annotation {names.GPU_MEMORY}"
        )
        return _violation(denials.NOT_ENOUGH_MEMORY, candidate, text)
    most, request = max(offer.existing for offer in large), candidate.request
    if most < request.count:
        asked = f"{request.resource}: {request.count} asked"
        text = f"{asked}, no reachable node has more than {most}; ask for {most} or fewer"
        return _violation(denials.NOT_ENOUGH_GPUS, candidate, text)
    return None


def _together(candidates: tuple[Candidate, ...]) -> Violation:
    total = sum(each.request.count for each in candidates)
    text = (
        f"no reachable node can serve the pod's {len(candidates)} GPU containers ({total} GPUs) "
        "together; ask for fewer, or split the pod"
    )
    return Violation(denials.NOT_ENOUGH_GPUS, "", text, "spec.containers")


def _violation(reason: Reason, candidate: Candidate, text: str) -> Violation:
    return Violation(reason, candidate.request.container.name, text, "resources.limits")


def _listed(offers: Iterable[tuple[NodeGroup, Offer]]) -> str:
    kinds = sorted({f"{o.strategy} {o.resource} ({o.product or 'unknown GPU'})" for _, o in offers})
    more = f" and {len(kinds) - _MOST_LISTED} more" if len(kinds) > _MOST_LISTED else ""
    return ", ".join(kinds[:_MOST_LISTED]) + more


def _note(inventory: Inventory, resource: str) -> str:
    text = unoffered.tell_unusable(inventory, resource)
    return f"; not offered: {text}" if text else ""
