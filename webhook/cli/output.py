"""Results as people and tools read them: table, diff, JSON, YAML; decides nothing."""

import difflib
from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec
import yaml
from rich.console import Console, Group, RenderableType
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from webhook.cli.evaluate import Result
from webhook.core.admit import Verdict
from webhook.core.api import names, reasons
from webhook.core.api.reason import PAGE
from webhook.core.gpu.strategies import Strategy

_MOST_NAMED: Final = 3
_CONTEXT: Final = 3
_UNREADABLE: Final = (reasons.INVALID_QUANTITY, reasons.SEVERAL_RESOURCES)
COLOURS: Final = {
    **{each.value: each.traits.colour for each in Strategy},
    "mixed": "blue",
}


def as_json(results: Iterable[Result]) -> str:
    """One JSON array, an object a pod."""
    body = msgspec.json.encode([record(result) for result in results])
    return msgspec.json.format(body, indent=2).decode()


def as_yaml(results: Iterable[Result]) -> str:
    """The same as a YAML list."""
    return yaml.safe_dump([record(result) for result in results], sort_keys=False, width=100)


def record(result: Result) -> dict[str, Any]:
    """What tools get of one result; the keys are an interface."""
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
        "containers": _containers(verdict),
        "patch": msgspec.to_builtins(verdict.patch) if verdict.allowed else [],
    }


def _containers(verdict: Verdict) -> list[dict[str, Any]]:
    given = (
        {each.request.container: each.offer for each in verdict.allocations}
        if verdict.allowed
        else {}
    )
    return [
        {
            "name": ask.container.name,
            "from": {ask.resource: ask.count},
            "to": {given[ask.container].resource: ask.count} if ask.container in given else {},
            "strategy": given[ask.container].strategy.value if ask.container in given else None,
        }
        for ask in verdict.requests
    ]


def table(results: Sequence[Result]) -> RenderableType:
    """Who asks, what for, what each gets and why; warnings and refusals in full below."""
    made = Table(box=None, pad_edge=False, header_style="bold", collapse_padding=True)
    for column in ("POD OF", "WORKLOAD", "ASKS nvidia.com/", "GETS nvidia.com/", "HOW"):
        made.add_column(column, overflow="fold")
    for result in results:
        made.add_row(*_row(result))
    notes = told((result.name or result.found.source, result.verdict) for result in results)
    more = Text(f"reasons explained: {PAGE}", "dim")
    return Group(made, Text(), *notes, more) if notes else made


def _row(result: Result) -> tuple[RenderableType, ...]:
    verdict = result.verdict
    who = f"{result.found.value['kind']}/{result.name}"
    part = result.template.path.removesuffix(".template").rpartition(".")[2]
    where = f" ({part})" if part not in ("", "spec", "template") else ""
    workload = verdict.workload.value if verdict.workload else "-"
    tenant = f" of {verdict.tenant}" if verdict.tenant else ""
    return Text(who + where), Text(workload + tenant), asks(verdict), *gets(verdict)


def asks(verdict: Verdict) -> Text:
    """What each container asks for, a line each."""
    none = "?" if verdict.reason in _UNREADABLE else "no GPU"
    return Text("\n".join(f"{a.count} {short(a.resource)}" for a in verdict.requests) or none)


def gets(verdict: Verdict) -> tuple[Text, Text]:
    """What each container gets and how, a line each; or that the pod is refused, and the code."""
    if not verdict.allowed:
        return Text("refused", "bold red"), Text(verdict.reason.code, "red")
    if not verdict.allocations:
        return Text("unchanged", "dim"), Text("-", "dim")
    given = (
        f"{g.request.count} {short(g.offer.resource)}{_size(g.offer.memory)}"
        for g in verdict.allocations
    )
    how = [(g.offer.strategy.value, COLOURS[g.offer.strategy.value]) for g in verdict.allocations]
    lines = [part for each in how for part in (each, "\n")]
    return Text("\n".join(given)), Text.assemble(*lines[:-1])


def short(resource: str) -> str:
    """A resource name without `nvidia.com/`, which all of ours have."""
    return resource.removeprefix(names.NVIDIA)


def _size(memory: int | None) -> str:
    return f" ({memory} MiB)" if memory else ""


def told(verdicts: Iterable[tuple[str, Verdict]]) -> list[Text]:
    """Warnings and refusals in full, each once, with the names of all whom it concerns."""
    notes: dict[tuple[str, str], list[str]] = {}
    for who, verdict in verdicts:
        for text in (*verdict.shown_warnings, *(() if verdict.allowed else (verdict.message,))):
            style = "yellow" if text in verdict.shown_warnings else "red"
            notes.setdefault((text, style), []).append(who)
    return [
        Text.assemble((_names(who) + ": ", "bold"), (text, style))
        for (text, style), who in notes.items()
    ]


def _names(who: list[str]) -> str:
    unique = list(dict.fromkeys(who))
    more = len(unique) - _MOST_NAMED
    return ", ".join(unique[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def diff(result: Result) -> RenderableType:
    """The pod before and after as a unified diff, or why there is none."""
    title = f"{result.found.value['kind']}/{result.name} {result.template.path}".strip()
    verdict = result.verdict
    head = Text(f"# {title}: {verdict.reason.code}. {verdict.reason.sentence}", "bold")
    if not verdict.allowed:
        return Group(head, Text(verdict.message, "red"))
    lines = unified(result.template.pod, result.after)
    if not lines:
        return Group(head, Text("(unchanged)", "dim"))
    return Group(head, coloured(lines))


def coloured(lines: Sequence[str]) -> Syntax:
    """A diff in colours, long lines wrapped."""
    return Syntax("\n".join(lines), "diff", background_color="default", word_wrap=True)


def unified(before: Any, after: Any) -> list[str]:
    """The lines of a unified diff of two objects, as YAML."""
    lines = difflib.unified_diff(
        _dump(before), _dump(after), "before", "after", n=_CONTEXT, lineterm=""
    )
    return list(lines)


def _dump(pod: Any) -> list[str]:
    return yaml.safe_dump(pod, sort_keys=False, width=1000).splitlines()


def console() -> Console:
    """Standard output; colours only on a terminal, no wrapping of what is piped."""
    made = Console(highlight=False)
    return made if made.is_terminal else Console(highlight=False, width=max(made.width, 200))
