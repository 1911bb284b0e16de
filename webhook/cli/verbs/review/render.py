"""The pods of a review as a table, for tools, and as a diff."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from webhook.cli import output, verdicts
from webhook.cli.evaluate import Evaluation
from webhook.cli.output import Rendering
from webhook.cli.text import Text
from webhook.core.api.reason import COMMAND

_COLUMNS: Final = (
    ("POD OF", "who"), ("NAMESPACE", "namespace"), ("WORKLOAD", "workload"),
    ("REQUESTS", "requested"), ("GETS", "given"), ("HOW", "how"), ("SOURCE", "source"),
)  # fmt: skip
_ONLY_WHERE_SEVERAL: Final = ("source", "namespace")
_LEAST_FIRST: Final = ("source", "workload", "namespace", "requested")


def render(results: Sequence[Evaluation], *, wide: bool = False) -> Rendering:
    """Return the results as a table, with all warnings and refusals and their number below.

    Source and namespace are shown where there are several, or in the `wide` form.
    """
    record = [record_of(result) for result in results]
    if not results:
        return Rendering(record, ("no pod and no pod template found",))
    rows = [line for result in results for line in verdicts.lines_of(_row(result))]
    columns = [
        (heading, key)
        for heading, key in _COLUMNS
        if wide or key not in _ONLY_WHERE_SEVERAL or len({str(row[key]) for row in rows} - {""}) > 1
    ]
    table = output.table(columns, rows, () if wide else _LEAST_FIRST)
    notes = verdicts.messages(
        (result.name or result.found.source, result.verdict) for result in results
    )
    more = (Text(), *notes) if notes else ()
    counted = Text((verdicts.summary(result.verdict for result in results), "bold"))
    page = (Text((f"reasons explained: {COMMAND} CODE", "dim")),) if notes else ()
    return Rendering(record, (table, *more, Text(), counted, *page))


def record_of(result: Evaluation) -> dict[str, Any]:
    """Return what tools get of one result. The keys are an interface."""
    verdict = result.verdict
    return {
        "source": result.found.source,
        "kind": result.found.value["kind"],
        "namespace": result.namespace,
        "name": result.name,
        "template": result.template.path,
        "workload": verdict.workload.value if verdict.workload else None,
        "tenant": verdict.tenant,
        "allowed": verdict.allowed,
        "strategy": verdict.strategy if verdict.allowed else None,
        "reason": verdict.reason.code,
        "message": verdict.message,
        "warnings": list(verdict.shown_warnings),
        "containers": msgspec.to_builtins(verdict.record.containers),
        "violations": msgspec.to_builtins(verdict.record.violations),
        "patch": msgspec.to_builtins(verdict.patch) if verdict.allowed else [],
    }


def _row(result: Evaluation) -> Mapping[str, Any]:
    given, how = verdicts.given_cells(result.verdict)
    suffix = verdicts.template_suffix(result.template.path)
    return {
        "source": result.found.source,
        "namespace": result.namespace,
        "who": f"{result.found.value['kind']}/{result.name}{suffix}",
        "workload": verdicts.workload_of(result.verdict),
        "requested": verdicts.requested_cell(result.template.pod, result.verdict),
        "given": given,
        "how": how,
    }
