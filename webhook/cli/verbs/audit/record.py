"""An audit as tools get it. The keys are an interface."""

from collections.abc import Iterable
from typing import Any

from webhook.cli.cluster.client import metadata
from webhook.cli.forecast import totals
from webhook.cli.forecast.collect import Audit
from webhook.cli.forecast.evaluate import AuditRow, Outcome
from webhook.core.api import names
from webhook.core.api.admission import Mode


def audit_record(found: Audit) -> dict[str, Any]:
    """Return the whole audit."""
    return {
        "namespace": found.namespace,
        "policy": found.policy,
        "nodes": found.context.inventory.nodes,
        "summary": _summary(found.rows),
        "namespaces": [
            {"name": name, "mode": found.mode_of(name), **_summary(rows)}
            for name, rows in totals.by_namespace(found.rows).items()
        ],
        "workloads": [row_record(row) for row in found.rows],
        "untouched": found.idle,
        "notes": list(found.notes),
        "turnOn": turn_on_command(found.namespace) if found.namespace else None,
    }


def _summary(rows: Iterable[AuditRow]) -> dict[str, Any]:
    total = totals.add_up(rows)
    amounts = ("before", "waiting", "after", "refused")
    return {
        **{each.value: total.outcomes.get(each, 0) for each in Outcome},
        "pods": total.pods,
        "gpus": {key: round(getattr(total, key), 2) for key in amounts},
        "devices": dict(total.devices),
    }


def row_record(row: AuditRow) -> dict[str, Any]:
    """Return one row."""
    verdict = row.result.verdict
    gpus = {"before": row.before, "waiting": row.waiting, "after": row.after.gpus}
    return {
        "namespace": row.result.namespace,
        "kind": row.group.root["kind"],
        "name": metadata(row.group.root).get("name", ""),
        "template": row.result.template.path,
        "pods": row.pods,
        "workload": verdict.workload.value if verdict.workload else None,
        "tenant": verdict.tenant,
        "outcome": row.outcome.value,
        "strategy": verdict.strategy if verdict.allowed else None,
        "reason": verdict.reason.code,
        "message": "" if verdict.allowed else verdict.message,
        "warnings": list(verdict.shown_warnings),
        "gpus": {key: round(number, 2) for key, number in gpus.items()},
    }


def turn_on_command(namespace: str) -> str:
    """Return the one command that turns enforcement on."""
    return f"kubectl label --overwrite namespace {namespace} {names.MODE}={Mode.ENFORCE.value}"
