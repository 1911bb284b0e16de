"""All that can be told of one pod's GPU decision, gathered; and the record that tools get of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from webhook.cli.cluster.client import Access, Right
from webhook.cli.cluster.dry_run import diff, outcome, rebuild, submit
from webhook.cli.cluster.dry_run.outcome import Now, Untried
from webhook.cli.cluster.namespace_policy import Rules
from webhook.cli.cluster.types import LivePod
from webhook.cli.inspect import decision_annotation, own_affinity, provenance
from webhook.core import record as records
from webhook.core.api import names
from webhook.core.api.admission import Mode
from webhook.core.decision import classify
from webhook.core.decision.values import Question
from webhook.core.policy.values import Row, RowName, row_of
from webhook.core.record import DecisionRecord

_REQUIRED: Final = "requiredDuringSchedulingIgnoredDuringExecution"


@dataclass(frozen=True, slots=True)
class Explained:
    """A pod, what its annotation says, and what would be decided now.

    `decision` is None where there is no annotation, or none in our form. `agrees` tells whether
    the pod requests what the annotation says. `now` is None where nothing would be decided.
    """

    live: LivePod
    rules: Rules
    facts: Question
    decision: DecisionRecord | None
    agrees: bool
    now: Now | Untried | None
    source: str

    @property
    def row_name(self) -> RowName:
        """The row of the policy that is for this pod."""
        return row_of(self.facts.workload, self.facts.tenant or None)

    @property
    def row(self) -> Row:
        """What that row says."""
        return self.rules.place.policy.matrix[self.row_name]

    @property
    def difference(self) -> str | None:
        """Why another decision would be made now; None where it is the same, or not comparable."""
        if self.decision is None or not self.agrees or not isinstance(self.now, Now):
            return None
        return diff.difference(self.decision, self.now, self.row)

    @property
    def missing(self) -> tuple[Right, ...]:
        """The rights without which something could not be told."""
        untried = self.now.missing if isinstance(self.now, Untried) else ()
        return (*self.rules.missing, *untried)

    @property
    def undecided(self) -> bool:
        """Whether it asks for a GPU, in an enforcing namespace, without a decision of ours."""
        annotated = names.DECISION in (self.live.meta.annotations or {})
        return bool(self.facts.requests) and self.rules.place.mode is Mode.ENFORCE and not annotated


def gather(access: Access, live: LivePod, found: Rules) -> Explained:
    """Read what is needed and try the pod anew; raise Unavailable."""
    place = found.place
    facts = classify.classify(live.pod, place.labels, place.policy)
    told = records.from_annotation((live.meta.annotations or {}).get(names.DECISION))
    agrees = told is not None and decision_annotation.agrees(told, live.pod)
    if place.mode is None or not (facts.requests or facts.violations):
        return Explained(live, found, facts, told, agrees, None, "")
    made = rebuild.of_pod(access, live)
    return Explained(
        live, found, facts, told, agrees, submit.now(access, made.pod, place), made.source
    )


def pins(live: LivePod) -> list[str]:
    """The pins of a pod in words, each once."""
    affinity = (live.raw.get("spec") or {}).get("affinity") or {}
    required = (affinity.get("nodeAffinity") or {}).get(_REQUIRED) or {}
    found = (
        pin
        for term in required.get("nodeSelectorTerms") or ()
        for pin in own_affinity.split(term.get("matchExpressions") or ())[1]
    )
    return list(dict.fromkeys(map(_words, found)))


def _words(pin: Mapping[str, Any]) -> str:
    values = ", ".join(pin.get("values") or ())
    return f"{pin.get('key')} {pin.get('operator')} {values}".strip()


def record(made: Explained) -> dict[str, Any]:
    """What tools get; the keys are an interface."""
    place, facts = made.rules.place, made.facts
    labels = made.live.labels
    return {
        "namespace": place.namespace,
        "name": made.live.meta.name,
        "mode": made.rules.mode,
        "workload": facts.workload.value,
        "tenant": facts.tenant,
        "node": made.live.pod.spec.node_name,
        "sources": {
            "workload": provenance.of_workload(labels, place.labels, place.policy),
            "tenant": provenance.of_tenant(labels, place.labels),
            "policy": made.rules.policy_source,
        },
        "asks": [
            {"name": a.container.name, "resource": a.resource, "count": a.count}
            for a in facts.requests
        ],
        "decision": _decision(made),
        "pins": pins(made.live),
        "undecided": made.undecided,
        "row": _row(made.row_name, made.row),
        "now": now_record(made),
        "missing": [right.record for right in made.missing],
    }


def _decision(made: Explained) -> dict[str, Any] | None:
    if made.decision is None:
        return None
    told: dict[str, Any] = msgspec.to_builtins(made.decision)
    whole = {key: told[key] for key in ("workload", "tenant", "containers")}
    return {**whole, "strategy": made.decision.strategy, "agrees": made.agrees}


def _row(name: RowName, row: Row) -> dict[str, Any]:
    choices = [{"strategy": each.strategy.value, "on": list(each.on)} for each in row.choices]
    return {
        "name": name.value,
        "strategies": choices,
        "otherwise": row.otherwise.value,
        "severalGpus": row.several_gpus.value,
        "memory": row.memory,
    }


def now_record(made: Explained) -> dict[str, Any] | None:
    """What would be decided now, for tools."""
    if made.now is None:
        return None
    if isinstance(made.now, Untried):
        return {"decided": None, "same": None, "why": made.now.why}
    comparable = made.decision is not None and made.agrees
    same = made.difference is None if comparable else None
    return {"decided": outcome.record(made.now), "same": same, "why": made.difference}
