"""Rows of an audit added up, and as tools get them; judges nothing."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from webhook.cli.cluster.client import metadata
from webhook.cli.verbs.audit.evaluate import Outcome, Row


@dataclass(frozen=True, slots=True)
class Sums:
    """Of some rows: templates by outcome, and GPUs; `refused` are those of refused pods."""

    outcomes: Mapping[Outcome, int]
    pods: int
    before: float
    waiting: float
    after: float
    refused: float
    devices: Mapping[str, int]


def of(rows: Iterable[Row]) -> Sums:
    """Add rows up. GPUs of refused pods are kept apart: they are no saving."""
    kept = tuple(rows)
    allowed = tuple(row for row in kept if row.outcome is not Outcome.REFUSED)
    devices: Counter[str] = Counter()
    for row in allowed:
        devices.update(row.after.devices)
    return Sums(
        outcomes=Counter(row.outcome for row in kept),
        pods=sum(row.pods for row in kept),
        before=sum(row.before for row in allowed),
        waiting=sum(row.waiting for row in allowed),
        after=sum(row.after.gpus for row in allowed),
        refused=sum(row.before for row in kept if row.outcome is Outcome.REFUSED),
        devices=dict(devices),
    )


def by_namespace(rows: Iterable[Row]) -> Mapping[str, tuple[Row, ...]]:
    """Rows by their namespace, in its order."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row.result.namespace, []).append(row)
    return {name: tuple(found[name]) for name in sorted(found)}


def record(row: Row) -> dict[str, Any]:
    """What tools get of one row; the keys are an interface."""
    verdict = row.result.verdict
    data = metadata(row.group.root)
    return {
        "namespace": row.result.namespace,
        "kind": row.group.root["kind"],
        "name": data.get("name", ""),
        "template": row.result.template.path,
        "pods": row.pods,
        "workload": verdict.workload.value if verdict.workload else None,
        "tenant": verdict.tenant,
        "outcome": row.outcome.value,
        "strategy": verdict.strategy if verdict.allowed else None,
        "reason": verdict.reason.code,
        "message": "" if verdict.allowed else verdict.message,
        "warnings": list(verdict.shown_warnings),
        "gpus": {
            "before": round(row.before, 2),
            "waiting": round(row.waiting, 2),
            "after": round(row.after.gpus, 2),
        },
    }
