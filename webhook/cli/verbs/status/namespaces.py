"""Sections of the status about people: namespaces that opted in, and who was refused lately."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from webhook.cli import output
from webhook.cli.cluster import resources, times, types
from webhook.cli.cluster.client import ClusterClient, Forbidden, Permission, Unavailable
from webhook.cli.cluster.events import ClusterEvent, list_events
from webhook.cli.cluster.types import Meta
from webhook.cli.verbs.status.section import Section
from webhook.core.api import names, vocabulary
from webhook.core.api.admission import Mode
from webhook.core.integrations import kubernetes

HOUR: Final = timedelta(hours=1)
MOST: Final = 10
_NAMESPACES: Final = (
    ("NAMESPACE", "name"), ("MODE", "shown"), ("TENANT", "tenant"),
    ("DEFAULT WORKLOAD", "workload"), ("PODS BY STRATEGY", "told"),
)  # fmt: skip
_REFUSALS: Final = (
    ("NAMESPACE", "namespace"), ("OWNER", "owner"), ("REASON", "reason"), ("TIMES", "times"),
    ("LAST", "ago"),
)  # fmt: skip


def namespaces(client: ClusterClient) -> Section:
    """Who opted in, with how many pods by strategy. Raises Unavailable.

    Who may not list namespaces sees the own one, if it opted in or not.
    """
    missing: list[Permission] = []
    notes: list[str] = []
    try:
        every = list(client.each(resources.NAMESPACE))
        found = [each for each in every if names.MODE in (each["metadata"].get("labels") or {})]
        scope = None
    except Forbidden as forbidden:
        every = found = [client.get(resources.NAMESPACE, client.namespace)]
        scope = client.namespace
        missing.append(forbidden.permission)
        notes.append(f"only namespace {scope} is shown: {forbidden}")
    by_strategy = _strategies(client, scope, notes)
    rows = [_row(types.convert(each.get("metadata") or {}, Meta), by_strategy) for each in found]
    shown: tuple[Any, ...] = (output.table(_NAMESPACES, rows),) if rows else ("none has opted in",)
    return Section(
        data=[{k: v for k, v in row.items() if k not in ("told", "shown")} for row in rows],
        shown=shown,
        wrong=(*_meaningless(rows), *(text for each in every for text in _keys(each))),
        notes=tuple(notes),
        missing=tuple(missing),
    )


def _strategies(
    client: ClusterClient, scope: str | None, notes: list[str]
) -> Mapping[str, Counter[str]]:
    """Count pods by the label, which the API server selects by."""
    found: dict[str, Counter[str]] = {}
    try:
        for each in client.each(kubernetes.POD, scope, labelSelector=names.STRATEGY):
            meta = types.convert(each.get("metadata") or {}, Meta)
            counter = found.setdefault(meta.namespace, Counter())
            counter[(meta.labels or {})[names.STRATEGY]] += 1
    except Unavailable as error:
        notes.append(f"pods are not counted: {error}")
    return found


def _row(meta: Meta, by_strategy: Mapping[str, Counter[str]]) -> dict[str, Any]:
    labels = meta.labels or {}
    counts = dict(by_strategy.get(meta.name, {}))
    return {
        "name": meta.name,
        "mode": labels.get(names.MODE),
        "tenant": labels.get(names.TENANT),
        "workload": labels.get(names.WORKLOAD),
        "pods": counts,
        "shown": labels.get(names.MODE) or "off",
        "told": ", ".join(f"{n} {strategy}" for strategy, n in sorted(counts.items())),
    }


def _meaningless(rows: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    for row in rows:
        if row["mode"] not in (None, *Mode):
            mode = row["mode"]
            yield f"namespace {row['name']}: mode {mode!r} means nothing; write enforce or audit"


def _keys(namespace: Mapping[str, Any]) -> tuple[str, ...]:
    return vocabulary.keys_of_namespace(namespace.get("metadata") or {})


def refusals(client: ClusterClient, now: datetime) -> Section:
    """Return the refusals of the last hour, the most frequent first. Raises Unavailable."""
    notes: tuple[str, ...] = ()
    missing: tuple[Permission, ...] = ()
    try:
        events = list(list_events(client, None, by=names.CONTROLLER))
    except Forbidden as forbidden:
        events = list(list_events(client, client.namespace, by=names.CONTROLLER))
        notes = (f"only namespace {client.namespace} is looked at: {forbidden}",)
        missing = (forbidden.permission,)
    lately = [e for e in events if e.refused and e.last and now - e.last <= HOUR]
    rows = [_refusal(each, now) for each in sorted(lately, key=lambda e: -e.count)]
    more = len(rows) - MOST
    if more > 0:
        notes = (f"and {more} more (gpu-sharing logs --refused)", *notes)
    shown: tuple[Any, ...] = (output.table(_REFUSALS, rows[:MOST]),) if rows else ("none",)
    data = [{key: value for key, value in row.items() if key != "ago"} for row in rows]
    return Section(data, shown, notes=notes, missing=missing)


def _refusal(each: ClusterEvent, now: datetime) -> dict[str, Any]:
    return {
        "namespace": each.namespace,
        "owner": f"{each.kind}/{each.name}",
        "reason": each.reason,
        "times": each.count,
        "last": times.clock(each.last),
        "ago": times.ago(now, each.last),
    }
