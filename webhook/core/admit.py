"""One admission is one function: `admit`. It reads nothing but its arguments, changes nothing."""

from dataclasses import dataclass, replace
from typing import Final

from webhook.core.api import limits, reasons
from webhook.core.api.model import (
    Allocation,
    Ask,
    Decision,
    Facts,
    Inventory,
    Mode,
    Request,
    Role,
    Side,
    Violation,
    Workload,
)
from webhook.core.api.reason import Reason, truncate
from webhook.core.checks import registry
from webhook.core.checks.finding import Finding
from webhook.core.decision import classify, safety
from webhook.core.decision import decide as decision
from webhook.core.patch import render as patch
from webhook.core.patch.render import Op
from webhook.core.policy.values import Policy, of_tenant

_MOST_TOLD: Final = 20  # a pod may have thousands of containers, a person reads the first


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer to one Request. `message` says why in whole sentences, for people.

    In audit mode `allowed` is true and `patch` empty; `would_allow` keeps what was decided.
    """

    allowed: bool
    reason: Reason
    message: str = ""
    workload: Workload | None = None
    tenant: str | None = None
    strategy: str | None = None
    asks: tuple[Ask, ...] = ()
    given: tuple[Allocation, ...] = ()
    violations: tuple[Violation, ...] = ()
    patch: tuple[Op, ...] = ()
    warnings: tuple[str, ...] = ()
    would_allow: bool = True


def let_through(reason: Reason) -> Verdict:
    """Allowed and unchanged, for a reason that has nothing to do with the pod's asks."""
    return Verdict(allowed=True, reason=reason, message=reason.sentence)


def admit(request: Request, policy: Policy, inventory: Inventory) -> Verdict:
    """Decide one request.

    | side | operation | answer |
    |---|---|---|
    | mutate | CREATE of a Pod | denied, or allowed with a patch |
    | mutate | UPDATE of pods/ephemeralcontainers | GPUs hidden from what is added |
    | validate | CREATE | denied for anything unsafe |
    | validate | UPDATE, also of subresources | denied for what it newly makes unsafe |
    | any | anything else, or by an exempt user | allowed, untouched |
    """
    if request.pod is None or not _reviewed(request):
        return let_through(reasons.NOT_REVIEWED)
    if request.user in policy.exempt_users:
        return let_through(reasons.EXEMPT)
    large = limits.too_large(request.pod)
    if large is not None:
        return _of_large(request, large)
    facts = classify.facts(request.pod, request.namespace_labels, policy)
    if request.side is Side.VALIDATE:
        verdict = _validate(request, facts, policy)
    elif request.subresource:
        verdict = _hide_from_added(request, facts)
    else:
        verdict = _mutate(facts, policy, inventory)
    return _audited(verdict) if request.mode is Mode.AUDIT else verdict


def _of_large(request: Request, large: Violation) -> Verdict:
    """Refused, unless it was there and as large before: then nobody could change it any more."""
    if request.old_pod is not None and limits.too_large(request.old_pod) is not None:
        return let_through(reasons.NOT_REVIEWED)
    refused = Verdict(
        allowed=False,
        reason=large.reason,
        message=large.text,
        violations=(large,),
        would_allow=False,
    )
    return _audited(refused) if request.mode is Mode.AUDIT else refused


def _reviewed(request: Request) -> bool:
    if request.side is Side.MUTATE and request.subresource:
        return (request.subresource, request.operation) == ("ephemeralcontainers", "UPDATE")
    if request.side is Side.MUTATE:
        return request.operation == "CREATE"
    return request.operation in ("CREATE", "UPDATE")


def _mutate(facts: Facts, policy: Policy, inventory: Inventory) -> Verdict:
    decided = decision.decide(facts, policy, inventory)
    if decided.violations:
        return _denied(facts, decided.violations, decided.warnings)
    reason = _common(decided)
    return replace(
        _allowed(facts, reason),
        strategy=patch.strategy_of(decided.given),
        given=decided.given,
        patch=patch.render(facts, decided),
        warnings=decided.warnings,
    )


def _common(decided: Decision) -> Reason:
    found = {given.reason for given in decided.given}
    if len(found) > 1:
        return reasons.MIXED
    return next(iter(found), reasons.NO_GPU)


def _validate(request: Request, facts: Facts, policy: Policy) -> Verdict:
    found = _findings(facts, policy)
    if request.mode is Mode.AUDIT:  # which leaves every pod as it was, so that says nothing of it
        found = tuple(f for f in found if f.violation.reason is not reasons.NOT_REWRITTEN)
    if request.operation == "UPDATE" and request.old_pod is not None:
        before = classify.facts(request.old_pod, request.namespace_labels, policy)
        found = registry.introduced(found, _findings(before, policy))
    tenant = of_tenant(facts.workload, facts.tenant)
    refused, warnings = registry.judge(found, policy, tenant=tenant)
    if refused:
        return _denied(facts, refused, warnings)
    reason = reasons.SAFE if facts.asks else reasons.NO_GPU
    return replace(_allowed(facts, reason), warnings=warnings)


def _findings(facts: Facts, policy: Policy) -> tuple[Finding, ...]:
    """All that is wrong with a pod at once, so that one mend suffices."""
    seen = safety.subject_of(facts)
    malformed = (Finding(each) for each in facts.violations)
    found = (*malformed, *safety.unsafe_requests(facts, seen, policy), *registry.check(seen))
    return tuple(dict.fromkeys(found))


def _hide_from_added(request: Request, facts: Facts) -> Verdict:
    """Existing ephemeral containers cannot change any more; only the new ones are ours to set."""
    old = request.old_pod.spec.ephemeral_containers if request.old_pod else None
    present = {container.name for container in old or ()}
    added = tuple(
        place for place in facts.idle if place.role is Role.EPHEMERAL and place.name not in present
    )
    hidden = tuple(patch.hide(facts.pod, added))
    return replace(_allowed(facts, reasons.NO_GPU), patch=hidden)


def _allowed(facts: Facts, reason: Reason) -> Verdict:
    said = let_through(reason)
    return replace(said, workload=facts.workload, tenant=facts.tenant, asks=facts.asks)


def _denied(facts: Facts, violations: tuple[Violation, ...], warnings: tuple[str, ...]) -> Verdict:
    return Verdict(
        allowed=False,
        reason=violations[0].reason,
        message=_message(violations),
        workload=facts.workload,
        tenant=facts.tenant,
        asks=facts.asks,
        violations=violations,
        warnings=warnings,
        would_allow=False,
    )


def _message(violations: tuple[Violation, ...]) -> str:
    """All violations in one message; of a great many, the first and their number."""
    texts = list(dict.fromkeys(each.text for each in violations))
    more = len(texts) - _MOST_TOLD
    told = "; ".join(texts[:_MOST_TOLD])
    return f"{told}; and {more} more" if more > 0 else told


def _audited(verdict: Verdict) -> Verdict:
    """Nothing is changed or refused; what would have been, and why, becomes warnings."""
    if not verdict.allowed:
        why = truncate(verdict.message, verdict.reason)
        texts: tuple[str, ...] = (f"audit: would be refused ({verdict.reason})", why)
    elif verdict.patch:
        texts = (f"audit: would get {verdict.strategy or 'GPUs hidden'} ({verdict.reason})",)
    else:
        return verdict
    return replace(verdict, allowed=True, patch=(), warnings=(*texts, *verdict.warnings))
