"""The verdict on one admission request, and how it is made."""

from functools import cached_property
from typing import Final

from msgspec import Struct
from msgspec.structs import force_setattr, replace

from webhook.core import record
from webhook.core.api.reason import Reason, printable, truncate
from webhook.core.api.violation import Violation
from webhook.core.api.workload import Workload
from webhook.core.decision.values import Allocation, GpuRequest, Question
from webhook.core.patch.operation import Op
from webhook.core.record_values import ContainerChange, DecisionRecord, ShortRecord

_MOST_TOLD: Final = 20  # a pod may have thousands of containers, a person reads the first


class Verdict(Struct, frozen=True, dict=True):
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

    def __post_init__(self) -> None:
        """Clean the warnings, in which words of the pod stand."""
        force_setattr(self, "warnings", tuple(map(printable, self.warnings)))

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

    @cached_property
    def short_record(self) -> ShortRecord:
        """The record as a line of the log and a Status hold it."""
        return record.shortened(self.record)


def allowed(reason: Reason) -> Verdict:
    """Return that a pod is allowed as it is, whatever it requests."""
    return Verdict(allowed=True, reason=reason, message=reason.sentence)


def allowed_question(
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


def denied(
    question: Question, violations: tuple[Violation, ...], warnings: tuple[str, ...]
) -> Verdict:
    """Return that a pod is denied, with every violation in one message."""
    return replace(
        allowed_question(question, violations[0].reason),
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


def audited(verdict: Verdict) -> Verdict:
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
