"""A node's move to another pool, step by step."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from webhook.cli.cluster import resources, types
from webhook.cli.cluster.changes import evict, patch_node
from webhook.cli.cluster.client import ClusterClient, Unavailable
from webhook.core.api import names
from webhook.core.api.node import Node
from webhook.core.api.pod import Pod
from webhook.core.gpu.dialects.gfd.labels import MIG_STATE
from webhook.core.integrations import kubernetes
from webhook.core.pools import moving
from webhook.core.pools.moving import MIG_CONFIG, PLUGIN_CONFIG, Goal, Mark, Step

_MIRROR: Final = "kubernetes.io/config.mirror"
WAITING: Final = (Step.DRAIN, Step.AWAIT_LEFT, Step.AWAIT_MIG, Step.AWAIT_OFFERS)
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Clock:
    """Monotonic seconds, and what passes the time until the next look."""

    now: Callable[[], float] = time.monotonic
    pause: Callable[[float], None] = time.sleep


class MoveError(Unavailable):
    """A move cannot go on. The message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Move:
    """Which node goes where, the seconds to wait, and where progress is reported.

    `force` evicts pods that nothing makes again.
    """

    client: ClusterClient
    node: str
    goal: Goal
    say: Say
    timeout: float = 1800.0
    poll: float = 2.0
    force: bool = False
    clock: Clock = field(default_factory=Clock)


@dataclass(frozen=True, slots=True)
class Holder:
    """A pod on the node that holds GPUs. `owner` is the kind that made it, empty if none."""

    namespace: str
    name: str
    owner: str


def run_move(move: Move) -> None:
    """Do what is next until the node is in the pool.

    Raises:
        MoveError: a step failed or took too long; the node stays as it is, told in the message.
        Unavailable: the cluster refuses, or does not answer.
    """
    last: Step | None = None
    retried = False
    since = move.clock.now()
    while True:
        seen, holders = observe(move.client, move.node)
        step = moving.next_step(seen, move.goal, retried=retried)
        if step is not last:
            move.say(f"{step.name.lower().replace('_', ' ')}: {step.value}")
            last, since = step, move.clock.now()
        if step is Step.DONE:
            return
        if step is Step.FAILED:
            raise MoveError(_failed(move))
        retried = retried or step in (Step.LEAVE_FAILED, Step.LABEL)
        _act(move, step, seen, holders)
        if step is Step.UNCORDON:
            move.say(f"done: {Step.DONE.value}")
            return
        if step in WAITING:
            if move.clock.now() - since > move.timeout:
                raise MoveError(_give_up(move, step, seen, holders))
            move.clock.pause(move.poll)


def observe(client: ClusterClient, name: str) -> tuple[moving.NodeProgress, tuple[Holder, ...]]:
    """Read a node and the pods on it that hold GPUs.

    Raises:
        Unavailable: the cluster does not show them.
    """
    raw = client.get(resources.NODE, name)
    subject = types.convert(raw, Node)
    cordoned = bool((raw.get("spec") or {}).get("unschedulable"))
    holders = tuple(_holders(client, name))
    listed = tuple(f"{each.namespace}/{each.name}" for each in holders)
    return moving.NodeProgress(subject, cordoned, moving.read_mark(subject), listed), holders


def _holders(client: ClusterClient, name: str) -> Iterator[Holder]:
    for raw in client.each(kubernetes.POD, None, fieldSelector=f"spec.nodeName={name}"):
        live = types.live_pod(raw)
        mirrored = _MIRROR in (live.meta.annotations or {})
        if not live.ended and not mirrored and _holds_gpu(live.pod):
            owner = live.meta.controller
            yield Holder(live.meta.namespace, live.meta.name, owner.kind if owner else "")


def _holds_gpu(pod: Pod) -> bool:
    containers = (*(pod.spec.containers or ()), *(pod.spec.init_containers or ()))
    limits = (each.resources.limits for each in containers if each.resources)
    return any(key.startswith(names.NVIDIA) for each in limits for key in each or {})


def _act(move: Move, step: Step, seen: moving.NodeProgress, holders: tuple[Holder, ...]) -> None:
    """Do one step. Each is one request, so that an interruption leaves no half of it."""
    match step:
        case Step.CORDON:
            before = seen.label(PLUGIN_CONFIG), seen.label(MIG_CONFIG)
            mark = Mark(not seen.cordoned, *before, to=move.goal.words)
            _patch(move, mark=mark, unschedulable=True)
        case Step.DRAIN:
            _drain(move, holders)
        case Step.LEAVE_FAILED:
            _leave_failed(move, seen)
        case Step.LABEL:
            labels = {PLUGIN_CONFIG: move.goal.plugin, MIG_CONFIG: move.goal.mig}
            if seen.label(MIG_CONFIG) != move.goal.mig:
                labels[MIG_STATE] = None
            _patch(
                move,
                labels=labels,
                mark=seen.mark and msgspec.structs.replace(seen.mark, leaving=False),
            )
        case Step.UNCORDON:
            cordoned = seen.cordoned and not (seen.mark and seen.mark.cordoned)
            _patch(move, mark=None, unschedulable=cordoned or None)
        case _:
            pass


def _leave_failed(move: Move, seen: moving.NodeProgress) -> None:
    mark = seen.mark or Mark(cordoned=False)
    leaving = msgspec.structs.replace(mark, leaving=True)
    labels = {MIG_STATE: None, MIG_CONFIG: moving.other_config(move.goal)}
    _patch(move, labels=labels, mark=leaving)


def _patch(move: Move, *, mark: Mark | None, **change: Any) -> None:
    text = None if mark is None else msgspec.json.encode(mark).decode()
    patch: dict[str, Any] = {"metadata": {"annotations": {names.POOL_MOVE: text}}}
    if "labels" in change:
        patch["metadata"]["labels"] = change["labels"]
    if "unschedulable" in change:
        patch["spec"] = {"unschedulable": change["unschedulable"]}
    patch_node(move.client, move.node, patch)


def _drain(move: Move, holders: tuple[Holder, ...]) -> None:
    """Evict each pod once more: one that is going already does not mind."""
    for each in holders:
        name = f"{each.namespace}/{each.name}"
        if each.owner == "DaemonSet":
            raise MoveError(
                f"{name} holds a GPU and its DaemonSet makes it again: change that first"
            )
        if not each.owner and not move.force:
            raise MoveError(
                f"{name} holds a GPU and nothing would make it again: delete it, or give --force"
            )
        kept = evict(move.client, each.namespace, each.name)
        if kept is not None:
            move.say(f"  {name} stays for now: {kept}")


def _failed(move: Move) -> str:
    return (
        f"mig-manager failed to apply {move.goal.mig}: see its log on the node; {move.node} stays "
        f"cordoned. Again: the same command. Back: gpu-sharing pools move {move.node} --undo --yes"
    )


def _give_up(move: Move, step: Step, seen: moving.NodeProgress, holders: tuple[Holder, ...]) -> str:
    """Say what did not come. A node whose labels are untouched is opened again."""
    waited = f"{step.name.lower().replace('_', ' ')}: not within {move.timeout:g} s"
    if step is Step.DRAIN and not (seen.mark and seen.mark.leaving):
        _act(move, Step.UNCORDON, seen, holders)
        return f"{waited}, kept by {', '.join(seen.holders)}; nothing was changed, pods may come"
    return (
        f"{waited}; {move.node} stays cordoned. On: the same command. "
        f"Back: gpu-sharing pools move {move.node} --undo --yes"
    )
