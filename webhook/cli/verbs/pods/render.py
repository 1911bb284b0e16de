"""Pods with GPUs as a table, and as tools get them."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from webhook.cli import output
from webhook.cli.cluster import times
from webhook.cli.output import Column, Rendering
from webhook.cli.text import Paragraph, Text
from webhook.cli.verbs.pods.collect import GpuPod, PodList

_NAMESPACE: Final[tuple[Column, ...]] = (("NAMESPACE", "namespace"),)
_COLUMNS: Final[tuple[Column, ...]] = (
    ("NAME", "name"), ("WORKLOAD", "workload"), ("TENANT", "tenant"), ("GETS", "gets"),
    ("STRATEGY", "strategy"), ("NODE", "node"), ("STATUS", "status"),
)  # fmt: skip
_LEAST_FIRST: Final = ("tenant", "workload", "strategy", "node")
_WIDE: Final[tuple[Column, ...]] = (
    ("REQUESTED", "asked"), ("REASON", "reason"), ("OWNER", "owner"), ("AGE", "age"),
)  # fmt: skip


def render(found: PodList, *, wide: bool) -> Rendering:
    """Return a line a pod, and how many have which strategy."""
    records = [_record(each, found.now) for each in found.pods]
    columns = (() if found.namespace else _NAMESPACE) + _COLUMNS + (_WIDE if wide else ())
    listing = output.table(columns, map(_row, records), () if wide else _LEAST_FIRST)
    return Rendering(records, (*([listing] if records else ()), *_ends(found)), found.notes)


def _record(each: GpuPod, now: datetime) -> dict[str, Any]:
    """What tools get of one pod. The keys are an interface."""
    live, containers = each.live, each.decision.containers if each.decision else ()
    owner = live.meta.controller
    return {
        "namespace": live.meta.namespace,
        "name": live.meta.name,
        "workload": each.workload,
        "tenant": each.tenant,
        "asked": [{"name": c.name, **c.requested} for c in containers] or None,
        "gets": [{"name": ask.container.name, ask.resource: ask.count} for ask in each.requests],
        "strategy": each.strategy,
        "reason": "; ".join(dict.fromkeys(c.reason or "" for c in containers)) or None,
        "node": live.pod.spec.node_name,
        "status": live.state,
        "owner": f"{owner.kind}/{owner.name}" if owner else None,
        "mode": each.mode,
        "age": times.age(now, live.meta.creation_timestamp),
    }


def _row(record: Mapping[str, Any]) -> dict[str, Any]:
    return {**record, "gets": _lines(record["gets"]), "asked": _lines(record["asked"] or ())}


def _lines(containers: Iterable[Mapping[str, Any]]) -> list[str]:
    return [
        output.amounts({key: n for key, n in each.items() if key != "name"}) for each in containers
    ]


def _ends(found: PodList) -> Iterator[Paragraph]:
    if found.pods:
        yield Text()
    yield Text(_summary(found.pods) or _nothing(found))
    unreviewed = [each for each in found.pods if each.unreviewed]
    if unreviewed:
        spaces = ", ".join(sorted({each.live.meta.namespace for each in unreviewed}))
        yield output.note(
            f"running in an enforcing namespace ({spaces}) without a decision: {len(unreviewed)}. "
            "Such a pod was created before the namespace opted in, by an exempt user, or while the "
            "webhook was down; delete it, so that it is created again and reviewed."
        )
    yield from map(output.note, found.notes)


def _summary(pods: Iterable[GpuPod]) -> str:
    """How many pods have which strategy. Empty where none holds a GPU."""
    kept = [each for each in pods if not each.live.ended]
    counts = Counter(each.strategy or "without a decision" for each in kept)
    many = ", ".join(f"{n} {strategy}" for strategy, n in sorted(counts.items()))
    return f"Pods with a GPU: {len(kept)} ({many})." if kept else ""


def _nothing(found: PodList) -> str:
    where = f"in namespace {found.namespace}" if found.namespace else "of the cluster"
    if not found.total:
        return f"No pod {where} requests a GPU."
    return f"No pod {where} matches; {found.total} request a GPU."
