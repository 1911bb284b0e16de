"""Lines of the audit trail, and events in their place, as records; filters them, prints nothing."""

import argparse
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from msgspec import Struct

from webhook.cli import output
from webhook.cli.cluster.events import OURS, Happening
from webhook.cli.cluster.times import clock

Line = Mapping[str, Any]
"""A line of the trail as it was written; its keys are those of webhook.server.audit_log."""

_MOVE: Final = re.compile(r"(\S+): (\S+): ([0-9]+) -> (\S+): ([0-9]+) \(([a-z-]+)\)")
_AMOUNT: Final = re.compile(r"([^=,]*)=([^=,:]+):([0-9]+)")


class _Review(Struct):
    """What every line has that is looked at; a line without it is none of ours."""

    event: str
    timestamp: str
    namespace: str
    reason: str
    mode: str
    allowed: bool
    side: str
    owner: str = ""
    owner_kind: str = ""
    workload: str | None = None
    message: str | None = None
    asked: str = msgspec.field(name="from", default="")
    given: str = msgspec.field(name="to", default="")


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


def read(text: bytes) -> Line | None:
    """A line of the trail; None for one that is no JSON object, or tells of something else."""
    try:
        found = msgspec.json.decode(text, type=dict[str, Any])
        told = msgspec.convert(found, _Review)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return found if told.event == "review" else None


def wanted(line: Line, flt: Filter) -> bool:
    """Whether a line passes the filter; `owner` is a name, or the start of one before a dash."""
    owner = (flt.owner or "").rpartition("/")[2]
    name = str(line.get("owner") or "")
    return (
        flt.namespace in (None, line["namespace"])
        and flt.workload in (None, line.get("workload"))
        and flt.reason in (None, line["reason"])
        and flt.mode in (None, line["mode"])
        and (not owner or name == owner or name.startswith(f"{owner}-"))
        and not (flt.refused and line["allowed"])
    )


def quiet(line: Line) -> bool:
    """Whether a line says little: a validation that found nothing, or a dry run."""
    return bool(line.get("dryRun") or (line["side"] == "validate" and line["allowed"]))


def of_events(events: Iterable[Happening]) -> list[Line]:
    """The webhook's own events in the form of the trail, as far as they tell."""
    ours = (each for each in events if each.by == OURS)
    return [_of_event(each) for each in ours]


def _of_event(event: Happening) -> Line:
    moves = _MOVE.findall(event.message)
    refused = event.refused
    return {
        "timestamp": clock(event.last) or "",
        "namespace": event.namespace,
        "owner_kind": event.kind,
        "owner": event.name,
        "workload": None,
        "from": ",".join(f"{name}={ask}:{n}" for name, ask, n, *_ in moves),
        "to": ",".join(f"{name}={got}:{n}" for name, _, _, got, n, _ in moves),
        "strategy": moves[0][-1] if moves else None,
        "allowed": not refused,
        "reason": event.reason,
        "message": event.message if refused else None,
        "mode": "enforce",
        "side": "mutate",
        "count": event.count,
    }


def row(line: Line) -> dict[str, Any]:
    """A line for a table; names of resources without nvidia.com/."""
    count = line.get("count", 1)
    owner = f"{line.get('owner_kind') or ''}/{line.get('owner') or ''}".strip("/")
    got = _amounts(line.get("to")) or ("refused" if not line["allowed"] else None)
    return {
        "time": str(line["timestamp"]).partition(".")[0].removesuffix("Z") + "Z",
        "namespace": line["namespace"],
        "owner": owner,
        "workload": line.get("workload"),
        "asked": _amounts(line.get("from")),
        "got": got if line["mode"] == "enforce" or got is None else f"({got})",
        "reason": line["reason"],
        "mode": line["mode"] + (" (dry run)" if line.get("dryRun") else ""),
        "times": count,
        "message": line.get("message"),
    }


def _amounts(text: Any) -> str | None:
    found = _AMOUNT.findall(text) if isinstance(text, str) else ()
    several = len(found) > 1
    listed = (
        f"{name}: {n} {output.short(key)}" if several else f"{n} {output.short(key)}"
        for name, key, n in found
    )
    return ", ".join(listed) or None
