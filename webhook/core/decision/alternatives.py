"""What a pod may have instead of what it asks for."""

from collections.abc import Hashable, Iterable, Iterator
from typing import Final

from msgspec.structs import replace

from webhook.core.api import denials, names
from webhook.core.api.violation import Violation
from webhook.core.api.workload import Workload
from webhook.core.decision import select
from webhook.core.decision.allowed import (
    choices_of,
    denial_reason,
    find_candidates,
    refuse,
    strategy_names,
)
from webhook.core.decision.obstacles import find_obstacle, tell_obstacle
from webhook.core.decision.values import Candidate, Search
from webhook.core.gpu.values import NodeGroup, Offer
from webhook.core.policy.values import RowName

Offers = list[tuple[NodeGroup, Offer]]
_MOST_LISTED: Final = 6
_NEVER: Final = {
    denials.TRAINING_NEVER_SHARES: "training gets whole GPUs only",
    denials.TENANT_NEEDS_ISOLATION: "a tenant's pod gets an isolated device only",
}


def refused_names(candidates: Iterable[Candidate], search: Search) -> Iterator[Violation]:
    """Yield a violation for each request of a name that the matrix row never gives."""
    question, label = search.question, other_label(search)
    reason = denial_reason(question.row_name, denials.STRATEGY_NOT_ALLOWED)
    may = f"workload {question.workload} may use {', '.join(strategy_names(question.row))}"
    for each in candidates:
        request = each.request
        plain = request.resource == names.GPU
        asked = f"annotation {names.MIG_PROFILE}" if plain else request.resource
        text = f"{asked}: {_NEVER.get(reason, may)}; {instead(each, search, [])}{label}"
        yield refuse(request, reason, text)


def instead(candidate: Candidate, search: Search, offers: Offers) -> str:
    """Return the offers, first those of the pod with what to write.

    What another tenant has is not told.
    """
    request, constraints = candidate.request, search.question.constraints
    plain = replace(request, resource=names.GPU)
    loose = replace(constraints, profile=None)
    anything = Candidate(plain, choices_of(plain, search.question))
    key = "instead", loose, anything.choices
    may = select.keep(
        search.inventory,
        key,
        lambda: select.permitted_offers(anything, loose, search.inventory),
    )
    visible = [each for each in offers if each[0].tenant in (None, constraints.namespace_tenant)]
    if not may:
        listed = f"offered: {list_offers(visible)}" if visible else "nothing else is offered to it"
        return f"{listed}; an administrator can add such a pool, or declare it (policy: pools)"
    near = [each for each in may if search.reaches(each[0])]
    listed, why = (list_offers(near), "") if near else out_of_reach(key, may, search)
    blocked = f", but not where the pod can go; {why}" if why else ""
    others = [each for each in visible if each not in may]
    rest = f"; offered to others: {list_offers(others)}" if others else ""
    mend = _to_write(candidate, search, near or may)
    return f"{mend} for what it may use: {listed}{blocked}{rest}"


def _to_write(candidate: Candidate, search: Search, offers: Offers) -> str:
    """Return the limit or the annotation with which a pod gets one of these offers."""
    request = candidate.request
    named = request.resource != names.GPU
    whole = all(offer.strategy.traits.whole for _, offer in offers)
    limit = f"write limits {names.GPU}: {request.count if named and whole else 1}"
    if search.question.constraints.profile is None:
        return limit
    same = (o for _, o in offers if not named or o.resource == request.resource)
    profiles = sorted({o.profile for o in same if o.profile})[:_MOST_LISTED]
    if profiles:
        either = " or ".join(each.name for each in profiles)
        return f"write annotation {names.MIG_PROFILE}: {either}"
    remove = f"remove annotation {names.MIG_PROFILE}"
    return f"{limit} and {remove}" if named else remove


def out_of_reach(key: Hashable, able: Offers, search: Search) -> tuple[str, str]:
    """Return offers that a pod cannot reach, and what keeps it from them."""
    pod = search.question.pod

    def find() -> tuple[str, str | tuple[NodeGroup, ...]]:
        groups = list({id(group): group for group, _ in able}.values())
        return list_offers(able), find_obstacle(pod, groups)

    offers, found = select.keep_selected(pod, search.inventory, ("far", key), find)
    return offers, tell_obstacle(pod, found, search.policy.gpu_taints)


def other_label(search: Search) -> str:
    """Return advice to label the pod as what it would be served as, if anything."""
    rows = (RowName.TRAINING, RowName.INFERENCE, RowName.DEV)
    served = "|".join(row.value for row in rows if _is_served(row, search))
    isolated = search.question.constraints.isolated or not served
    return "" if isolated else f"; label {names.WORKLOAD}: {served} if that is what it is"


def _is_served(name: RowName, search: Search) -> bool:
    question, row = search.question, search.policy.matrix[name]
    memory = row.memory if question.memory is None else question.memory
    needed = replace(question.constraints, memory=memory)
    workload = Workload(name.value)
    other = replace(question, workload=workload, row_name=name, row=row, constraints=needed)
    found = find_candidates(other, search.policy)
    candidates = tuple(each for each in found if isinstance(each, Candidate))
    selected = select.select_offers(candidates, replace(search, question=other))
    return len(selected) == len(found)


def list_offers(offers: Iterable[tuple[NodeGroup, Offer]]) -> str:
    """Return the kinds of offers, each once with its products."""
    kinds = sorted({(f"{o.strategy} {o.resource}", o.product or "unknown GPU") for _, o in offers})
    more = f" and {len(kinds) - _MOST_LISTED} more" if len(kinds) > _MOST_LISTED else ""
    by_kind: dict[str, list[str]] = {}
    for kind, product in kinds[:_MOST_LISTED]:
        by_kind.setdefault(kind, []).append(product)
    return ", ".join(f"{kind} ({', '.join(each)})" for kind, each in by_kind.items()) + more
