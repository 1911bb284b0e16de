"""What a dry run told, as a person reads it; tries nothing."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from rich.console import RenderableType
from rich.text import Text

from webhook.cli import output
from webhook.cli.cluster import printing
from webhook.cli.cluster.dry_run.outcome import Now, Untried
from webhook.core.checks.registry import REASONS
from webhook.core.record import ContainerChange

_CHANGES: Final = (
    ("CONTAINER", "name"), ("ASKED nvidia.com/", "asked"), ("GOT nvidia.com/", "got"),
    ("HOW", "strategy"), ("REASON", "reason"),
)  # fmt: skip


def answer(now: Now, *, changes: bool = True) -> Iterator[RenderableType]:
    """An answer in full: what each container gets, everything that is wrong, all warnings."""
    if now.changes and changes:
        yield printing.below(changes_of(now.changes))
    elif now.allowed and now.reason and not now.changes:
        yield printing.below(reason(now.reason))
    for cause in now.causes:
        text = f"{cause.text} [{cause.reason}]" if cause.reason else cause.text
        yield printing.below(Text(printing.safe(text), "red"))
    for text in now.warnings:
        yield printing.below(Text.assemble(("warning: ", "yellow"), printing.safe(text)))


def told_by(now: Now, source: str) -> Iterator[RenderableType]:
    """Who says so; and why not the cluster itself, where it does not."""
    yield Text(f"Told by {now.by}, with {source}.", "dim")
    if now.aside:
        yield printing.note(f"a dry run in the cluster does not tell: {now.aside}")


def untried(head: Text, found: Untried) -> Iterator[RenderableType]:
    """That nobody knows, why, and which rights would help: any of them is enough."""
    yield head + Text("not known.")
    yield printing.below(f"{found.why[0].upper()}{found.why[1:]}.")
    if found.missing:
        yield printing.below("One of these rights would do:" if found.missing[1:] else "Needed:")
    for right in found.missing:
        yield printing.item(str(right))


def rights(missing: Iterable[Any]) -> Iterator[RenderableType]:
    """The rights that are missing, a line each."""
    for right in missing:
        yield printing.below(f"You lack the right to {right}.")


def reason(code: str) -> str:
    """A code with its sentence, if it is one that is known here."""
    return f"{code}: {REASONS[code].sentence}" if code in REASONS else code


def changes_of(changes: Sequence[ContainerChange]) -> RenderableType:
    """What each container asked for and got, as a table."""
    return printing.table(_CHANGES, map(_change, changes))


def _change(change: ContainerChange) -> dict[str, Any]:
    return {
        "name": change.name,
        "asked": _amount(change.requested),
        "got": _amount(change.given),
        "strategy": Text(change.strategy or "", output.COLOURS.get(change.strategy or "", "")),
        "reason": reason(change.reason or ""),
    }


def _amount(amount: dict[str, int]) -> str:
    return ", ".join(f"{count} {output.short(resource)}" for resource, count in amount.items())
