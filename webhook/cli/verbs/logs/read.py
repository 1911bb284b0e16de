"""Read the trail of every replica, or events in its place; what could not be read is noted."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from webhook.cli.cluster import events as happenings
from webhook.cli.cluster import replicas
from webhook.cli.cluster.client import Access, Lacking, Unavailable
from webhook.cli.cluster.options import Install
from webhook.cli.cluster.replicas import CONTAINER
from webhook.cli.cluster.times import clock
from webhook.cli.verbs.logs import records
from webhook.cli.verbs.logs.records import Filter
from webhook.core import record
from webhook.core.record import LogLine

_ONLY_EVENTS: Final = (
    "these are events of namespace {}, which tell of refusals and rewrites and are kept for an "
    "hour as a rule; for the trail {}"
)


@dataclass(frozen=True, slots=True)
class Trail:
    """Lines by time, and what should be known of them. `events` tells that they come from those."""

    lines: tuple[LogLine, ...]
    notes: tuple[str, ...]
    events: bool = False


@dataclass
class _Counts:
    """What was read and not kept."""

    unreadable: int = 0
    quiet: int = 0
    lacking: list[Lacking] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read(access: Access, install: Install, flt: Filter, since: int) -> Trail:
    """Read the last `since` seconds.

    Raises:
        Unavailable: neither the replicas nor the events can be seen.
    """
    counts = _Counts()
    try:
        pods = replicas.of(access, install)
    except Lacking as lacking:
        return _events(access, flt, since, lacking)
    if not pods:
        where = f"{install.namespace}/{install.release}"
        raise Unavailable(f"no replica of the webhook is there (looked for {where}; see --install)")
    lines: list[LogLine] = []
    for pod in pods:
        lines += _of_replica(access, (install, pod.meta.name), (flt, since), counts)
    if len(counts.lacking) == len(pods):
        return _events(access, flt, since, counts.lacking[0])
    ordered = sorted(lines, key=lambda line: line.timestamp)
    return Trail(tuple(ordered), tuple(_notes(counts)))


def _of_replica(
    access: Access, where: tuple[Install, str], what: tuple[Filter, int], counts: _Counts
) -> list[LogLine]:
    flt, since = what
    kept: list[LogLine] = []
    right, path = replicas.log(*where)
    try:
        for text in access.lines(right, path, container=CONTAINER, sinceSeconds=str(since)):
            line = record.from_log_line(text)
            if line is None:
                counts.unreadable += not text.lstrip().startswith(b"{")
            elif records.wanted(line, flt):
                if records.quiet(line) and not flt.everything:
                    counts.quiet += 1
                else:
                    kept.append(line)
    except Lacking as lacking:
        counts.lacking.append(lacking)
        counts.notes.append(f"replica {where[1]} is left out: {lacking}")
    except Unavailable as error:
        counts.notes.append(f"replica {where[1]} is left out or cut short: {error}")
    return kept


def _notes(counts: _Counts) -> Iterable[str]:
    yield from counts.notes
    if counts.quiet:
        yield f"left out: {counts.quiet} dry runs and validations that found nothing (--all)"
    if counts.unreadable:
        yield f"skipped: {counts.unreadable} lines that are no JSON"


def _events(access: Access, flt: Filter, since: int, lacking: Lacking) -> Trail:
    """Refusals and rewrites of one namespace, from what its people may see."""
    namespace = flt.namespace or access.namespace
    try:
        found = list(happenings.of_namespace(access, namespace))
    except Lacking as other:
        raise Unavailable(f"{lacking}; and for events in its place {other}") from None
    after = clock(datetime.now(UTC) - timedelta(seconds=since)) or ""
    lines = [
        line
        for line in records.of_events(found)
        if records.wanted(line, flt) and line.timestamp >= after
    ]
    ordered = sorted(lines, key=lambda line: line.timestamp)
    return Trail(tuple(ordered), (_ONLY_EVENTS.format(namespace, lacking),), events=True)
