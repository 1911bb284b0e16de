"""What a stock can give to workloads, by the same decision as for a pod."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from webhook.core.api.violation import Violation
from webhook.core.decision.allowed import find_candidates
from webhook.core.decision.select import choice_index, filter_offers, has_memory
from webhook.core.decision.values import Candidate, Constraints, Question
from webhook.core.gpu.reading import read_node
from webhook.core.gpu.strategies import Strategy
from webhook.core.gpu.values import NodeGroup, Offer
from webhook.core.policy.values import Policy
from webhook.core.pools.catalog import GpuModel
from webhook.core.pools.simulated import UNKNOWN_MEMORY, WHOLE, Sharing, simulate_node


@dataclass(frozen=True, slots=True)
class Host:
    """Equal nodes of a stock, by name, each with `size` GPUs of one product.

    `price` is USD for a GPU and hour, None where it is not known.
    """

    model: GpuModel
    size: int
    nodes: tuple[str, ...]
    price: float | None = None
    tenant: str | None = None


@dataclass(frozen=True, slots=True, order=True)
class Fit:
    """A way to serve one GPU request: a host, a strategy and a MIG profile.

    `preference` is the strategy's place in the workload's row, `memory` what it takes of a
    time-sliced GPU in MiB.
    """

    host: int
    strategy: Strategy
    profile: str
    preference: int
    memory: int = 0


@dataclass(frozen=True, slots=True)
class Demand:
    """Equal pods that each request `gpus` GPUs. `reason` says why no fit is there."""

    name: str
    replicas: int
    gpus: int
    fits: tuple[Fit, ...]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Replicas:
    """How many pods share a GPU under MPS, and under time-slicing."""

    mps: int = 10
    time_slicing: int = 4


MOST_BEFORE_TURING: Final = 16
_OLD: Final = re.compile(r"(Tesla|Quadro)-[KMPV]|NVIDIA-TITAN-V")
"""GPUs before compute capability 7.5, where the MPS daemon takes 16 clients."""

Offers = Sequence[tuple[NodeGroup, ...]]
"""What each host can be made to offer: a group of one node for each pool."""


def possible_offers(hosts: Iterable[Host], replicas: Replicas) -> Offers:
    """Return what the nodes of each host would offer in each pool, by simulated nodes."""
    return tuple(tuple(_groups(each, replicas)) for each in hosts)


def _groups(host: Host, replicas: Replicas) -> Iterator[NodeGroup]:
    model = host.model
    shared = [Sharing("time-slicing", replicas.time_slicing)]
    if replicas.mps <= MOST_BEFORE_TURING or not _OLD.match(model.product):
        shared.append(Sharing("mps", replicas.mps))
    looks = [simulate_node(model, each, [None] * host.size) for each in (WHOLE, *shared)]
    looks += [simulate_node(model, WHOLE, [{d.profile.name: 1}]) for d in model.devices]
    for node in looks:
        yield NodeGroup(read_node(node).offers, (), host.tenant, ())


@dataclass(frozen=True, slots=True)
class EqualPods:
    """Equal pods of a workload, and what one of them says of itself."""

    name: str
    replicas: int
    question: Question


def read_demand(pods: EqualPods, policy: Policy, offers: Offers) -> Iterator[Demand]:
    """Yield a demand for each container of a pod that requests GPUs."""
    name, replicas, question = pods.name, pods.replicas, pods.question
    candidates = find_candidates(question, policy)
    if question.violations:
        candidates = list(question.violations)
    for each in candidates:
        if isinstance(each, Violation):
            yield Demand(name, replicas, 1, (), each.message)
            continue
        fits = tuple(_fits(each, question.constraints, offers))
        reason = "" if fits else _no_fit(each, question.constraints, offers)
        yield Demand(name, replicas, each.request.count, fits, reason)


def _fits(candidate: Candidate, constraints: Constraints, offers: Offers) -> Iterator[Fit]:
    """Several GPUs of one request are whole ones: shares add no compute."""
    for host, groups in enumerate(offers):
        for group in groups:
            for offer in filter_offers(candidate, constraints, group):
                if not has_memory(constraints, offer) or offer.amount < candidate.request.count:
                    continue
                if candidate.request.count > 1 and not offer.strategy.traits.whole:
                    continue
                yield _fit(host, candidate, offer, constraints)


def _fit(host: int, candidate: Candidate, offer: Offer, constraints: Constraints) -> Fit:
    shares_memory = not offer.strategy.traits.isolated and not offer.strategy.traits.divides_memory
    return Fit(
        host=host,
        strategy=offer.strategy,
        profile=offer.profile.name if offer.profile else "",
        preference=choice_index(candidate, offer) or 0,
        memory=constraints.memory or 0 if shares_memory else 0,
    )


def _no_fit(candidate: Candidate, constraints: Constraints, offers: Offers) -> str:
    """Why nothing in the stock can serve a request however its nodes are configured."""
    allowed = [
        offer
        for groups in offers
        for group in groups
        for offer in filter_offers(candidate, constraints, group)
    ]
    asked = ", ".join(dict.fromkeys(each.strategy.value for each in candidate.choices))
    if not asked:
        return f"{candidate.request.resource}: the policy never gives this workload that"
    if not allowed:
        return f"nothing in the stock can be given as {asked}"
    count = candidate.request.count
    most = max((each.amount for each in allowed if each.strategy.traits.whole), default=1)
    if count > 1 and most < count:
        return f"{count} GPUs on one node requested, no node has more than {most}"
    best = max(allowed, key=lambda each: each.memory or 0)
    if best.memory == UNKNOWN_MEMORY:
        unknown = f"the memory of {best.product} is not known; state it (stock: memory)"
        return f"{constraints.memory}Mi requested, {unknown}"
    return (
        f"{constraints.memory}Mi requested, the most that {asked} gives is {best.memory}Mi "
        f"({_describe(best)})"
    )


def _describe(offer: Offer) -> str:
    return f"{offer.profile.name if offer.profile else offer.strategy} of {offer.product}"
