"""An audit as a value, and as tools get it; reads and prints nothing."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from webhook.cli.evaluate import Court
from webhook.cli.verbs.audit import totals
from webhook.cli.verbs.audit.evaluate import Outcome, Row
from webhook.core.api import names
from webhook.core.api.admission import Mode


@dataclass(frozen=True, slots=True)
class Audit:
    """What was looked at and what came of it; `idle` are the workloads that touch no GPU."""

    namespace: str | None
    court: Court
    policy: str
    rows: tuple[Row, ...]
    idle: int
    notes: tuple[str, ...]


def record(made: Audit) -> dict[str, Any]:
    """What tools get; the keys are an interface."""
    labels = made.court.cluster.namespaces
    return {
        "namespace": made.namespace,
        "policy": made.policy,
        "nodes": made.court.inventory.nodes,
        "summary": _summary(made.rows),
        "namespaces": [
            {"name": name, "mode": mode_of(labels, name), **_summary(rows)}
            for name, rows in totals.by_namespace(made.rows).items()
        ],
        "workloads": [totals.record(row) for row in made.rows],
        "untouched": made.idle,
        "notes": list(made.notes),
        "turnOn": turn_on(made.namespace) if made.namespace else None,
    }


def mode_of(labels: Mapping[str, Mapping[str, str]], namespace: str) -> str | None:
    """The mode that a namespace is in now; None where it did not opt in."""
    return labels.get(namespace, {}).get(names.MODE)


def turn_on(namespace: str) -> str:
    """The one command that turns enforcement on."""
    return f"kubectl label --overwrite namespace {namespace} {names.MODE}={Mode.ENFORCE.value}"


def _summary(rows: Iterable[Row]) -> dict[str, Any]:
    total = totals.of(rows)
    return {
        **{each.value: total.outcomes.get(each, 0) for each in Outcome},
        "pods": total.pods,
        "gpus": {
            "before": round(total.before, 2),
            "waiting": round(total.waiting, 2),
            "after": round(total.after, 2),
            "refused": round(total.refused, 2),
        },
        "devices": dict(total.devices),
    }
