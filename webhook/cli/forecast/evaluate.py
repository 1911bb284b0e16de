"""What enforcement would make of what exists: a row for each pod template."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

import msgspec

from webhook.cli import evaluate, manifests
from webhook.cli.cluster.client import Object
from webhook.cli.evaluate import Context, Evaluation
from webhook.cli.forecast import groups
from webhook.cli.forecast.groups import PodGroup
from webhook.cli.inspect import usage
from webhook.cli.inspect.usage import Usage
from webhook.cli.manifests import InputError, Manifest
from webhook.core.api.node import Node
from webhook.core.api.pod import Pod
from webhook.core.decision import classify
from webhook.core.decision.values import GpuRequest
from webhook.core.gpu.reading import read_node
from webhook.core.gpu.values import Offer
from webhook.core.verdict import Verdict

_SERVERS = ("nodeName",)
"""What the scheduler put into a pod that exists; a new one would not have it."""


class Outcome(StrEnum):
    """What would become of a pod."""

    REFUSED = "refused"
    CHANGED = "changed"
    NODE_AFFINITY = "nodeAffinity"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class AuditRow:
    """A pod template: how many pods it has, and what they would get.

    `before` and `after` are in GPUs, of all its pods; `waiting` is the part of `before` that is
    asked for by pods without a node. `after` is empty where the pods are refused.
    """

    group: PodGroup
    result: Evaluation
    pods: int
    outcome: Outcome
    before: float
    waiting: float
    after: Usage


def forecast(
    groups: Iterable[PodGroup], context: Context
) -> tuple[tuple[AuditRow, ...], tuple[InputError, ...]]:
    """Judge everything that touches a GPU. What cannot be read is returned beside it."""
    nodes = {node.metadata.name: node for node in context.cluster.nodes}
    rows: list[AuditRow] = []
    unreadable: list[InputError] = []
    for each in groups:
        results = tuple(_results(each, context))
        unreadable.extend(r for r in results if isinstance(r, InputError))
        # With one template all live pods are of it: then what they hold is known.
        living = each.pods if len(results) == 1 else ()
        rows.extend(
            _row(replace(each, pods=living), r, nodes)
            for r in results
            if isinstance(r, Evaluation) and touches(r.verdict)
        )
    return tuple(rows), tuple(unreadable)


def touches(verdict: Verdict) -> bool:
    """Whether a pod requests a GPU, or reaches for one."""
    return bool(verdict.requests or verdict.violations or verdict.patch)


def _results(each: PodGroup, context: Context) -> Iterator[Evaluation | InputError]:
    """By the templates of the root. Of a root that shows none, by a pod that it made."""
    made = list(evaluate.evaluate(_found(each.root), context)) if each.read else []
    if not made and each.pods:
        made = list(evaluate.evaluate(_found(each.pods[0]), context))
    yield from made


def _found(value: Object) -> Manifest:
    return manifests.manifest_of_live(unscheduled(value) if value["kind"] == "Pod" else value)


def unscheduled(pod: Object) -> Object:
    """The pod as it was created, as far as a decision looks at it."""
    spec = {key: value for key, value in (pod.get("spec") or {}).items() if key not in _SERVERS}
    return {**pod, "spec": spec}


def _row(each: PodGroup, result: Evaluation, nodes: Mapping[str, Node]) -> AuditRow:
    wanted = groups.wanted(each.root, result.template.place) if each.read else 0
    pods = max(wanted, len(each.pods))
    requests = result.verdict.requests
    running = [usage.held(*held) for pod in each.pods if (held := find_held(pod, nodes))]
    waiting = (pods - len(running)) * usage.requested_gpus(requests)
    one = usage.after(result.verdict)
    return AuditRow(
        group=each,
        result=result,
        pods=pods,
        outcome=outcome(result.verdict),
        before=sum(running) + waiting,
        waiting=waiting,
        after=Usage(one.gpus * pods, {key: n * pods for key, n in one.devices.items()}),
    )


def find_held(
    pod: Object, nodes: Mapping[str, Node]
) -> tuple[tuple[GpuRequest, ...], tuple[Offer, ...]] | None:
    """Return what a live pod requests and its node offers, None without a known node."""
    node = nodes.get((pod.get("spec") or {}).get("nodeName") or "")
    if node is None:
        return None
    try:
        read = msgspec.convert(pod, Pod)
    except msgspec.ValidationError:
        return None
    return classify.requests_of(read), read_node(node).offers


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
    renamed = any(each.request.resource != each.offer.resource for each in verdict.allocations)
    shared = any(each.offer.replicas > 1 for each in verdict.allocations)
    return Outcome.CHANGED if renamed or shared else Outcome.NODE_AFFINITY
