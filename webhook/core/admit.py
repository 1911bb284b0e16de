"""One admission is one function: `admit`. It reads nothing but its arguments, changes nothing."""

from typing import Final

from msgspec.structs import replace

from webhook.core import pod_annotation
from webhook.core.api import denials, limits, names, pod, reasons
from webhook.core.api.added import added_part
from webhook.core.api.admission import AdmissionRequest, Mode, Side
from webhook.core.api.containers import Role
from webhook.core.api.pod import Pod
from webhook.core.api.reason import Reason
from webhook.core.api.violation import Violation
from webhook.core.checks import registry
from webhook.core.checks.finding import Finding, Subject
from webhook.core.decision import findings, safety
from webhook.core.decision.classify import classify
from webhook.core.decision.decide import decide
from webhook.core.decision.values import Decision, Question
from webhook.core.gpu.values import Inventory
from webhook.core.patch import affinity
from webhook.core.patch import render as patch
from webhook.core.policy.values import Policy
from webhook.core.verdict import Verdict, allowed, allowed_question, audited, denied

_PATCHED: Final = ("env.CUDA_VERSION", f"metadata.labels[{names.STRATEGY}]")
"""Fields in which checks find nothing once the patch has been applied."""


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
    large = limits.TOO_MANY_PARTS if request.too_large else limits.too_large(request.pod)
    if large is not None:
        return _admit_large(request, large, policy)
    question = classify(request.pod, request.namespace_labels, policy)
    if request.side is Side.VALIDATE:
        verdict = _validate(request, question, policy)
    elif request.subresource:
        verdict = _hide_from_added(request, question)
    else:
        verdict = _mutate(request, question, policy, inventory)
    return audited(verdict) if request.mode is Mode.AUDIT else verdict


def _admit_large(request: AdmissionRequest, large: Violation, policy: Policy) -> Verdict:
    """Refuse a pod that is too large, unless it was before and adds nothing bad.

    Else nobody could change an existing one any more, or everybody could add anything to it.
    """
    old, now = request.old_pod, request.pod
    if now is None or old is None or limits.too_large(old) is None:
        return _denied_too_large(request, large)
    if request.side is Side.MUTATE:
        return allowed(reasons.NOT_REVIEWED)
    added = added_part(old, now)
    still = limits.too_large(added)
    if still is not None:
        return _denied_too_large(request, still)
    verdict = _validate(
        replace(request, old_pod=None), classify(added, request.namespace_labels, policy), policy
    )
    return audited(verdict) if request.mode is Mode.AUDIT else verdict


def _denied_too_large(request: AdmissionRequest, large: Violation) -> Verdict:
    refused = Verdict(
        allowed=False,
        reason=large.reason,
        message=large.text,
        violations=(large,),
        would_allow=False,
    )
    return audited(refused) if request.mode is Mode.AUDIT else refused


def _reviewed(request: AdmissionRequest) -> bool:
    if request.side is Side.MUTATE and request.subresource:
        return (request.subresource, request.operation) == ("ephemeralcontainers", "UPDATE")
    if request.side is Side.MUTATE:
        return request.operation == "CREATE"
    return request.operation in ("CREATE", "UPDATE")


def _mutate(
    request: AdmissionRequest, question: Question, policy: Policy, inventory: Inventory
) -> Verdict:
    decided = decide(question, policy, inventory)
    if decided.violations:
        unasked = () if request.mode is Mode.AUDIT else _of_validate(question, policy)
        return denied(question, (*decided.violations, *unasked), decided.warnings)
    verdict = replace(
        allowed_question(question, _common(decided), decided.allocations),
        strategy=patch.pod_strategy(decided.allocations),
        warnings=decided.warnings,
    )
    return replace(
        verdict, patch=patch.render(question, decided, _annotation(question.pod, verdict))
    )


def _of_validate(question: Question, policy: Policy) -> tuple[Violation, ...]:
    """What /validate, which is not asked after a refusal, would refuse too."""
    checked = registry.run_checks(safety.subject_of(question, policy))
    found = tuple(each for each in checked if each.violation.field not in _PATCHED)
    isolated = question.constraints.isolated
    return findings.treat_findings(found, policy, isolated=isolated).refused


def _annotation(subject: Pod, verdict: Verdict) -> str | None:
    """The decision annotation that the pod lacks.

    None where it tells that already.
    """
    if not verdict.allocations:
        return None
    added = affinity.added(subject, verdict.allocations)
    wanted = pod_annotation.write(verdict.record, added)
    present = pod.annotations(subject).get(names.DECISION)
    return None if pod_annotation.tells_the_same(present, wanted) else wanted


def _common(decided: Decision) -> Reason:
    found = {each.reason for each in decided.allocations}
    if len(found) > 1:
        return reasons.MIXED
    return next(iter(found), reasons.NO_GPU)


def _validate(request: AdmissionRequest, question: Question, policy: Policy) -> Verdict:
    seen = safety.subject_of(question, policy)
    found = _findings(question, seen)
    if request.mode is Mode.AUDIT:  # which leaves every pod as it was, so that says nothing of it
        found = tuple(f for f in found if f.violation.reason is not denials.NOT_REWRITTEN)
    if request.operation == "UPDATE" and request.old_pod is not None:
        before = classify(request.old_pod, request.namespace_labels, policy)
        old = replace(
            safety.subject_of(before, policy),
            namespace_tenant=seen.namespace_tenant,
            isolated=seen.isolated,
        )  # a label that changes whose pod it is brings nothing else into it
        found = findings.introduced(found, _findings(before, old))
    judged = findings.treat_findings(found, policy, isolated=question.constraints.isolated)
    if judged.refused:
        return denied(question, judged.refused, judged.warnings)
    reason = reasons.SAFE if question.requests else reasons.NO_GPU
    return replace(
        allowed_question(question, reason), warnings=judged.warnings, warned=judged.warned
    )


def _findings(question: Question, seen: Subject) -> tuple[Finding, ...]:
    """All that is wrong with a pod at once, so that one mend suffices."""
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
    return replace(allowed_question(question, reasons.NO_GPU), patch=hidden)
