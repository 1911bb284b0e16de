"""Rows of an audit added up."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from webhook.cli.forecast.evaluate import AuditRow, Outcome


@dataclass(frozen=True, slots=True)
class Totals:
    """Of some rows: templates by outcome, and GPUs. `refused` are those of refused pods."""

    outcomes: Mapping[Outcome, int]
    pods: int
    before: float
    waiting: float
    after: float
    refused: float
    devices: Mapping[str, int]


def add_up(rows: Iterable[AuditRow]) -> Totals:
    """Add rows up. GPUs of refused pods are kept apart: they are no saving."""
    kept = tuple(rows)
    allowed = tuple(row for row in kept if row.outcome is not Outcome.REFUSED)
    devices: Counter[str] = Counter()
    for row in allowed:
        devices.update(row.after.devices)
    return Totals(
        outcomes=Counter(row.outcome for row in kept),
        pods=sum(row.pods for row in kept),
        before=sum(row.before for row in allowed),
        waiting=sum(row.waiting for row in allowed),
        after=sum(row.after.gpus for row in allowed),
        refused=sum(row.before for row in kept if row.outcome is Outcome.REFUSED),
        devices=dict(devices),
    )


def by_namespace(rows: Iterable[AuditRow]) -> Mapping[str, tuple[AuditRow, ...]]:
    """Rows by their namespace, in its order."""
    found: dict[str, list[AuditRow]] = {}
    for row in rows:
        found.setdefault(row.result.namespace, []).append(row)
    return {name: tuple(found[name]) for name in sorted(found)}
