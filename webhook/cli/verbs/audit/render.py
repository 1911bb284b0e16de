"""An audit as a person reads it: what would become of whom, sums, and what to do next."""

from collections.abc import Iterable, Iterator
from typing import Final

from rich.console import Group, RenderableType
from rich.text import Text

from webhook.cli import output
from webhook.cli.cluster import printing
from webhook.cli.cluster.client import metadata
from webhook.cli.verbs.audit import report, totals
from webhook.cli.verbs.audit.evaluate import Outcome, Row
from webhook.cli.verbs.audit.report import Audit
from webhook.cli.verbs.audit.totals import Sums
from webhook.core.api.admission import Mode
from webhook.core.api.reason import Reason

_NAMESPACES: Final = (
    ("NAMESPACE", "name"), ("MODE NOW", "mode"), ("PODS", "pods"), ("CHANGED", "changed"),
    ("PINNED", "pinned"), ("UNCHANGED", "unchanged"), ("REFUSED", "refused"),
    ("GPUS NOW", "before"), ("THEN", "after"), ("OF REFUSED", "lost"),
)  # fmt: skip
_WORKLOADS: Final = (
    ("WORKLOAD", "who"), ("PODS", "pods"), ("IS FOR", "for"), ("ASKS nvidia.com/", "asks"),
    ("WOULD GET nvidia.com/", "gets"), ("HOW", "how"),
)  # fmt: skip
_REASONS: Final = (
    ("WHY REFUSED", "reason"), ("HOW MANY", "workloads"), ("WHAT IT MEANS", "means"),
    ("FOR EXAMPLE", "first"),
)  # fmt: skip
_WIDE: Final = (("GPUS NOW", "before"), ("THEN", "after"))


def screen(made: Audit, *, wide: bool) -> RenderableType:
    """The whole screen."""
    if not made.rows:
        return Group(Text(_headline(made), "bold"), Text(_nothing(made)), *_notes(made))
    whole = wide or made.namespace is not None
    if not whole:
        body = printing.table(_NAMESPACES, _namespaces(made))
    else:
        where = made.namespace is None
        columns = ((("NAMESPACE", "namespace"),) if where else ()) + _WORKLOADS
        body = printing.table(columns + (_WIDE if wide else ()), map(_workload, made.rows))
    parts: list[RenderableType] = [Text(_headline(made), "bold"), Text(), body, Text()]
    return Group(
        *parts,
        *_why(made, whole=whole),
        *_sums(totals.of(made.rows)),
        *_notes(made),
        *_next(made),
    )


def _headline(made: Audit) -> str:
    where = f"namespace {made.namespace}" if made.namespace else "every namespace"
    nodes = made.court.inventory.nodes
    return f"If {where} were enforcing, with {nodes} nodes and {made.policy}:"


def _nothing(made: Audit) -> str:
    return f"no pod asks for a GPU ({made.idle} workloads and pods do not, and are never touched)"


def _namespaces(made: Audit) -> Iterator[dict[str, object]]:
    labels = made.court.cluster.namespaces
    for name, rows in totals.by_namespace(made.rows).items():
        total = totals.of(rows)
        counts = {each.value: total.outcomes.get(each, 0) for each in Outcome}
        refused = counts["refused"]
        yield {
            **counts,
            "name": name,
            "mode": report.mode_of(labels, name) or "off",
            "pods": total.pods,
            "refused": Text(str(refused), "bold red" if refused else "dim"),
            "before": _gpus(total.before),
            "after": _gpus(total.after),
            "lost": _gpus(total.refused),
        }


def _workload(row: Row) -> dict[str, object]:
    verdict = row.result.verdict
    gets, how = output.gets(verdict)
    tenant = f" of {verdict.tenant}" if verdict.tenant else ""
    return {
        "namespace": row.result.namespace,
        "who": _who(row),
        "pods": row.pods,
        "for": (verdict.workload.value if verdict.workload else "-") + tenant,
        "asks": output.asks(verdict),
        "gets": gets,
        "how": how,
        "before": _gpus(row.before),
        "after": _gpus(row.after.gpus),
    }


def _who(row: Row) -> str:
    part = row.result.template.path.removesuffix(".template").rpartition(".")[2]
    where = f" ({part})" if part not in ("", "spec", "template") else ""
    root = row.group.root
    return f"{root['kind']}/{metadata(root).get('name', '')}{where}"


def _gpus(number: float) -> str:
    return f"{number:.2f}".rstrip("0").rstrip(".")


def _why(made: Audit, *, whole: bool) -> Iterator[RenderableType]:
    """Each refusal and warning in full, or where there may be hundreds, a line a reason."""
    if whole:
        prefix = "" if made.namespace else "{}/"
        told = output.told(
            (prefix.format(row.result.namespace) + _who(row), row.result.verdict)
            for row in sorted(made.rows, key=lambda row: row.outcome is not Outcome.REFUSED)
        )
        yield from (*told, Text())
        return
    refused = [row for row in made.rows if row.outcome is Outcome.REFUSED]
    if refused:
        yield from (printing.table(_REASONS, _reasons(refused)), Text())


def _reasons(refused: Iterable[Row]) -> Iterator[dict[str, object]]:
    found: dict[Reason, list[Row]] = {}
    for row in refused:
        found.setdefault(row.result.verdict.reason, []).append(row)
    for reason, rows in sorted(found.items(), key=lambda item: (-len(item[1]), item[0].code)):
        first = f"{rows[0].result.namespace}/{_who(rows[0])}"
        yield {
            "reason": Text(reason.code, "red"),
            "workloads": len(rows),
            "means": reason.sentence,
            "first": first,
        }


def _sums(total: Sums) -> Iterator[Text]:
    count = total.outcomes
    yield Text.assemble(
        ("Together: ", "bold"),
        f"{count.get(Outcome.CHANGED, 0)} would change, {count.get(Outcome.PINNED, 0)} would only "
        f"be pinned, {count.get(Outcome.UNCHANGED, 0)} stay as they are, ",
        (f"{count.get(Outcome.REFUSED, 0)} would be refused", "red"),
        ".",
    )
    devices = ", ".join(f"{n} {name}" for name, n in sorted(total.devices.items()))
    waiting = f" ({_gpus(total.waiting)} of pods that wait)" if total.waiting else ""
    saved = total.before - total.after
    freed = f", about {_gpus(saved)} fewer" if saved > 0 else ""
    yield Text.assemble(
        ("GPUs: ", "bold"),
        f"about {_gpus(total.before)} now{waiting}, about {_gpus(total.after)} then"
        f"{f' ({devices})' if devices else ''}{freed}.",
        f" Refused pods ask for another {_gpus(total.refused)}." if total.refused else "",
    )


def _notes(made: Audit) -> Iterable[Text]:
    return tuple(Text.assemble(("note: ", "bold"), note) for note in made.notes)


def _next(made: Audit) -> Iterator[Text]:
    if made.namespace is None:
        yield Text("\nOne namespace in full: gpu-sharing audit -n NAME   (everything: -o wide)")
        return
    mode = report.mode_of(made.court.cluster.namespaces, made.namespace)
    if mode == Mode.ENFORCE:
        yield Text("\nThis namespace is enforcing already.")
        return
    refused = any(row.outcome is Outcome.REFUSED for row in made.rows)
    first = "\nTo turn enforcement on" + (", once the refused are mended" if refused else "")
    yield Text(f"{first} (pods that run are never touched):")
    yield Text(f"  {report.turn_on(made.namespace)}", "bold")
