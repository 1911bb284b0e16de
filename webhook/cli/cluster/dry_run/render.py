"""The outcome of a dry run, as a person reads it."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from webhook.cli import output
from webhook.cli.cluster.client import Permission
from webhook.cli.cluster.dry_run.outcome import Now, Untried
from webhook.cli.text import Paragraph, Text
from webhook.core.record_values import ContainerChange

_CHANGES: Final = (
    ("CONTAINER", "name"), ("REQUESTED nvidia.com/", "requested"), ("GOT nvidia.com/", "given"),
    ("HOW", "strategy"), ("REASON", "reason"),
)  # fmt: skip


def render_outcome(now: Now, *, changes: bool = True) -> Iterator[Paragraph]:
    """Yield what each container gets, everything that is wrong, and all warnings."""
    if now.changes and changes:
        yield output.indented(render_changes(now.changes))
    elif now.allowed and now.reason and not now.changes:
        yield output.indented(output.explained(now.reason))
    for cause in now.causes:
        text = f"{cause.text} [{cause.reason}]" if cause.reason else cause.text
        yield output.indented(Text((output.safe(text), "red")))
    for text in now.warnings:
        yield output.indented(Text(("warning: ", "yellow"), output.safe(text)))


def render_source(now: Now, source: str) -> Iterator[Paragraph]:
    """Yield where the answer comes from, and why not from the cluster."""
    yield Text((f"According to {now.by}, with {source}.", "dim"))
    if now.aside:
        yield output.note(f"a dry run in the cluster does not tell: {now.aside}")


def render_untried(head: Text, found: Untried) -> Iterator[Paragraph]:
    """Yield why the answer is not known, and which permissions would help: any is enough."""
    yield head + Text("not known.")
    yield output.indented(f"{found.why[0].upper()}{found.why[1:]}.")
    if found.missing:
        yield output.indented("One of these rights would do:" if found.missing[1:] else "Needed:")
    yield from (output.item(str(each)) for each in found.missing)


def render_missing(missing: Iterable[Permission]) -> Iterator[Paragraph]:
    """Yield the permissions that are missing, a line each."""
    yield from (output.indented(f"You lack the right to {each}.") for each in missing)


def render_changes(changes: Sequence[ContainerChange]) -> Paragraph:
    """Return what each container requested and got, as a table."""
    return output.table(_CHANGES, map(_change, changes))


def _change(change: ContainerChange) -> dict[str, Any]:
    return {
        "name": change.name,
        "requested": output.amounts(change.requested),
        "given": output.amounts(change.given),
        "strategy": output.strategy_cell(change.strategy),
        "reason": output.explained(change.reason or ""),
    }
