"""Why no offer serves a pod, as violations: request, offers and mend."""

from collections.abc import Hashable, Iterator

from webhook.core.api import denials, names
from webhook.core.api.pod import labels
from webhook.core.api.violation import Violation
from webhook.core.decision import select, unoffered
from webhook.core.decision.allowed import denial_reason, refuse, who
from webhook.core.decision.alternatives import Offers, instead, other_label, out_of_reach
from webhook.core.decision.values import Candidate, GpuRequest, Question, Search
from webhook.core.gpu.strategies import FALLBACK
from webhook.core.gpu.values import Offer
from webhook.core.policy.values import RowName


def explain(candidates: tuple[Candidate, ...], search: Search) -> tuple[Violation, ...]:
    """Return what keeps each request from being served, or one violation for all together.

    The first that is true, and of the last three each:

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
        for wrong in _explain(candidate, search):
            found.setdefault(wrong.message, wrong)
    return tuple(found.values()) or (_together(candidates),)


def _explain(candidate: Candidate, search: Search) -> Iterator[Violation]:
    constraints, inventory = search.question.constraints, search.inventory
    resource = candidate.request.resource
    key = "able", constraints, resource, candidate.choices
    able = select.keep(
        inventory, key, lambda: select.permitted_offers(candidate, constraints, inventory)
    )
    if not able:
        offers = [(group, offer) for group in inventory.groups for offer in group.offers]
        of_name = any(resource in (names.GPU, offer.resource) for _, offer in offers)
        yield (_not_for_row if of_name else _nothing)(candidate, search, offers)
        return
    passed_by = search.reaches.passed_by()
    left = (each for each in able if id(each[0]) not in passed_by)
    near = [offer for group, offer in left if search.reaches(group)]
    if not near:
        yield _unreachable(candidate, search, key, able)
    of_all = [offer for _, offer in able]
    yield from _too_small(candidate, search.question, near or of_all, reached=bool(near))


def _nothing(candidate: Candidate, search: Search, offers: Offers) -> Violation:
    resource = candidate.request.resource
    inventory = unoffered.known_to(search.question.constraints.namespace_tenant, search.inventory)
    if not offers and inventory.unusable:
        text = f"{resource}: no node offers it; {unoffered.tell_unusable(inventory)}"
        return refuse(candidate.request, unoffered.reason_of(inventory), text)
    if not offers:
        text = (
            f"{resource}: no node of the cluster offers a GPU; install the device plugin on nodes "
            "that have some, or declare the pool (policy: pools) if its nodes are still to come"
        )
        return refuse(candidate.request, denials.NO_OFFER, text)
    text = f"no node offers {resource}; {instead(candidate, search, offers)}"
    return refuse(candidate.request, denials.NO_OFFER, text + _note(search, resource))


def _not_for_row(candidate: Candidate, search: Search, offers: Offers) -> Violation:
    question, resource = search.question, candidate.request.resource
    offered = {each.strategy for _, each in offers}
    choices = (
        f"{each.strategy} on {'|'.join(each.on)}"
        if each.on and each.strategy in offered
        else each.strategy
        for each in candidate.choices
    )
    wanted = " or ".join(dict.fromkeys(choices))
    how = "".join(_conditions(candidate, question, offers))
    if resource == names.GPU:
        profile = question.constraints.profile
        of_profile = f" of profile {profile.name}" if profile else ""
        text = f"{who(question)} needs {wanted}{of_profile}{how}, which no node offers"
    else:  # asked by name, which is never turned into something else
        text = (
            f"{resource}: {who(question)} may use {wanted}{how}, which no node offers by that name"
        )
    text += f"; {instead(candidate, search, offers)}{_note(search, resource)}"
    if question.row_name is RowName.UNCLASSIFIED:
        text += other_label(search)
    return refuse(candidate.request, denial_reason(question.row_name, denials.NO_OFFER), text)


def _conditions(candidate: Candidate, question: Question, offers: Offers) -> Iterator[str]:
    """Yield what a pod would need for strategies that it may have."""
    strategies = dict.fromkeys(choice.strategy for choice in candidate.choices)
    mounting = [each.value for each in strategies if each.traits.mounts_shared_memory]
    if question.constraints.own_shared_memory and mounting:
        yield f" ({' or '.join(mounting)} has a /dev/shm of its own; remove the pod's to use it)"
    reached = any(each.form.needs_host_ipc and each.strategy in strategies for _, each in offers)
    if reached and not question.constraints.host_ipc:
        yield " (mps of GKE needs spec.hostIPC: true)"
    if question.constraints.isolated and any(each.virtual for _, each in offers):
        yield " on cards of its own machine (other machines may use a vGPU's card)"


def why_fallback(request: GpuRequest, search: Search) -> str:
    """Return briefly why none of the row's own strategies is given."""
    row = search.question.row
    choices = tuple(each for each in row.choices if each.strategy is not FALLBACK)
    wanted = " or ".join(dict.fromkeys(each.strategy.value for each in choices))
    wrong = next(_explain(Candidate(request, choices), search), None)
    reason = wrong.reason if wrong else denials.NOT_ENOUGH_GPUS
    if reason is denials.NOT_ENOUGH_MEMORY:
        needed = search.question.constraints.memory
        verb = "lower" if search.question.memory is not None else "annotate a lower"
        return f"no {wanted} has {needed} MiB; {verb} {names.GPU_MEMORY} to share"
    if reason is denials.NO_REACHABLE_OFFER and names.STRATEGY not in labels(search.question.pod):
        way = "spec.nodeName" if search.question.pod.spec.node_name else "selectors or tolerations"
        return f"no {wanted} where it can go; change {way} to share"
    if reason is denials.NOT_ENOUGH_GPUS:
        return f"no node has enough {wanted} for all containers"
    return f"no node offers {wanted} to it; an administrator can add such a pool"


def _unreachable(candidate: Candidate, search: Search, key: Hashable, able: Offers) -> Violation:
    offers, why = out_of_reach(key, able, search)
    text = f"{candidate.request.resource}: {offers} exist, but not where the pod can go; {why}"
    return refuse(candidate.request, denials.NO_REACHABLE_OFFER, text)


def _too_small(
    candidate: Candidate, question: Question, near: list[Offer], *, reached: bool
) -> Iterator[Violation]:
    """Yield what these offers have too little of: memory, then devices that have it."""
    request, needed = candidate.request, question.constraints
    large = [each for each in near if select.has_memory(needed, each)]
    if not large:
        of_count = (each.memory or 0 for each in near if each.existing >= request.count)
        most = max(of_count, default=0) or max(each.memory or 0 for each in near)
        yield refuse(request, denials.NOT_ENOUGH_MEMORY, _memory_text(question, most))
        large = [each for each in near if (each.memory or 0) >= most]
    number = max(each.existing for each in large)
    if number < request.count:
        nodes = "no reachable node" if reached else "no node"
        text = f"{nodes} has more than {number}; request {number} or fewer"
        text = f"{request.resource}: {request.count} requested, {text}"
        yield refuse(request, denials.NOT_ENOUGH_GPUS, text)


def _memory_text(question: Question, most: int) -> str:
    """What is said of memory. `most` is offered, 0 where no node tells."""
    asked, given = question.constraints.memory, question.memory is not None
    policy = f"by the policy: matrix.{question.row_name}.memory"
    whose = f"annotation {names.GPU_MEMORY}" if given else policy
    if not most:
        return (
            f"needs {asked}Mi for each GPU ({whose}), and the nodes that offer it do not tell "
            f"their memory; remove annotation {names.GPU_MEMORY}, or declare the pool in the "
            "policy, with memory"
        )
    mend = f"{'lower' if given else 'set a lower'} annotation {names.GPU_MEMORY}"
    offered = f"the most offered to it is {most} MiB"
    return f"needs {asked} MiB for each GPU ({whose}), {offered}; {mend}"


def _together(candidates: tuple[Candidate, ...]) -> Violation:
    total = sum(each.request.count for each in candidates)
    text = (
        f"no reachable node can serve the pod's {len(candidates)} GPU containers ({total} GPUs) "
        "together; request fewer, or split the pod"
    )
    return Violation(denials.NOT_ENOUGH_GPUS, "", text, "spec.containers")


def _note(search: Search, resource: str) -> str:
    inventory = unoffered.known_to(search.question.constraints.namespace_tenant, search.inventory)
    text = unoffered.tell_unusable(inventory, resource)
    return f"; not offered: {text}" if text else ""
