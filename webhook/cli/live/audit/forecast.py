"""What enforcement would make of what exists: rows by pod template, and sums; prints nothing."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import msgspec

from webhook.cli import judge
from webhook.cli.judge import Court, Result
from webhook.cli.live.access import Object, metadata
from webhook.cli.live.audit import census
from webhook.cli.live.audit.census import Group
from webhook.cli.objects import Found, InputError
from webhook.core import classify, offers, usage
from webhook.core.admit import Verdict
from webhook.core.model import Ask
from webhook.core.node import Node
from webhook.core.pod import Pod
from webhook.core.usage import Usage
from webhook.core.yaml_text import Document

_SERVERS = ("nodeName",)
"""What the scheduler put into a pod that exists; a new one would not have it."""


class Outcome(StrEnum):
    """What would become of a pod."""

    REFUSED = "refused"
    CHANGED = "changed"
    PINNED = "pinned"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Row:
    """A pod template: how many pods it has or is to have, and what they would get.

    `before` and `after` are in GPUs, of all its pods; `after` is empty where they are refused.
    """

    group: Group
    result: Result
    pods: int
    outcome: Outcome
    before: float
    after: Usage


@dataclass(frozen=True, slots=True)
class Sums:
    """Of some rows: templates by outcome, and GPUs; `refused` are those of refused pods."""

    outcomes: Mapping[Outcome, int]
    pods: int
    before: float
    after: float
    refused: float
    devices: Mapping[str, int]


def forecast(
    groups: Iterable[Group], court: Court
) -> tuple[tuple[Row, ...], tuple[InputError, ...]]:
    """Judge everything that touches a GPU; what cannot be read is returned beside it."""
    nodes = {node.metadata.name: node for node in court.cluster.nodes}
    rows: list[Row] = []
    unreadable: list[InputError] = []
    for each in groups:
        results = tuple(_results(each, court))
        unreadable.extend(r for r in results if isinstance(r, InputError))
        # With one template all live pods are of it: then what they hold is known.
        living = each.pods if len(results) == 1 else ()
        rows.extend(
            _row(replace(each, pods=living), r, court, nodes)
            for r in results
            if isinstance(r, Result) and touches(r.verdict)
        )
    return tuple(rows), tuple(unreadable)


def touches(verdict: Verdict) -> bool:
    """Whether the webhook has anything to say of a pod: it asks for a GPU, or reaches for one."""
    return bool(verdict.asks or verdict.violations or verdict.patch)


def _results(each: Group, court: Court) -> Iterator[Result | InputError]:
    """By the templates of the root; of a root that shows none, by a pod that it made."""
    made = list(judge.judge(_found(each.root), court)) if each.read else []
    if not made and each.pods:
        made = list(judge.judge(_found(each.pods[0]), court))
    yield from made


def _found(value: Object) -> Found:
    data = metadata(value)
    new = unscheduled(value) if value["kind"] == "Pod" else value
    return Found(f"namespace {data.get('namespace', '')}", new, Document(new, None))


def unscheduled(pod: Object) -> Object:
    """The pod as it was when it was created, as far as a decision looks at it."""
    spec = {key: value for key, value in (pod.get("spec") or {}).items() if key not in _SERVERS}
    return {**pod, "spec": spec}


def _row(each: Group, result: Result, court: Court, nodes: Mapping[str, Node]) -> Row:
    wanted = census.wanted(each.root, result.template.path) if each.read else 0
    living = len(each.pods)
    pods = max(wanted, living)
    asks = result.verdict.asks
    before = sum(_held(pod, nodes, asks) for pod in each.pods)
    one = usage.after(result.verdict, court.inventory)
    return Row(
        group=each,
        result=result,
        pods=pods,
        outcome=outcome(result.verdict),
        before=before + (pods - living) * usage.asked(asks),
        after=Usage(one.gpus * pods, {key: n * pods for key, n in one.devices.items()}),
    )


def _held(pod: Object, nodes: Mapping[str, Node], asks: tuple[Ask, ...]) -> float:
    """What a live pod holds where it runs; while it waits, what it asks for."""
    node = nodes.get((pod.get("spec") or {}).get("nodeName") or "")
    if node is None:
        return usage.asked(asks)
    try:
        read = msgspec.convert(pod, Pod)
    except msgspec.ValidationError:
        return usage.asked(asks)
    return usage.held(classify.asks_of(read), offers.of_node(node), node.metadata.labels or {})


def outcome(verdict: Verdict) -> Outcome:
    """What people want to know first.

    | allowed | patch | another resource | outcome |
    |---|---|---|---|
    | no | - | - | refused |
    | yes | none | - | unchanged |
    | yes | some | no | pinned: to nodes where the name means that |
    | yes | some | yes | changed |
    """
    if not verdict.allowed:
        return Outcome.REFUSED
    if not verdict.patch:
        return Outcome.UNCHANGED
    renamed = any(each.ask.resource != each.offer.resource for each in verdict.given)
    shared = any(each.offer.replicas > 1 for each in verdict.given)
    return Outcome.CHANGED if renamed or shared else Outcome.PINNED


def sums(rows: Iterable[Row]) -> Sums:
    """Add rows up. GPUs of refused pods are kept apart: they are no saving."""
    kept = tuple(rows)
    allowed = tuple(row for row in kept if row.outcome is not Outcome.REFUSED)
    devices: Counter[str] = Counter()
    for row in allowed:
        devices.update(row.after.devices)
    return Sums(
        outcomes=Counter(row.outcome for row in kept),
        pods=sum(row.pods for row in kept),
        before=sum(row.before for row in allowed),
        after=sum(row.after.gpus for row in allowed),
        refused=sum(row.before for row in kept if row.outcome is Outcome.REFUSED),
        devices=dict(devices),
    )


def by_namespace(rows: Iterable[Row]) -> Mapping[str, tuple[Row, ...]]:
    """Rows by their namespace, in its order."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row.result.namespace, []).append(row)
    return {name: tuple(found[name]) for name in sorted(found)}


def record(row: Row) -> dict[str, Any]:
    """What tools get of one row; the keys are an interface."""
    verdict = row.result.verdict
    data = metadata(row.group.root)
    return {
        "namespace": row.result.namespace,
        "kind": row.group.root["kind"],
        "name": data.get("name", ""),
        "template": row.result.template.path,
        "pods": row.pods,
        "workload": verdict.workload.value if verdict.workload else None,
        "tenant": verdict.tenant,
        "outcome": row.outcome.value,
        "strategy": verdict.strategy if verdict.allowed else None,
        "reason": verdict.reason.value,
        "message": "" if verdict.allowed else verdict.message,
        "warnings": list(verdict.warnings),
        "gpus": {"before": round(row.before, 2), "after": round(row.after.gpus, 2)},
    }
