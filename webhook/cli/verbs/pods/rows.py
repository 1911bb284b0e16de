"""Pods that ask for a GPU: who they are, how they got it, where they run; one record a pod."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from webhook.cli import output
from webhook.cli.cluster import times
from webhook.cli.cluster.types import LivePod
from webhook.cli.inspect import decision_annotation
from webhook.core.api import names
from webhook.core.api.admission import Mode
from webhook.core.decision import classify
from webhook.core.policy.values import Policy
from webhook.core.record import DecisionRecord

_OVER: Final = ("Succeeded", "Failed")


@dataclass(frozen=True, slots=True)
class Holder:
    """A pod that asks for a GPU. `told` is None without a decision that the pod bears out."""

    live: LivePod
    told: DecisionRecord | None
    workload: str
    tenant: str | None
    mode: str | None

    @property
    def strategy(self) -> str | None:
        """How it got its GPU."""
        return self.told.strategy if self.told else None

    @property
    def over(self) -> bool:
        """Whether it holds no device any more."""
        return self.live.status.phase in _OVER

    @property
    def undecided(self) -> bool:
        """Whether it uses a GPU in an enforcing namespace without a decision."""
        annotated = names.DECISION in (self.live.meta.annotations or {})
        return not (annotated or self.over) and self.mode == Mode.ENFORCE


def of(live: LivePod, labels: Mapping[str, str] | None, policy: Policy) -> Holder | None:
    """Read a pod; None for one without a GPU. `labels` are its namespace's, None if unknown."""
    facts = classify.classify(live.pod, labels or {}, policy)
    if not facts.requests:
        return None
    told = decision_annotation.decision_of(live.pod)
    return Holder(
        live=live,
        told=told,
        workload=(told.workload if told else None) or facts.workload.value,
        tenant=told.tenant if told else facts.tenant,
        mode=(labels or {}).get(names.MODE),
    )


def record(each: Holder, now: datetime) -> dict[str, Any]:
    """What tools get of one pod; the keys are an interface."""
    live, told = each.live, each.told
    owner = live.meta.controller
    reasons = dict.fromkeys(c.reason or "" for c in told.containers) if told else ()
    asks = [{"name": a.container.name, a.resource: a.count} for a in classify.requests_of(live.pod)]
    return {
        "namespace": live.meta.namespace,
        "name": live.meta.name,
        "workload": each.workload,
        "tenant": each.tenant,
        "asked": [{"name": c.name, **c.requested} for c in told.containers] if told else None,
        "gets": asks,
        "strategy": each.strategy,
        "reason": "; ".join(reasons) or None,
        "node": live.pod.spec.node_name,
        "status": live.state,
        "owner": f"{owner.kind}/{owner.name}" if owner else None,
        "mode": each.mode,
        "age": times.age(now, live.meta.creation_timestamp),
    }


def row(told: Mapping[str, Any]) -> dict[str, Any]:
    """The same for a table."""
    return {**told, "gets": _amounts(told["gets"]), "asked": _amounts(told["asked"] or ())}


def _amounts(containers: Iterable[Mapping[str, Any]]) -> list[str]:
    return [
        ", ".join(f"{n} {output.short(key)}" for key, n in each.items() if key != "name")
        for each in containers
    ]


def summary(found: Iterable[Holder]) -> str:
    """How many pods have which strategy; empty where there is none."""
    kept = [each for each in found if not each.over]
    counts = Counter(each.strategy or "without a decision" for each in kept)
    many = ", ".join(f"{n} {strategy}" for strategy, n in sorted(counts.items()))
    return f"Pods with a GPU: {len(kept)} ({many})." if kept else ""
