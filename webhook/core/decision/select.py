"""Candidates to one offer each, all on one node: offers are filtered, scored and selected."""

from collections.abc import Callable, Hashable, Iterator
from operator import attrgetter, itemgetter
from typing import Final, TypeVar

from msgspec import Struct

from webhook.core.api import names
from webhook.core.api.pod import Pod
from webhook.core.decision.fill import Option, Options, Score, fill_node, request_kind
from webhook.core.decision.values import Candidate, Constraints, Search, Selection
from webhook.core.gpu.reach import selection_of
from webhook.core.gpu.values import Inventory, NodeGroup, Offer
from webhook.core.policy.values import is_for

_T = TypeVar("_T")
_UNKNOWN_MEMORY: Final = 2**62
_MOST_SELECTION: Final = 4096  # bytes
_MOST_KEPT, _MOST_CANDIDATES = 256, 4
"""Of what is kept with an inventory, and candidates of what is: 15 MiB with 200 kinds of nodes."""


def keep(inventory: Inventory, key: Hashable, find: Callable[[], _T]) -> _T:
    """Return what is kept with an inventory by a key, found the first time."""
    kept: dict[Hashable, _T] = inventory.kept
    if key not in kept:
        if len(kept) >= _MOST_KEPT:
            kept.clear()
        kept[key] = find()
    return kept[key]


def keep_selected(pod: Pod, inventory: Inventory, key: Hashable, find: Callable[[], _T]) -> _T:
    """Return what is kept for pods that select the same nodes, if briefly."""
    selection = selection_of(pod)
    return keep(inventory, (selection, key), find) if len(selection) <= _MOST_SELECTION else find()


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
    if group.tenant is not None and group.tenant != constraints.namespace_tenant:
        return False
    own = group.tenant is not None and constraints.shared_tenant_pools
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


def permitted_offers(
    candidate: Candidate, constraints: Constraints, inventory: Inventory
) -> list[tuple[NodeGroup, Offer]]:
    """Return what the request may be given, wherever it is."""
    return [
        (group, offer)
        for group in inventory.groups
        for offer in filter_offers(candidate, constraints, group)
    ]


def most_memory(candidate: Candidate, search: Search) -> int:
    """Return the MiB of the largest offer that the request may be given."""
    sizes = [
        (offer.memory or 0, -each.place, each.group)
        for each in _rank((candidate,), search)
        for _, offer, _ in each.options[request_kind(candidate)]
        if offer.amount >= candidate.request.count
    ]
    sizes.sort(key=itemgetter(0, 1), reverse=True)
    return next((memory for memory, _, group in sizes if search.reaches(group)), 0)


def select_offers(candidates: tuple[Candidate, ...], search: Search) -> tuple[Selection, ...]:
    """Return an offer of one group for each candidate, none where no group has all.

    Each candidate takes the best by: the first strategy in its order, the smallest memory that is
    enough, the fewest compute slices, no attribute (`.me`, `.gfx`), the most allocatable, the
    name. Among groups the one whose offers are best, in the order of the containers.
    """
    best: tuple[list[Score], int] | None = None
    selected: tuple[Selection, ...] = ()
    passed_by = search.reaches.passed_by()
    for each in _rank(candidates, search):
        if id(each.group) in passed_by:
            continue
        if best is not None and each.ideal > best[0]:
            break
        filled = fill_node(candidates, each.options) if search.reaches(each.group) else None
        if filled is None:
            continue
        found = [score for score, _, _ in filled], each.place
        if best is None or found < best:
            best = found
            offers = (offer for _, offer, _ in filled)
            pairs = zip(candidates, offers, strict=True)
            selected = tuple(Selection(asked, offer, each.group) for asked, offer in pairs)
    return selected


class _Ranked(Struct, frozen=True):
    """A group with the options there, and the scores if each candidate took its best."""

    ideal: list[Score]
    place: int
    group: NodeGroup
    options: Options


def _rank(candidates: tuple[Candidate, ...], search: Search) -> list[_Ranked]:
    """The groups that have something for each candidate, the best first.

    Many pods ask the same, so it is kept with the inventory.
    """
    asked = tuple((each.request.resource, each.request.count, each.choices) for each in candidates)
    if len(candidates) > _MOST_CANDIDATES:
        return _ranked(candidates, search)
    key = search.question.constraints, asked
    return keep(search.inventory, key, lambda: _ranked(candidates, search))


def _ranked(candidates: tuple[Candidate, ...], search: Search) -> list[_Ranked]:
    found = []
    for place, group in enumerate(search.inventory.groups):
        options = _options(candidates, group, search)
        if all(options.values()):
            ideal = [options[request_kind(each)][0][0] for each in candidates]
            found.append(_Ranked(ideal, place, group, options))
    return sorted(found, key=attrgetter("ideal", "place"))


def _options(candidates: tuple[Candidate, ...], group: NodeGroup, search: Search) -> Options:
    """What each kind of request may take, best first: equal requests share one list."""
    constraints = search.question.constraints
    found: dict[tuple[str, int], list[Option]] = {}
    for each in candidates:
        if request_kind(each) not in found:
            options = [
                (_score(each, offer, search), offer, offer.existing - each.request.count)
                for offer in filter_offers(each, constraints, group)
                if has_memory(constraints, offer)
            ]
            found[request_kind(each)] = sorted(options, key=itemgetter(0))
    return found


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
