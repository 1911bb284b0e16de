"""One node filled with the requests of a pod, as they run there together."""

from collections import Counter
from collections.abc import Mapping

from webhook.core.api import names
from webhook.core.api.containers import Role
from webhook.core.decision.values import Candidate
from webhook.core.gpu.values import Offer

Score = tuple[int, int, int, str, int, str, str]
"""Strategy's place in the row, memory, compute slices, attribute, minus amount, names."""
Option = tuple[Score, Offer, int]
"""A score, its offer, and how many of that may already be used for the request still to fit."""
Options = Mapping[tuple[str, int], list[Option]]


def request_kind(candidate: Candidate) -> tuple[str, int]:
    """Return what equal requests have in common."""
    return candidate.request.resource, candidate.request.count


def fill_node(candidates: tuple[Candidate, ...], options: Options) -> list[Option] | None:
    """Fill one node, None where it has not enough for all.

    Init containers run one after another before the app, beside the sidecars that started
    before them, so they need GPUs at their own time only (Kubernetes, "Sidecar Containers",
    resource sharing within containers).
    """
    if len(candidates) == 1:  # as most pods have
        only = _take(options[request_kind(candidates[0])], Counter())
        return None if only is None else [only]
    taken: dict[int, Option] = {}
    steady: Counter[str] = Counter()
    for index in _steady_order(candidates):
        option = _take(options[request_kind(candidates[index])], steady)
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
            option = _take(options[request_kind(each)], sidecars)
            if option is None:
                return None
            taken[index] = option
    return [taken[index] for index in range(len(candidates))]


def _steady_order(candidates: tuple[Candidate, ...]) -> list[int]:
    """Sidecars and app containers: named requests first, then the large, then in order."""
    requests = [each.request for each in candidates]
    steady = [i for i, each in enumerate(requests) if each.container.role is not Role.INIT]
    return sorted(steady, key=lambda i: (requests[i].resource == names.GPU, -requests[i].count, i))


def _take(options: list[Option], used: Mapping[str, int]) -> Option | None:
    return next((each for each in options if used[each[1].resource] <= each[2]), None)
