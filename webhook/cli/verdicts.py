"""Verdicts in the cells of a table, and their messages below it."""

import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import reduce
from itertools import zip_longest
from typing import Any, Final

from webhook.cli.output import safe, short_resource, strategy_cell
from webhook.cli.text import Text
from webhook.core.api.quantity import counted
from webhook.core.gpu.resources import is_gpu
from webhook.core.verdict import Verdict

_MOST_NAMED: Final = 3
_SEVERITY: Final = (("refused", "bold red"), ("warning", "bold yellow"))


def workload_of(verdict: Verdict) -> str:
    """Return the workload, and whose it is."""
    tenant = f" of {verdict.tenant}" if verdict.tenant else ""
    return (verdict.workload.value if verdict.workload else "-") + tenant


def template_suffix(path: str) -> str:
    """Return the part of an object that a template's path names, where it has several."""
    part = path.removesuffix(".template").rpartition(".")[2]
    return f" ({part})" if part not in ("", "spec", "template") else ""


def requested_cell(pod: Mapping[str, Any], verdict: Verdict) -> Text:
    """Return what each container requests, a line each, as somebody wrote it."""
    asked = {each.container.name: each for each in verdict.requests}
    lines = []
    for name, resources in _written(pod):
        read = asked.get(name)
        found = f"{read.count} {short_resource(read.resource)}" if read else ", ".join(resources)
        lines += [found] if found else []
    return Text(safe("\n".join(lines)) or "no GPU")


def _written(pod: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """The GPUs that each container names, in any form."""
    spec = pod.get("spec")
    for key in ("initContainers", "containers"):
        for each in (spec.get(key) if isinstance(spec, Mapping) else None) or ():
            resources = each.get("resources") or {}
            both = {**(resources.get("requests") or {}), **(resources.get("limits") or {})}
            yield (
                str(each.get("name", "")),
                [f"{value} {short_resource(name)}" for name, value in both.items() if is_gpu(name)],
            )


def given_cells(verdict: Verdict) -> tuple[Text, Text]:
    """Return what each container gets and how, or the refusal."""
    if not verdict.allowed:
        return Text(("refused", "bold red")), Text((verdict.reason.code, "red"))
    if not verdict.allocations:
        return Text(("unchanged", "dim")), Text(("-", "dim"))
    given = (
        f"{each.request.count} {short_resource(each.offer.resource)}{_size(each.offer.memory)}"
        for each in verdict.allocations
    )
    how = (strategy_cell(each.offer.strategy.value) for each in verdict.allocations)
    return Text("\n".join(given)), reduce(lambda above, below: Text(above, "\n", below), how)


def lines_of(row: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield a row for each line of the cells, so that containers are aligned."""
    texts = {key: cell for key, cell in row.items() if isinstance(cell, Text)}
    cells = {key: cell.lines(sys.maxsize) for key, cell in texts.items()}
    first = {key: cell for key, cell in row.items() if key not in cells}
    for index, each in enumerate(zip_longest(*cells.values(), fillvalue=Text())):
        rest = first if index == 0 else dict.fromkeys(first, Text())
        yield {**rest, **dict(zip(cells, each, strict=True))}


def _size(memory: int | None) -> str:
    return f" ({memory}Mi)" if memory else ""


def messages(verdicts: Iterable[tuple[str, Verdict]]) -> list[Text]:
    """Return each refusal and warning once, with the number and names of all concerned.

    Refusals come first, and those of one reason stand together. Words tell them apart, not colour.
    """
    notes: dict[tuple[int, str, str], list[str]] = {}
    for who, verdict in verdicts:
        for text in verdict.shown_warnings:
            notes.setdefault((1, verdict.reason.code, text), []).append(who)
        if not verdict.allowed:
            notes.setdefault((0, verdict.reason.code, verdict.message), []).append(who)
    return [
        Text(
            (f"{_SEVERITY[kind][0]}: ", _SEVERITY[kind][1]),
            (safe(_names(who)), "bold"),
            ": ",
            safe(text),
        )
        for (kind, _, text), who in sorted(notes.items(), key=lambda each: each[0][:2])
    ]


def summary(verdicts: Iterable[Verdict]) -> str:
    """Return how many pods are allowed, warned of and refused."""
    found = list(verdicts)
    refused = sum(not each.allowed for each in found)
    warned = sum(each.allowed and bool(each.shown_warnings) for each in found)
    of_warned = f" ({warned} with a warning)" if warned else ""
    pods = counted(len(found), "pod")
    return f"{pods}: {len(found) - refused} allowed{of_warned}, {refused} refused"


def _names(who: list[str]) -> str:
    unique = list(dict.fromkeys(who))
    more = len(unique) - _MOST_NAMED
    named = ", ".join(unique[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
    return f"{len(who)} pods ({named})" if len(who) > 1 else named
