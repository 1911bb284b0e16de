"""Wants and an Inventory -> one offer for each ask, all on one node; no texts, no patches."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

from webhook.core.api import names, paths
from webhook.core.api.model import (
    ISOLATED,
    Facts,
    Inventory,
    NodeGroup,
    Offer,
    OfferKind,
    Role,
    Strategy,
)
from webhook.core.api.pod import Pod
from webhook.core.decision.allowed import Candidate
from webhook.core.decision.classify import places
from webhook.core.gpu.placement import reaches
from webhook.core.policy import values
from webhook.core.policy.values import Policy, of_tenant, row_of

_UNKNOWN_MEMORY: Final = 2**62

Amounts = Mapping[OfferKind, int]
Rank = tuple[int, int, int, str, int, str, str]
"""Strategy's place in the row, memory, compute slices, attribute, minus amount, names."""


@dataclass(frozen=True, slots=True)
class Constraints:
    """What an offer must satisfy for this pod, besides an ask's own choices."""

    tenant: str | None
    isolated: bool
    shared_pools: bool
    memory: int | None
    profile_name: str | None
    own_shared_memory: bool = False


def terms_of(facts: Facts, rules: Policy) -> Constraints:
    """Collect the terms; the policy's default memory counts where the pod says nothing."""
    row = row_of(facts.workload, facts.tenant)
    memory = rules.matrix[row].memory if facts.memory is None else facts.memory
    profile = facts.profile.name if facts.profile else None
    isolated = of_tenant(facts.workload, facts.tenant)
    return Constraints(
        facts.tenant, isolated, rules.shared_tenant_pools, memory, profile, _mounts_shm(facts.pod)
    )


def _mounts_shm(subject: Pod) -> bool:
    """Whether a container mounts something at /dev/shm, where MPS mounts its own (NF 2.4)."""
    mounts = (m for _, c in places(subject) for m in c.volume_mounts or ())
    return any(paths.normal(mount.mount_path) == paths.SHARED_MEMORY for mount in mounts)


def place(want: Candidate, offer: Offer) -> int | None:
    """Which of the want's choices the offer satisfies, None if none: name, strategy, product."""
    if want.ask.resource not in (names.GPU, offer.resource):
        return None
    return next(
        (
            index
            for index, choice in enumerate(want.choices)
            if choice.strategy is offer.strategy and values.is_for(choice, offer)
        ),
        None,
    )


def permitted(terms: Constraints, shape: NodeGroup, offer: Offer) -> bool:
    """Whether tenancy lets this pod use the offer there.

    | pod's tenant | node's tenant | strategy | |
    |---|---|---|---|
    | none or other | X | any | no: the pool is X's |
    | any | none, or its own | isolated | yes |
    | none (not a tenant) | none | any | yes |
    | X | X | mps, time-slicing | only if the policy shares tenant pools |
    | X | none | mps, time-slicing | no |
    """
    if shape.tenant is not None and shape.tenant != terms.tenant:
        return False
    own = shape.tenant is not None and terms.shared_pools
    return offer.strategy in ISOLATED or not terms.isolated or own


def fits(terms: Constraints, offer: Offer) -> bool:
    """Whether the offer has the profile that the pod names, and leaves /dev/shm to it."""
    has = offer.profile.name if offer.profile else None
    clash = terms.own_shared_memory and offer.strategy is Strategy.MPS
    return terms.profile_name in (None, has) and not clash


def roomy(terms: Constraints, offer: Offer) -> bool:
    """Whether the offer has the memory that the pod needs."""
    return terms.memory is None or (offer.memory is not None and offer.memory >= terms.memory)


def eligible(want: Candidate, terms: Constraints, shape: NodeGroup) -> Iterator[Offer]:
    """The shape's offers that the ask may be given, memory and number aside."""
    for offer in shape.offers:
        if place(want, offer) is not None and permitted(terms, shape, offer) and fits(terms, offer):
            yield offer


def reachable(facts: Facts, inventory: Inventory, rules: Policy) -> tuple[NodeGroup, ...]:
    """The shapes with a node that the pod can land on."""
    return tuple(s for s in inventory.shapes if reaches(facts.pod, s, rules.gpu_taints))


def assign(
    wants: tuple[Candidate, ...],
    terms: Constraints,
    shapes: tuple[NodeGroup, ...],
    amounts: Amounts,
) -> tuple[NodeGroup, tuple[Offer, ...]] | None:
    """Return a shape and an offer of it for each want, or None where no shape has all.

    Each want takes the best by: the first strategy in its order, the smallest memory that is
    enough, the fewest compute slices, no attribute (`.me`, `.gfx`), the most allocatable, the
    name. Among shapes the one whose offers are best, in the order of the containers.
    """
    best: tuple[tuple[Rank, ...], NodeGroup, tuple[Offer, ...]] | None = None
    for shape in shapes:
        offers = _fill(wants, terms, shape, amounts)
        if offers is None:
            continue
        ranks = tuple(_rank(w, o, amounts) for w, o in zip(wants, offers, strict=True))
        if best is None or ranks < best[0]:
            best = ranks, shape, offers
    return best[1:] if best else None


def _rank(want: Candidate, offer: Offer, amounts: Amounts) -> Rank:
    order = place(want, offer)
    slices = offer.profile.slices if offer.profile else 0
    attribute = offer.profile.attribute if offer.profile else ""
    memory = _UNKNOWN_MEMORY if offer.memory is None else offer.memory
    index = len(want.choices) if order is None else order
    amount = -amounts[offer.kind]
    return index, memory, slices, attribute, amount, offer.resource, offer.product


def _fill(
    wants: tuple[Candidate, ...], terms: Constraints, shape: NodeGroup, amounts: Amounts
) -> tuple[Offer, ...] | None:
    """Fill one node; None where it has not enough for all.

    Init containers run one after another before the app, beside the sidecars that started
    before them, so they need room at their own time only (Kubernetes, "Sidecar Containers",
    resource sharing within containers).
    """
    options = _options(wants, terms, shape, amounts)
    taken: dict[int, Offer] = {}
    steady: Counter[str] = Counter()
    for index in _steady_order(wants):
        if not _take(index, options[_key(wants[index])], steady, taken):
            return None
        steady[taken[index].resource] += wants[index].ask.count
    sidecars: Counter[str] = Counter()
    for index, want in enumerate(wants):
        if want.ask.place.role is Role.SIDECAR:
            sidecars[taken[index].resource] += want.ask.count
        elif want.ask.place.role is Role.INIT and not _take(
            index, options[_key(want)], sidecars, taken
        ):
            return None
    return tuple(taken[index] for index in range(len(wants)))


_Option = tuple[Offer, int]
"""An offer, and how many of it may already be used for the ask still to fit."""


def _key(want: Candidate) -> tuple[str, int]:
    return want.ask.resource, want.ask.count


def _options(
    wants: tuple[Candidate, ...], terms: Constraints, shape: NodeGroup, amounts: Amounts
) -> dict[tuple[str, int], list[_Option]]:
    """What each kind of ask may take, best first; equal asks share one list."""
    found: dict[tuple[str, int], list[_Option]] = {}
    for want in wants:
        if _key(want) not in found:
            able = [o for o in eligible(want, terms, shape) if roomy(terms, o)]
            able.sort(key=partial(_rank, want, amounts=amounts))
            found[_key(want)] = [(offer, offer.amount - want.ask.count) for offer in able]
    return found


def _steady_order(wants: tuple[Candidate, ...]) -> list[int]:
    """Sidecars and app containers: those that ask by name first, then the large, then in order."""
    steady = [i for i, want in enumerate(wants) if want.ask.place.role is not Role.INIT]
    asks = [want.ask for want in wants]
    return sorted(steady, key=lambda i: (asks[i].resource == names.GPU, -asks[i].count, i))


def _take(
    index: int, options: list[_Option], used: Mapping[str, int], taken: dict[int, Offer]
) -> bool:
    offer = next((o for o, spare in options if used[o.resource] <= spare), None)
    if offer is not None:
        taken[index] = offer
    return offer is not None
