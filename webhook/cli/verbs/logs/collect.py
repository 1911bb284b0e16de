"""The audit log of every replica, or events in its place. What cannot be read is noted."""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from webhook.cli.cluster import events, replicas
from webhook.cli.cluster.client import ClusterClient, Forbidden, PodPath, Unavailable
from webhook.cli.cluster.events import ClusterEvent
from webhook.cli.cluster.flags import Install
from webhook.cli.cluster.times import clock
from webhook.cli.verbs.logs.filters import LineFilter
from webhook.core import record
from webhook.core.api import names
from webhook.core.record_values import DecisionRecord, LogLine

_ONLY_EVENTS: Final = (
    "these are events of namespace {}, which tell of refusals and rewrites and are kept for an "
    "hour as a rule; for the audit log {}"
)


@dataclass(frozen=True, slots=True)
class AuditLog:
    """Lines by time, and what should be known of them. `since` is in seconds.

    `from_events` tells that the lines are events and not the log itself.
    """

    lines: tuple[LogLine, ...]
    since: int
    notes: tuple[str, ...]
    from_events: bool = False


@dataclass
class _ReplicaLog:
    """What was read of one replica, and what not. `cut` is why there is no more."""

    lines: list[LogLine] = field(default_factory=list)
    no_json: int = 0
    skipped: int = 0
    cut: Unavailable | None = None

    def add(self, text: bytes, wanted: LineFilter) -> None:
        line = record.from_log_line(text)
        if line is None:
            self.no_json += not text.lstrip().startswith(b"{")
        elif wanted.takes(line):
            if wanted.skips(line):
                self.skipped += 1
            else:
                self.lines.append(line)


def collect(client: ClusterClient, install: Install, wanted: LineFilter, since: int) -> AuditLog:
    """Read the last `since` seconds.

    Raises:
        Unavailable: neither the replicas nor the events can be seen.
    """
    try:
        pods = replicas.list_replicas(client, install)
    except Forbidden as forbidden:
        return _from_events(client, wanted, since, forbidden)
    if not pods:
        where = f"{install.namespace}/{install.release}"
        raise Unavailable(f"no replica of the webhook is there (looked for {where}; see --install)")
    found = [pod.meta.name for pod in pods]

    async def read_all() -> list[_ReplicaLog]:
        read = (_read(client, replicas.log_path(install, name), wanted, since) for name in found)
        return await asyncio.gather(*read)

    logs = client.run(read_all())
    if all(isinstance(each.cut, Forbidden) for each in logs):
        return _from_events(client, wanted, since, logs[0].cut)
    lines = [line for each in logs for line in each.lines]
    return AuditLog(_by_time(lines), since, tuple(_notes(dict(zip(found, logs, strict=True)))))


async def _read(
    client: ClusterClient, path: PodPath, wanted: LineFilter, since: int
) -> _ReplicaLog:
    found = _ReplicaLog()
    try:
        async with client.lines(
            path, container=replicas.CONTAINER, sinceSeconds=str(since)
        ) as lines:
            async for text in lines:
                found.add(text, wanted)
    except Unavailable as error:
        found.cut = error
    return found


def _notes(logs: Mapping[str, _ReplicaLog]) -> Iterator[str]:
    for name, each in logs.items():
        if each.cut is not None:
            yield f"replica {name} is left out{' after a part' if each.lines else ''}: {each.cut}"
    skipped = sum(each.skipped for each in logs.values())
    if skipped:
        yield f"left out: {skipped} dry runs and validations that found nothing (--all)"
    no_json = sum(each.no_json for each in logs.values())
    if no_json:
        yield f"skipped: {no_json} lines that are no JSON"


def _by_time(lines: list[LogLine]) -> tuple[LogLine, ...]:
    return tuple(sorted(lines, key=lambda line: line.timestamp))


def _from_events(
    client: ClusterClient, wanted: LineFilter, since: int, forbidden: Unavailable | None
) -> AuditLog:
    """Refusals and rewrites of one namespace, from what its people may see."""
    namespace = wanted.namespace or client.namespace
    try:
        found = list(events.list_events(client, namespace))
    except Forbidden as other:
        raise Unavailable(f"{forbidden}; and for events in its place {other}") from None
    after = clock(datetime.now(UTC) - timedelta(seconds=since)) or ""
    lines = [
        line
        for line in (_line_of(each) for each in found if each.by == names.CONTROLLER)
        if wanted.takes(line) and line.timestamp >= after
    ]
    notes = (_ONLY_EVENTS.format(namespace, forbidden),)
    return AuditLog(_by_time(lines), since, notes, from_events=True)


def _line_of(event: ClusterEvent) -> LogLine:
    """An event of the webhook as a line of the log."""
    recorded = event.record or DecisionRecord()
    return LogLine(
        event="review",
        timestamp=clock(event.last) or "",
        side="mutate",
        namespace=event.namespace,
        mode="enforce",
        owner_kind=event.kind,
        owner=event.name,
        workload=recorded.workload,
        tenant=recorded.tenant,
        strategy=recorded.strategy,
        allowed=not event.refused,
        reason=event.reason,
        message=event.message if event.refused else None,
        containers=recorded.containers,
        violations=recorded.violations,
        count=event.count,
    )
