"""What would become of a pod now, as a value, and how it is read from answers; asks nobody."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import msgspec

from webhook.cli.cluster.client import Right
from webhook.cli.inspect import decision_annotation, denial
from webhook.cli.inspect.decision_annotation import Change
from webhook.cli.inspect.denial import Wrong
from webhook.core.admit import Verdict
from webhook.core.api import names, reasons
from webhook.core.api.model import Allocation, Mode
from webhook.core.api.pod import Pod
from webhook.core.checks.registry import REASONS
from webhook.core.decision import classify
from webhook.core.policy.values import Policy
from webhook.kube.connection import Answer

Object = Mapping[str, Any]

DRY_RUN: Final = "a dry run in the cluster"
HERE: Final = "the nodes and the policy, as you may read them"
_SEE: Final = re.compile(r"see \S+#[a-z_]+$")  # the webhook's link behind its warnings
_AUDIT: Final = re.compile(r"audit: would (get|be refused) ?([a-z-]*) ?\(([a-z_]+)\)")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a pod would be created, and by which policy it is read here."""

    namespace: str
    labels: Mapping[str, str]
    policy: Policy

    @property
    def mode(self) -> Mode | None:
        """The namespace's mode; None where it is not opted in."""
        label = self.labels.get(names.MODE)
        return Mode(label) if label in tuple(Mode) else None


@dataclass(frozen=True, slots=True)
class Now:
    """What would be decided now, and by whose word; `changes` may be unknown although allowed.

    `aside` says why the cluster's own word is missing, where it is.
    """

    allowed: bool
    by: str
    workload: str
    tenant: str | None
    strategy: str | None = None
    reason: str | None = None
    changes: tuple[Change, ...] = ()
    wrongs: tuple[Wrong, ...] = ()
    warnings: tuple[str, ...] = ()
    aside: str = ""


@dataclass(frozen=True, slots=True)
class Untried:
    """It cannot be told what would be decided: why, and which rights are missing for it."""

    why: str
    missing: tuple[Right, ...] = ()


def _plain(pod: Object, place: Place) -> Now:
    """What is known without anybody's answer."""
    facts = classify.facts(msgspec.convert(pod, Pod), place.labels, place.policy)
    return Now(allowed=True, by=DRY_RUN, workload=facts.workload.value, tenant=facts.tenant)


def refused(pod: Object, place: Place, wrongs: tuple[Wrong, ...]) -> Now:
    """A refusal with everything that is wrong."""
    code = next((each.code for each in wrongs if each.code), None)
    return replace(
        _plain(pod, place), allowed=False, reason=code.code if code else None, wrongs=wrongs
    )


def heard(answer: Answer, pod: Object, place: Place) -> Now | None:
    """Read what came back; None where it says nothing of a decision.

    The annotation is the webhook's own word: none was sent.
    """
    warnings = tuple(each for each in answer.warnings if not _SEE.match(each))
    found = replace(_plain(pod, place), warnings=warnings)
    if place.mode is Mode.AUDIT:
        return _audited(warnings, found)
    try:
        made = msgspec.json.decode(answer.body, type=Pod)
    except msgspec.DecodeError:
        return None
    if not classify.asks_of(made):
        return replace(found, reason=reasons.NO_GPU.code)
    annotations = (made.metadata.annotations if made.metadata else None) or {}
    told = decision_annotation.read(annotations.get(names.DECISION))
    if told is None:
        return None
    codes = {each.reason for each in told.containers}
    return replace(
        found,
        workload=told.workload,
        tenant=told.tenant,
        strategy=told.strategy,
        reason=codes.pop() if len(codes) == 1 else reasons.MIXED.code,
        changes=told.containers,
    )


def _audited(warnings: tuple[str, ...], found: Now) -> Now | None:
    """Audit mode changes nothing; its first warning says what enforcement would have done."""
    for text in warnings:
        said = _AUDIT.fullmatch(text)
        if said:
            got = said[1] == "get"
            why = () if got else tuple(w for w in warnings if w.endswith(f"[{said[3]}]"))
            rest = tuple(each for each in warnings if each not in (text, *why))
            return replace(
                found, allowed=got, strategy=said[2] or None, reason=said[3], warnings=rest,
                wrongs=() if got else tuple(denial.wrongs("; ".join(why))) or _coded(said[3]),
            )  # fmt: skip
    return None


def _coded(code: str) -> tuple[Wrong, ...]:
    return (Wrong(REASONS.get(code), "audit mode tells the code only"),)


def of_verdict(verdict: Verdict) -> Now:
    """What the core decided by the nodes as they were read."""
    return Now(
        allowed=verdict.allowed,
        by=HERE,
        workload=verdict.workload.value if verdict.workload else "unclassified",
        tenant=verdict.tenant,
        strategy=verdict.strategy if verdict.allowed else None,
        reason=verdict.reason.code,
        changes=tuple(map(_change, verdict.given)) if verdict.allowed else (),
        wrongs=tuple(denial.wrongs(verdict.message)) if not verdict.allowed else (),
        warnings=verdict.warnings,
    )


def _change(given: Allocation) -> Change:
    ask = given.ask
    return Change(
        name=ask.place.name,
        asked={ask.resource: ask.count},
        given={given.offer.resource: ask.count},
        strategy=given.offer.strategy.value,
        reason=given.reason.code,
    )


def record(now: Now) -> dict[str, Any]:
    """One answer, for tools."""
    return {
        "allowed": now.allowed,
        "by": now.by,
        "workload": now.workload,
        "tenant": now.tenant,
        "strategy": now.strategy,
        "reason": now.reason,
        "containers": msgspec.to_builtins(now.changes),
        "wrong": [
            {"reason": w.code.code if w.code else None, "message": w.text} for w in now.wrongs
        ],
        "warnings": list(now.warnings),
        "aside": now.aside or None,
    }
