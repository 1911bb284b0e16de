"""The outcome of the probes as a table, and as tools get it."""

from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from webhook.cli import output
from webhook.cli.output import Column, Rendering
from webhook.cli.text import Paragraph, Text
from webhook.cli.verbs.conformance.collect import ConformanceReport, ProbeOutcome, ProbeState

_COLUMNS: Final[tuple[Column, ...]] = (
    ("CHECK", "check"), ("OUTCOME", "outcome"), ("PROMISE", "promise"), ("ANSWER", "answer"),
)  # fmt: skip
_MEANING: Final = {
    ProbeState.HOLDS: "hold",
    ProbeState.OTHER: "were refused, but not by this check: it stays untried",
    ProbeState.POLICY: "are let through by the policy",
    ProbeState.OPEN: "do NOT hold",
    ProbeState.SILENT: "could not be tried: the webhook did not answer",
}


def render(found: ConformanceReport) -> Rendering:
    """Return a line a probe, and how many show what."""
    records = [_record(each) for each in found.probes]
    return Rendering(
        {"namespace": found.namespace, "tenant": found.tenant, "probes": records},
        (output.table(_COLUMNS, records), *_ends(found)),
    )


def _record(each: ProbeOutcome) -> dict[str, Any]:
    """What tools get of one probe. The keys are an interface."""
    return {
        "check": each.probe.check,
        "outcome": each.outcome.value,
        "promise": each.probe.promise,
        "answer": each.answer,
    }


def _ends(found: ConformanceReport) -> Iterator[Paragraph]:
    whose = f"tenant {found.tenant}" if found.tenant else "no tenant"
    yield Text(f"\nIn namespace {found.namespace} ({whose}), by {found.policy}:")
    counts = Counter(each.outcome for each in found.probes)
    for outcome, meaning in _MEANING.items():
        if counts[outcome]:
            yield Text(f"  {counts[outcome]} {meaning}")
