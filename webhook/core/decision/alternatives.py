"""What a pod may have instead of what it asks for."""

from collections.abc import Iterable
from typing import Final

from msgspec.structs import replace

from webhook.core.api import names
from webhook.core.decision import select
from webhook.core.decision.allowed import choices_of
from webhook.core.decision.values import Candidate, Search
from webhook.core.gpu.values import NodeGroup, Offer

Offers = list[tuple[NodeGroup, Offer]]
_MOST_LISTED: Final = 6


def instead(candidate: Candidate, search: Search, offers: Offers) -> str:
    """Return the offers, first those of the pod with what to write.

    What another tenant has is not told.
    """
    request, constraints = candidate.request, search.question.constraints
    plain = replace(request, resource=names.GPU)
    loose = replace(constraints, profile=None)
    anything = Candidate(plain, choices_of(plain, search.question))
    may = [
        (group, offer)
        for group in search.inventory.groups
        for offer in select.filter_offers(anything, loose, group)
    ]
    told = [each for each in offers if each[0].tenant in (None, constraints.namespace_tenant)]
    if not may:
        listed = f"offered: {list_offers(told)}" if told else "nothing else is offered to it"
        return f"{listed}; an administrator can add such a pool, or declare it (policy: pools)"
    count = 1 if request.resource == names.GPU else request.count  # asked: that many are not there
    mend = f"write limits {names.GPU}: {count}"
    if constraints.profile is not None:
        profiles = sorted({o.profile for _, o in may if o.profile})[:_MOST_LISTED]
        mend = f"remove annotation {names.MIG_PROFILE}"
        if profiles:
            listed = " or ".join(each.name for each in profiles)
            mend = f"write annotation {names.MIG_PROFILE}: {listed}"
    others = [each for each in told if each not in may]
    rest = f"; offered to others: {list_offers(others)}" if others else ""
    return f"{mend} for what it may use: {list_offers(may)}{rest}"


def list_offers(offers: Iterable[tuple[NodeGroup, Offer]]) -> str:
    """Return the kinds of offers, each once with its products."""
    kinds = sorted({(f"{o.strategy} {o.resource}", o.product or "unknown GPU") for _, o in offers})
    more = f" and {len(kinds) - _MOST_LISTED} more" if len(kinds) > _MOST_LISTED else ""
    by_kind: dict[str, list[str]] = {}
    for kind, product in kinds[:_MOST_LISTED]:
        by_kind.setdefault(kind, []).append(product)
    return ", ".join(f"{kind} ({', '.join(each)})" for kind, each in by_kind.items()) + more
