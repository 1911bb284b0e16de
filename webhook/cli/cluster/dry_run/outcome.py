"""What would become of a pod now, read from the answer of a dry run."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import msgspec

from webhook.cli.cluster.client import Permission
from webhook.cli.inspect.denial import By, Denial
from webhook.core import pod_annotation
from webhook.core import record as records
from webhook.core.api import names, reasons
from webhook.core.api.admission import Mode
from webhook.core.api.pod import Pod
from webhook.core.decision import classify
from webhook.core.policy.values import Policy
from webhook.core.record_values import Cause, ContainerChange, DecisionRecord
from webhook.core.verdict import Verdict
from webhook.kube.api_request import ApiAnswer

Object = Mapping[str, Any]

DRY_RUN: Final = "a dry run in the cluster"
HERE: Final = "the nodes and the policy, as you may read them"


@dataclass(frozen=True, slots=True)
class PodPlace:
    """Where a pod would be created, and by which policy it is read here."""

    namespace: str
    labels: Mapping[str, str]
    policy: Policy

    @property
    def mode(self) -> Mode | None:
        """The namespace's mode. It is None where it is not opted in."""
        label = self.labels.get(names.MODE)
        return Mode(label) if label in tuple(Mode) else None


@dataclass(frozen=True, slots=True)
class Now:
    """What would be decided now, and by whose word. `changes` may be unknown although allowed.

    `text` is a refusal in the API server's words; `aside` says why the cluster's own word is
    missing, where it is, and `kept_out` who refuses the pod whatever was decided.
    """

    allowed: bool
    by: str
    workload: str
    tenant: str | None
    strategy: str | None = None
    reason: str | None = None
    changes: tuple[ContainerChange, ...] = ()
    causes: tuple[Cause, ...] = ()
    warnings: tuple[str, ...] = ()
    text: str = ""
    aside: str = ""
    kept_out: By | None = None


@dataclass(frozen=True, slots=True)
class Untried:
    """An outcome that is not known: why, and which permissions are missing."""

    why: str
    missing: tuple[Permission, ...] = ()
    refused: By | None = None


def _plain(pod: Object, place: PodPlace) -> Now:
    """What is known without anybody's answer."""
    facts = classify.classify(msgspec.convert(pod, Pod), place.labels, place.policy)
    return Now(allowed=True, by=DRY_RUN, workload=facts.workload.value, tenant=facts.tenant)


def refused(pod: Object, place: PodPlace, found: Denial) -> Now:
    """A refusal with everything that is wrong."""
    code = next((each.reason for each in found.causes if each.reason), None)
    return replace(
        _plain(pod, place), allowed=False, reason=code, causes=found.causes, text=found.text
    )


def read_answer(answer: ApiAnswer, pod: Object, place: PodPlace) -> Now | None:
    """Read what came back, None where it says nothing of a decision.

    | namespace | the decision |
    |---|---|
    | enforcing | the annotation of the pod, which is the webhook's own: none was sent |
    | audited | the record that the webhook gives as a warning where a dry run asks for it |
    """
    recorded = next(filter(None, map(records.from_json, answer.warnings)), None)
    if place.mode is Mode.AUDIT:
        return _of_record(recorded) if recorded else None
    try:
        made = msgspec.json.decode(answer.body, type=Pod)
    except msgspec.DecodeError:
        return None
    warnings = recorded.warnings if recorded else answer.warnings
    found = replace(_plain(pod, place), warnings=warnings)
    if not classify.requests_of(made):
        return replace(found, reason=reasons.NO_GPU.code)
    annotations = (made.metadata.annotations if made.metadata else None) or {}
    noted = pod_annotation.read(annotations.get(names.DECISION))
    return replace(_of_record(noted), warnings=warnings) if noted else None


def _of_record(recorded: DecisionRecord, by: str = DRY_RUN) -> Now:
    return Now(
        allowed=recorded.allowed,
        by=by,
        workload=recorded.workload or "unclassified",
        tenant=recorded.tenant,
        strategy=recorded.strategy if recorded.allowed else None,
        reason=recorded.reason,
        changes=tuple(each for each in recorded.containers if each.given)
        if recorded.allowed
        else (),
        causes=recorded.violations if not recorded.allowed else (),
        warnings=recorded.warnings,
    )


def of_verdict(verdict: Verdict) -> Now:
    """What the core decided by the nodes as they were read."""
    return _of_record(verdict.record, HERE)


def to_record(now: Now) -> dict[str, Any]:
    """One answer, for tools."""
    return {
        "allowed": now.allowed,
        "by": now.by,
        "workload": now.workload,
        "tenant": now.tenant,
        "strategy": now.strategy,
        "reason": now.reason,
        "containers": msgspec.to_builtins(now.changes),
        "wrong": [{"reason": c.reason or None, "message": c.text} for c in now.causes],
        "warnings": list(now.warnings),
        "aside": now.aside or None,
        "keptOut": now.kept_out,
    }
