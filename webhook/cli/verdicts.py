"""Verdicts in the cells of a table, and their messages below it."""

from collections.abc import Iterable
from typing import Final

from rich.text import Text

from webhook.cli.output import safe, short_resource, strategy_cell
from webhook.core.api import denials
from webhook.core.verdict import Verdict

_MOST_NAMED: Final = 3
_UNREADABLE: Final = (denials.INVALID_QUANTITY, denials.SEVERAL_RESOURCES)


def workload_of(verdict: Verdict) -> str:
    """Return the workload, and whose it is."""
    tenant = f" of {verdict.tenant}" if verdict.tenant else ""
    return (verdict.workload.value if verdict.workload else "-") + tenant


def template_suffix(path: str) -> str:
    """Return the part of an object that a template's path names, where it has several."""
    part = path.removesuffix(".template").rpartition(".")[2]
    return f" ({part})" if part not in ("", "spec", "template") else ""


def requested_cell(verdict: Verdict) -> Text:
    """Return what each container requests, a line each."""
    none = "?" if verdict.reason in _UNREADABLE else "no GPU"
    lines = (f"{ask.count} {short_resource(ask.resource)}" for ask in verdict.requests)
    return Text("\n".join(lines) or none)


def given_cells(verdict: Verdict) -> tuple[Text, Text]:
    """Return what each container gets and how, or the refusal."""
    if not verdict.allowed:
        return Text("refused", "bold red"), Text(verdict.reason.code, "red")
    if not verdict.allocations:
        return Text("unchanged", "dim"), Text("-", "dim")
    given = (
        f"{each.request.count} {short_resource(each.offer.resource)}{_size(each.offer.memory)}"
        for each in verdict.allocations
    )
    how = (strategy_cell(each.offer.strategy.value) for each in verdict.allocations)
    return Text("\n".join(given)), Text("\n").join(how)


def _size(memory: int | None) -> str:
    return f" ({memory} MiB)" if memory else ""


def messages(verdicts: Iterable[tuple[str, Verdict]]) -> list[Text]:
    """Return each warning and refusal once, with the names of all concerned."""
    notes: dict[tuple[str, str], list[str]] = {}
    for who, verdict in verdicts:
        for text in verdict.shown_warnings:
            notes.setdefault((text, "yellow"), []).append(who)
        if not verdict.allowed:
            notes.setdefault((verdict.message, "red"), []).append(who)
    return [
        Text.assemble((safe(_names(who)) + ": ", "bold"), (safe(text), style))
        for (text, style), who in notes.items()
    ]


def _names(who: list[str]) -> str:
    unique = list(dict.fromkeys(who))
    more = len(unique) - _MOST_NAMED
    return ", ".join(unique[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
