"""Candidates to one offer each, all on one node: offers are filtered, scored and selected."""

from collections import Counter
from collections.abc import Iterator, Mapping
from operator import itemgetter
from typing import Final

from webhook.core.api import names
from webhook.core.api.containers import Role
from webhook.core.decision.values import Candidate, Constraints, Search, Selection
from webhook.core.gpu.values import NodeGroup, Offer
from webhook.core.policy.values import is_for

_UNKNOWN_MEMORY: Final = 2**62

Score = tuple[int, int, int, str, int, str, str]
"""Strategy's place in the row, memory, compute slices, attribute, minus amount, names."""
_Option = tuple[Score, Offer, int]
"""A score, its offer, and how many of that may already be used for the request still to fit."""
_Options = Mapping[tuple[str, int], list[_Option]]


def choice_index(candidate: Candidate, offer: Offer) -> int | None:
    """Return which choice the offer satisfies by name, strategy and product, None if none."""
    if candidate.request.resource not in (names.GPU, offer.resource):
        return None
    strategy = offer.strategy
    for index, choice in enumerate(candidate.choices):
        if choice.strategy is strategy and is_for(choice, offer):
            return index
    return None


def is_permitted(constraints: Constraints, group: NodeGroup, offer: Offer) -> bool:
    """Whether tenancy lets this pod use the offer there.

    | pod's tenant | node's tenant | strategy | |
    |---|---|---|---|
    | none or other | X | any | no: the pool is X's |
    | any | none, or its own | isolated, and no vGPU | yes |
    | none (not a tenant) | none | any | yes |
    | X | X | shared | only if the policy shares tenant pools |
    | X | none | shared, or a vGPU, whose card other machines may use | no |
    """
    if group.tenant is not None and group.tenant != constraints.tenant:
        return False
    own = group.tenant is not None and constraints.shared_pools
    isolates = offer.strategy.traits.isolated and not offer.virtual
    return own or not constraints.isolated or isolates


def fits(constraints: Constraints, offer: Offer) -> bool:
    """Whether the offer has the profile that the pod names and lets the pod in.

    MPS mounts its own /dev/shm; that of GKE is reached with hostIPC only.
    """
    clash = constraints.own_shared_memory and offer.strategy.traits.mounts_shared_memory
    clash = clash or (offer.form.needs_host_ipc and not constraints.host_ipc)
    return constraints.profile in (None, offer.profile) and not clash


def has_memory(constraints: Constraints, offer: Offer) -> bool:
    """Whether the offer has the memory that the pod needs."""
    needed = constraints.memory
    return needed is None or (offer.memory is not None and offer.memory >= needed)


def filter_offers(
    candidate: Candidate, constraints: Constraints, group: NodeGroup
) -> Iterator[Offer]:
    """Yield the group's offers that the request may be given, memory and number aside."""
    for offer in group.offers:
        allowed = choice_index(candidate, offer) is not None
        if allowed and is_permitted(constraints, group, offer) and fits(constraints, offer):
            yield offer


def most_memory(candidate: Candidate, search: Search) -> int:
    """Return the MiB of the largest offer that the request may be given."""
    constraints = search.question.constraints
    return max(
        (
            offer.memory or 0
            for group in search.reachable
            for offer in filter_offers(candidate, constraints, group)
            if offer.amount >= candidate.request.count
        ),
        default=0,
    )


def select_offers(candidates: tuple[Candidate, ...], search: Search) -> tuple[Selection, ...]:
    """Return an offer of one group for each candidate, none where no group has all.

    Each candidate takes the best by: the first strategy in its order, the smallest memory that is
    enough, the fewest compute slices, no attribute (`.me`, `.gfx`), the most allocatable, the
    name. Among groups the one whose offers are best, in the order of the containers.
    """
    best: tuple[list[Score], NodeGroup, list[Offer]] | None = None
    for group in search.reachable:
        filled = _fill_node(candidates, _options(candidates, group, search))
        if filled is None:
            continue
        scores = [each[0] for each in filled]
        if best is None or scores < best[0]:
            best = scores, group, [each[1] for each in filled]
    if best is None:
        return ()
    _, group, offers = best
    return tuple(Selection(c, o, group) for c, o in zip(candidates, offers, strict=True))


def _options(candidates: tuple[Candidate, ...], group: NodeGroup, search: Search) -> _Options:
    """What each kind of request may take, best first: equal requests share one list."""
    constraints = search.question.constraints
    found: dict[tuple[str, int], list[_Option]] = {}
    for each in candidates:
        if _key(each) not in found:
            options = [
                (_score(each, offer, search), offer, offer.existing - each.request.count)
                for offer in filter_offers(each, constraints, group)
                if has_memory(constraints, offer)
            ]
            found[_key(each)] = sorted(options, key=itemgetter(0))
    return found


def _key(candidate: Candidate) -> tuple[str, int]:
    return candidate.request.resource, candidate.request.count


def _score(candidate: Candidate, offer: Offer, search: Search) -> Score:
    index = choice_index(candidate, offer)
    return (
        len(candidate.choices) if index is None else index,
        _UNKNOWN_MEMORY if offer.memory is None else offer.memory,
        offer.profile.slices if offer.profile else 0,
        offer.profile.attribute if offer.profile else "",
        -search.inventory.amounts[offer.kind],
        offer.resource,
        offer.product,
    )


def _fill_node(candidates: tuple[Candidate, ...], options: _Options) -> list[_Option] | None:
    """Fill one node, None where it has not enough for all.

    Init containers run one after another before the app, beside the sidecars that started
    before them, so they need GPUs at their own time only (Kubernetes, "Sidecar Containers",
    resource sharing within containers).
    """
    if len(candidates) == 1:  # as most pods have
        only = _take(options[_key(candidates[0])], Counter())
        return None if only is None else [only]
    taken: dict[int, _Option] = {}
    steady: Counter[str] = Counter()
    for index in _steady_order(candidates):
        option = _take(options[_key(candidates[index])], steady)
        if option is None:
            return None
        taken[index] = option
        steady[option[1].resource] += candidates[index].request.count
    sidecars: Counter[str] = Counter()
    for index, each in enumerate(candidates):
        role = each.request.container.role
        if role is Role.SIDECAR:
            sidecars[taken[index][1].resource] += each.request.count
        elif role is Role.INIT:
            option = _take(options[_key(each)], sidecars)
            if option is None:
                return None
            taken[index] = option
    return [taken[index] for index in range(len(candidates))]


def _steady_order(candidates: tuple[Candidate, ...]) -> list[int]:
    """Sidecars and app containers: named requests first, then the large, then in order."""
    requests = [each.request for each in candidates]
    steady = [i for i, each in enumerate(requests) if each.container.role is not Role.INIT]
    return sorted(steady, key=lambda i: (requests[i].resource == names.GPU, -requests[i].count, i))


def _take(options: list[_Option], used: Mapping[str, int]) -> _Option | None:
    return next((each for each in options if used[each[1].resource] <= each[2]), None)
