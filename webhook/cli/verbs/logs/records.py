"""Lines of the audit trail, and events in their place, as records; filters them, prints nothing."""

import argparse
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from webhook.cli import output
from webhook.cli.cluster.events import OURS, Happening
from webhook.cli.cluster.times import clock
from webhook.core.record import DecisionRecord, LogLine


@dataclass(frozen=True, slots=True)
class Filter:
    """Which lines are wanted; None is any."""

    namespace: str | None = None
    workload: str | None = None
    reason: str | None = None
    mode: str | None = None
    owner: str | None = None
    refused: bool = False
    everything: bool = False


def filter_of(args: argparse.Namespace) -> Filter:
    """What the flags say."""
    return Filter(
        namespace=args.namespace,
        workload=args.workload,
        reason=args.reason,
        mode=args.mode,
        owner=args.owner,
        refused=args.refused,
        everything=args.all,
    )


def wanted(line: LogLine, flt: Filter) -> bool:
    """Whether a line passes the filter; `owner` is a name, or the start of one before a dash."""
    owner = (flt.owner or "").rpartition("/")[2]
    return (
        flt.namespace in (None, line.namespace)
        and flt.workload in (None, line.workload)
        and flt.reason in (None, line.reason)
        and flt.mode in (None, line.mode)
        and (not owner or line.owner == owner or line.owner.startswith(f"{owner}-"))
        and not (flt.refused and line.allowed)
    )


def quiet(line: LogLine) -> bool:
    """Whether a line says little: a validation that found nothing, or a dry run."""
    return line.dry_run or (line.side == "validate" and line.allowed)


def of_events(events: Iterable[Happening]) -> list[LogLine]:
    """The webhook's own events in the form of the log, as far as they tell."""
    return [_of_event(each) for each in events if each.by == OURS]


def _of_event(event: Happening) -> LogLine:
    told = event.record or DecisionRecord()
    return LogLine(
        event="review",
        timestamp=clock(event.last) or "",
        side="mutate",
        namespace=event.namespace,
        mode="enforce",
        owner_kind=event.kind,
        owner=event.name,
        workload=told.workload,
        tenant=told.tenant,
        strategy=told.strategy,
        allowed=not event.refused,
        reason=event.reason,
        message=event.message if event.refused else None,
        count=event.count,
        containers=told.containers,
        violations=told.violations,
    )


def row(line: LogLine) -> dict[str, Any]:
    """A line for a table; names of resources without nvidia.com/."""
    got = _amounts((each.name, each.given) for each in line.containers)
    got = got or (None if line.allowed else "refused")
    return {
        "time": line.timestamp.partition(".")[0].removesuffix("Z") + "Z",
        "namespace": line.namespace,
        "owner": f"{line.owner_kind}/{line.owner}".strip("/"),
        "workload": line.workload,
        "asked": _amounts((each.name, each.requested) for each in line.containers),
        "got": got if line.mode == "enforce" or got is None else f"({got})",
        "reason": line.reason,
        "mode": line.mode + (" (dry run)" if line.dry_run else ""),
        "times": line.count,
        "message": line.message,
    }


def _amounts(containers: Iterable[tuple[str, dict[str, int]]]) -> str | None:
    listed = [
        (name, f"{count} {output.short(resource)}")
        for name, amount in containers
        for resource, count in amount.items()
    ]
    several = len(listed) > 1
    return ", ".join(f"{name}: {text}" if several else text for name, text in listed) or None
