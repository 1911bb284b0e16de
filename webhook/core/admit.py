"""One admission is one function: `admit`. It reads nothing but its arguments, changes nothing."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

from webhook.core import record
from webhook.core.api import limits, names, pod, reasons
from webhook.core.api.admission import AdmissionRequest, Mode, Side
from webhook.core.api.containers import Role
from webhook.core.api.pod import Pod
from webhook.core.api.reason import Reason, truncate
from webhook.core.api.violation import Violation
from webhook.core.api.workload import Workload
from webhook.core.checks import registry
from webhook.core.checks.finding import Finding
from webhook.core.decision import findings, safety
from webhook.core.decision.classify import classify
from webhook.core.decision.decide import decide
from webhook.core.decision.values import Allocation, Decision, GpuRequest, Question
from webhook.core.gpu.values import Inventory
from webhook.core.patch import render as patch
from webhook.core.patch.render import Op
from webhook.core.policy.values import Policy
from webhook.core.record_values import ContainerChange, DecisionRecord

_MOST_TOLD: Final = 20  # a pod may have thousands of containers, a person reads the first


@dataclass(frozen=True)
class Verdict:
    """The answer to one AdmissionRequest. `message` says why in whole sentences, for people.

    In audit mode `allowed` is true and `patch` empty; `would_allow` keeps what was decided, and
    `audit_warnings` say what enforcement would have done. `warned` are the reasons of what the
    checks warn of.
    """

    allowed: bool
    reason: Reason
    message: str = ""
    workload: Workload | None = None
    tenant: str | None = None
    strategy: str | None = None
    requests: tuple[GpuRequest, ...] = ()
    allocations: tuple[Allocation, ...] = ()
    violations: tuple[Violation, ...] = ()
    containers: tuple[ContainerChange, ...] = ()
    patch: tuple[Op, ...] = ()
    warnings: tuple[str, ...] = ()
    warned: tuple[Reason, ...] = ()
    audit_warnings: tuple[str, ...] = ()
    would_allow: bool = True

    @property
    def shown_warnings(self) -> tuple[str, ...]:
        """Every warning for whoever sends the request, those of audit mode first."""
        return (*self.audit_warnings, *self.warnings)

    @cached_property
    def record(self) -> DecisionRecord:
        """The decision as it is recorded, whether it takes effect or not."""
        return DecisionRecord(
            workload=self.workload.value if self.workload else None,
            tenant=self.tenant,
            strategy=self.strategy,
            allowed=self.would_allow,
            reason=self.reason.code,
            message=None if self.would_allow else self.message,
            containers=self.containers,
            violations=record.causes_of(self.violations),
            warnings=self.warnings,
        )


def allowed(reason: Reason) -> Verdict:
    """Return that a pod is allowed as it is, whatever it requests."""
    return Verdict(allowed=True, reason=reason, message=reason.sentence)


def admit(request: AdmissionRequest, policy: Policy, inventory: Inventory) -> Verdict:
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
        return allowed(reasons.NOT_REVIEWED)
    if request.user in policy.exempt_users:
        return allowed(reasons.EXEMPT)
    large = limits.too_large(request.pod)
    if large is not None:
        return _denied_too_large(request, large)
    question = classify(request.pod, request.namespace_labels, policy)
    if request.side is Side.VALIDATE:
        verdict = _validate(request, question, policy)
    elif request.subresource:
        verdict = _hide_from_added(request, question)
    else:
        verdict = _mutate(question, policy, inventory)
    return _audited(verdict) if request.mode is Mode.AUDIT else verdict


def _denied_too_large(request: AdmissionRequest, large: Violation) -> Verdict:
    """Refuse a pod that is too large, unless it was as large before.

    Else nobody could change an existing one any more.
    """
    if request.old_pod is not None and limits.too_large(request.old_pod) is not None:
        return allowed(reasons.NOT_REVIEWED)
    refused = Verdict(
        allowed=False,
        reason=large.reason,
        message=large.text,
        violations=(large,),
        would_allow=False,
    )
    return _audited(refused) if request.mode is Mode.AUDIT else refused


def _reviewed(request: AdmissionRequest) -> bool:
    if request.side is Side.MUTATE and request.subresource:
        return (request.subresource, request.operation) == ("ephemeralcontainers", "UPDATE")
    if request.side is Side.MUTATE:
        return request.operation == "CREATE"
    return request.operation in ("CREATE", "UPDATE")


def _mutate(question: Question, policy: Policy, inventory: Inventory) -> Verdict:
    decided = decide(question, policy, inventory)
    if decided.violations:
        return _denied(question, decided.violations, decided.warnings)
    verdict = replace(
        _verdict(question, _common(decided), decided.allocations),
        strategy=patch.pod_strategy(decided.allocations),
        warnings=decided.warnings,
    )
    return replace(
        verdict, patch=patch.render(question, decided, _annotation(question.pod, verdict))
    )


def _annotation(subject: Pod, verdict: Verdict) -> str | None:
    """The decision annotation that the pod lacks.

    None where it tells that already.
    """
    wanted = record.to_annotation(verdict.record) if verdict.allocations else ""
    present = pod.annotations(subject).get(names.DECISION)
    return None if record.same_annotation(present, wanted) else wanted


def _common(decided: Decision) -> Reason:
    found = {each.reason for each in decided.allocations}
    if len(found) > 1:
        return reasons.MIXED
    return next(iter(found), reasons.NO_GPU)


def _validate(request: AdmissionRequest, question: Question, policy: Policy) -> Verdict:
    found = _findings(question)
    if request.mode is Mode.AUDIT:  # which leaves every pod as it was, so that says nothing of it
        found = tuple(f for f in found if f.violation.reason is not reasons.NOT_REWRITTEN)
    if request.operation == "UPDATE" and request.old_pod is not None:
        before = classify(request.old_pod, request.namespace_labels, policy)
        found = findings.introduced(found, _findings(before))
    judged = findings.treat_findings(found, policy, tenant=question.constraints.isolated)
    if judged.refused:
        return _denied(question, judged.refused, judged.warnings)
    reason = reasons.SAFE if question.requests else reasons.NO_GPU
    return replace(_verdict(question, reason), warnings=judged.warnings, warned=judged.warned)


def _findings(question: Question) -> tuple[Finding, ...]:
    """All that is wrong with a pod at once, so that one mend suffices."""
    seen = safety.subject_of(question)
    malformed = (Finding(each) for each in question.violations)
    found = (*malformed, *safety.unsafe_requests(question, seen), *registry.run_checks(seen))
    return tuple(dict.fromkeys(found))


def _hide_from_added(request: AdmissionRequest, question: Question) -> Verdict:
    """Existing ephemeral containers cannot change any more.

    Only the new ones are ours to set.
    """
    old = request.old_pod.spec.ephemeral_containers if request.old_pod else None
    present = {container.name for container in old or ()}
    added = tuple(
        ref for ref in question.idle if ref.role is Role.EPHEMERAL and ref.name not in present
    )
    hidden = tuple(patch.hide(question, added))
    return replace(_verdict(question, reasons.NO_GPU), patch=hidden)


def _verdict(
    question: Question, reason: Reason, allocations: tuple[Allocation, ...] = ()
) -> Verdict:
    """Allowed, for a reason that the question gives."""
    return Verdict(
        allowed=True,
        reason=reason,
        message=reason.sentence,
        workload=question.workload,
        tenant=question.tenant,
        requests=question.requests,
        allocations=allocations,
        containers=record.container_changes(question.requests, allocations),
    )


def _denied(
    question: Question, violations: tuple[Violation, ...], warnings: tuple[str, ...]
) -> Verdict:
    return replace(
        _verdict(question, violations[0].reason),
        allowed=False,
        message=_message(violations),
        violations=violations,
        warnings=warnings,
        would_allow=False,
    )


def _message(violations: tuple[Violation, ...]) -> str:
    """All violations in one message.

    Of a great many, the first and their number.
    """
    texts = list(dict.fromkeys(each.text for each in violations))
    more = len(texts) - _MOST_TOLD
    told = "; ".join(texts[:_MOST_TOLD])
    return f"{told}; and {more} more" if more > 0 else told


def _audited(verdict: Verdict) -> Verdict:
    """Nothing is changed or refused.

    What would have been, and why, becomes warnings.
    """
    if not verdict.allowed:
        why = truncate(verdict.message, verdict.reason)
        texts: tuple[str, ...] = (f"audit: would be refused ({verdict.reason})", why)
    elif verdict.patch:
        texts = (f"audit: would get {verdict.strategy or 'GPUs hidden'} ({verdict.reason})",)
    else:
        return verdict
    return replace(verdict, allowed=True, patch=(), audit_warnings=texts)
