"""The audit log as a table, and as tools get it."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from webhook.cli import output
from webhook.cli.cluster import times
from webhook.cli.output import Column, Rendering
from webhook.cli.text import Paragraph, Text
from webhook.cli.verbs.logs.collect import AuditLog
from webhook.core.record_values import LogLine

_COLUMNS: Final[tuple[Column, ...]] = (
    ("TIME", "time"), ("NAMESPACE", "namespace"), ("OWNER", "owner"), ("WORKLOAD", "workload"),
    ("REQUESTED", "requested"), ("GOT", "given"), ("REASON", "reason"), ("MODE", "mode"),
)  # fmt: skip
_LEAST_FIRST: Final = ("mode", "workload", "requested", "namespace")
_WIDE: Final[tuple[Column, ...]] = (("MESSAGE", "message"),)
_EVENTS: Final[tuple[Column, ...]] = (("TIMES", "times"),)


def render(found: AuditLog, *, wide: bool) -> Rendering:
    """Return a line a review, with the messages of refusals in the line or below."""
    columns = _COLUMNS + (_EVENTS if found.from_events else ()) + (_WIDE if wide else ())
    listing = output.table(columns, map(row_of, found.lines), () if wide else _LEAST_FIRST)
    screen = (*([listing] if found.lines else ()), *_ends(found, wide=wide))
    return Rendering(found.lines, screen, found.notes)


def _ends(found: AuditLog, *, wide: bool) -> Iterator[Paragraph]:
    if not found.lines:
        yield Text(f"No such decision in the last {times.short(found.since)}.")
    elif not wide:
        yield from _messages(found.lines)
    yield from map(output.note, found.notes)


def _messages(lines: Iterable[LogLine]) -> Iterator[Paragraph]:
    """Every refusal's message once, with how often it was given."""
    counts: dict[str, int] = {}
    for line in lines:
        if line.message:
            counts[line.message] = counts.get(line.message, 0) + line.count
    if counts:
        yield Text()
        yield Text(("Why refused:", "bold"))
    for message, count in counts.items():
        yield output.item(message + (f" ({count} times)" if count > 1 else ""))


def row_of(line: LogLine) -> dict[str, Any]:
    """Return the cells of a line."""
    given = _amounts((each.name, each.given) for each in line.containers)
    given = given or (None if line.allowed else "refused")
    return {
        "time": line.timestamp.partition(".")[0].removesuffix("Z")[5:] + "Z",
        "namespace": line.namespace,
        "owner": f"{line.owner_kind}/{line.owner}".strip("/"),
        "workload": line.workload,
        "requested": _amounts((each.name, each.requested) for each in line.containers),
        "given": given if line.mode == "enforce" or given is None else f"({given})",
        "reason": line.reason,
        "mode": line.mode + (" (dry run)" if line.dry_run else ""),
        "times": line.count,
        "message": line.message,
    }


def _amounts(containers: Iterable[tuple[str, dict[str, int]]]) -> str | None:
    listed = [(name, output.amounts(amount)) for name, amount in containers if amount]
    several = len(listed) > 1
    return ", ".join(f"{name}: {text}" if several else text for name, text in listed) or None
