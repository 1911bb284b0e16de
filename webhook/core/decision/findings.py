"""The treatment of findings, by the policy and the pod's tenant."""

from typing import Final

from msgspec import Struct

from webhook.core.api.reason import Reason, truncate
from webhook.core.api.violation import Violation
from webhook.core.checks.check import Treatment
from webhook.core.checks.finding import Finding
from webhook.core.checks.registry import ONLY_CREATED
from webhook.core.policy.values import Policy, treatment

_MOST_WARNED: Final = 5


def introduced(now: tuple[Finding, ...], before: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Return what an update makes worse: an older pod's label can always be changed."""
    known = frozenset(before)
    return tuple(
        each for each in now if each not in known and each.violation.reason not in ONLY_CREATED
    )


class TreatedFindings(Struct, frozen=True):
    """What refuses a pod, what only warns of it, and the reasons of those warnings."""

    refused: tuple[Violation, ...]
    warnings: tuple[str, ...]
    warned: tuple[Reason, ...]


def treat_findings(
    found: tuple[Finding, ...], policy: Policy, *, isolated: bool
) -> TreatedFindings:
    """Return what refuses the pod and what only warns, by the policy."""
    treated = [
        (each.violation, treatment(policy, each.violation.reason, isolated=isolated))
        for each in found
    ]
    refused = tuple(each for each, what in treated if what is Treatment.REFUSE)
    warned = {
        truncate(each.text, each.reason): each.reason
        for each, what in treated
        if what is Treatment.WARN
    }
    return TreatedFindings(refused, _first(tuple(warned)), tuple(dict.fromkeys(warned.values())))


def _first(texts: tuple[str, ...]) -> tuple[str, ...]:
    if len(texts) <= _MOST_WARNED:
        return texts
    kept = _MOST_WARNED - 1
    return (*texts[:kept], f"and {len(texts) - kept} more warnings of this kind")
