"""An audit as a person reads it, and as tools do."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from webhook.cli import output, verdicts
from webhook.cli.cluster.client import metadata
from webhook.cli.forecast import totals
from webhook.cli.forecast.collect import Audit
from webhook.cli.forecast.evaluate import AuditRow, Outcome
from webhook.cli.forecast.totals import Totals
from webhook.cli.output import Rendering
from webhook.cli.text import Paragraph, Text
from webhook.cli.verbs.audit.record import audit_record, turn_on_command
from webhook.core.api.admission import Mode
from webhook.core.api.quantity import counted
from webhook.core.api.reason import Reason

_NAMESPACES: Final = (
    ("NAMESPACE", "name"), ("MODE NOW", "mode"), ("PODS", "pods"), ("CHANGED", "changed"),
    ("NODE AFFINITY", "nodeAffinity"), ("SAME", "unchanged"), ("REFUSED", "refused"),
    ("GPUS NOW", "before"), ("THEN", "after"), ("OF REFUSED", "lost"),
)  # fmt: skip
_WORKLOADS: Final = (
    ("WORKLOAD", "who"), ("PODS", "pods"), ("IS FOR", "for"), ("REQUESTS", "requested"),
    ("WOULD GET", "given"), ("HOW", "how"),
)  # fmt: skip
_LEAST_FIRST: Final = ("for", "pods", "requested")
_REASONS: Final = (
    ("WHY REFUSED", "reason"), ("HOW MANY", "workloads"), ("WHAT IT MEANS", "means"),
    ("FOR EXAMPLE", "first"),
)  # fmt: skip
_WIDE: Final = (("GPUS NOW", "before"), ("THEN", "after"))


def render(found: Audit, *, wide: bool) -> Rendering:
    """Return a line a namespace, or a line a workload."""
    return Rendering(audit_record(found), tuple(_screen(found, wide=wide)))


def _screen(found: Audit, *, wide: bool) -> Iterator[Paragraph]:
    where = f"namespace {found.namespace}" if found.namespace else "every namespace"
    nodes = counted(found.context.inventory.nodes, "node")
    yield Text((f"If {where} were enforcing, with {nodes} and {found.policy}:", "bold"))
    if not found.rows:
        idle = f"{found.idle} workloads and pods do not, and are never touched"
        yield Text(f"no pod requests a GPU ({idle})")
        yield from map(output.note, found.notes)
        return
    yield Text()
    whole = wide or found.namespace is not None
    if whole:
        first = () if found.namespace else (("NAMESPACE", "namespace"),)
        columns = first + _WORKLOADS + (_WIDE if wide else ())
        lines = (line for row in found.rows for line in verdicts.lines_of(_workload(row)))
        yield output.table(columns, lines, () if wide else _LEAST_FIRST)
    else:
        yield output.table(_NAMESPACES, _namespaces(found), ("unchanged", "lost", "nodeAffinity"))
    yield Text()
    yield from _messages(found) if whole else _reasons(found.rows)
    yield from _sums(totals.add_up(found.rows))
    yield from map(output.note, found.notes)
    yield from _next(found)


def _namespaces(found: Audit) -> Iterator[Mapping[str, Any]]:
    for name, rows in totals.by_namespace(found.rows).items():
        total = totals.add_up(rows)
        counts = {each.value: total.outcomes.get(each, 0) for each in Outcome}
        refused = counts["refused"]
        yield {
            **counts,
            "name": name,
            "mode": found.mode_of(name) or "off",
            "pods": total.pods,
            "refused": Text((str(refused), "bold red" if refused else "dim")),
            "before": _gpus(total.before),
            "after": _gpus(total.after),
            "lost": _gpus(total.refused),
        }


def _workload(row: AuditRow) -> Mapping[str, Any]:
    verdict = row.result.verdict
    given, how = verdicts.given_cells(verdict)
    return {
        "namespace": row.result.namespace,
        "who": _who(row),
        "pods": row.pods,
        "for": verdicts.workload_of(verdict),
        "requested": verdicts.requested_cell(row.result.template.pod, verdict),
        "given": given,
        "how": how,
        "before": _gpus(row.before),
        "after": _gpus(row.after.gpus),
    }


def _who(row: AuditRow) -> str:
    suffix = verdicts.template_suffix(row.result.template.path)
    return f"{row.group.root['kind']}/{metadata(row.group.root).get('name', '')}{suffix}"


def _gpus(number: float) -> str:
    return f"{number:.2f}".rstrip("0").rstrip(".")


def _messages(found: Audit) -> Iterator[Paragraph]:
    """Each refusal and warning in full, refusals first."""
    prefix = "" if found.namespace else "{}/"
    rows = sorted(found.rows, key=lambda row: row.outcome is not Outcome.REFUSED)
    yield from verdicts.messages(
        (prefix.format(row.result.namespace) + _who(row), row.result.verdict) for row in rows
    )
    yield Text()


def _reasons(rows: Iterable[AuditRow]) -> Iterator[Paragraph]:
    """A line a reason, where there may be hundreds of refusals."""
    by_reason: dict[Reason, list[AuditRow]] = {}
    for row in rows:
        if row.outcome is Outcome.REFUSED:
            by_reason.setdefault(row.result.verdict.reason, []).append(row)
    ordered = sorted(by_reason.items(), key=lambda each: (-len(each[1]), each[0].code))
    records = [
        {
            "reason": Text((reason.code, "red")),
            "workloads": len(members),
            "means": reason.sentence,
            "first": f"{members[0].result.namespace}/{_who(members[0])}",
        }
        for reason, members in ordered
    ]
    if records:
        yield output.table(_REASONS, records)
        yield Text()


def _sums(total: Totals) -> Iterator[Text]:
    count = {each: total.outcomes.get(each, 0) for each in Outcome}
    yield Text(
        ("Together: ", "bold"),
        f"{count[Outcome.CHANGED]} would change, {count[Outcome.NODE_AFFINITY]} would only get "
        f"node affinity, {count[Outcome.UNCHANGED]} stay as they are, ",
        (f"{count[Outcome.REFUSED]} would be refused", "red"),
        ".",
    )
    devices = ", ".join(f"{n} {name}" for name, n in sorted(total.devices.items()))
    waiting = f" ({_gpus(total.waiting)} of pods that wait)" if total.waiting else ""
    saved = total.before - total.after
    freed = f", about {_gpus(saved)} fewer" if saved > 0 else ""
    yield Text(
        ("GPUs: ", "bold"),
        f"about {_gpus(total.before)} now{waiting}, about {_gpus(total.after)} then"
        f"{f' ({devices})' if devices else ''}{freed}.",
        f" Refused pods request another {_gpus(total.refused)}." if total.refused else "",
    )


def _next(found: Audit) -> Iterator[Text]:
    if found.namespace is None:
        yield Text("\nOne namespace in full: gpu-sharing audit -n NAME   (everything: -o wide)")
        return
    if found.mode_of(found.namespace) == Mode.ENFORCE:
        yield Text("\nThis namespace is enforcing already.")
        return
    refused = any(row.outcome is Outcome.REFUSED for row in found.rows)
    first = "\nTo turn enforcement on" + (", once the refused are corrected" if refused else "")
    yield Text(f"{first} (pods that run are never touched):")
    yield Text((f"  {turn_on_command(found.namespace)}", "bold"))
