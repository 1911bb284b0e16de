"""The way of a node from one pool to another, a step at a time.

Nothing is remembered between steps but what stands on the node, so that a move goes on where it
was interrupted. Source: mig-parted deployments/container/reconfigure-mig.sh.
"""

import re
from dataclasses import dataclass
from enum import Enum
from typing import Final

import msgspec
from msgspec import Struct

from webhook.core.api import node
from webhook.core.api.names import NVIDIA
from webhook.core.api.node import Node
from webhook.core.gpu.dialects.gfd.labels import COUNT, MIG_CAPABLE, MIG_STATE, REPLICAS
from webhook.core.gpu.reading import read_node
from webhook.core.pools.catalog import Catalog, find_model
from webhook.core.pools.hardware import physical_gpus
from webhook.core.pools.layouts import Layout, all_layouts
from webhook.core.pools.mig_parted_file import DISABLED, as_counts
from webhook.core.pools.settings import MIG, MPS, TIME_SLICING, WHOLE, count_offers

PLUGIN_CONFIG: Final = NVIDIA + "device-plugin.config"
MIG_CONFIG: Final = NVIDIA + "mig.config"
_OTHERWISE: Final = {DISABLED: "all-balanced"}
_STRATEGIES: Final = {WHOLE: "exclusive", MPS: "mps", TIME_SLICING: "time-slicing"}


class Step(Enum):
    """What a move does next. Those that wait are looked at again and again."""

    CORDON = "no new pods come to the node"
    DRAIN = "the pods that hold its GPUs are evicted, as PodDisruptionBudgets allow"
    LEAVE_FAILED = "a failed MIG change is never retried: another value is set first"
    AWAIT_LEFT = "wait until mig-manager is through with the value that is there"
    LABEL = "both labels are set at once, without the old state, at which waiting would end"
    AWAIT_MIG = "wait for mig-manager: success or failed"
    FAILED = "mig-manager failed"
    AWAIT_OFFERS = "wait until labels and allocatable are what was asked"
    UNCORDON = "pods may come again"
    DONE = "the node is in the pool"


class Mark(Struct, frozen=True, omit_defaults=True):
    """What is written on a node on its way: whence and whereto."""

    cordoned: bool
    plugin: str | None = None
    mig: str | None = None
    leaving: bool = False
    to: str = ""


@dataclass(frozen=True, slots=True)
class Goal:
    """The kind of pool, and the two labels that a node is to have.

    `layout` is how many devices of each profile that makes of the node, None where not known.
    """

    kind: str | None
    plugin: str | None
    mig: str | None
    layout: Layout | None = None

    @property
    def words(self) -> str:
        """The flags of the command that goes there."""
        layout = f" --mig-config {self.mig}" if self.kind == MIG else ""
        own = f" --plugin-config {self.plugin}" if self.plugin != self.kind else ""
        return f"--to {self.kind}{layout}{own}"


@dataclass(frozen=True, slots=True)
class NodeProgress:
    """A node as it is now, with the pods on it that hold GPUs."""

    node: Node
    cordoned: bool
    mark: Mark | None
    holders: tuple[str, ...]

    def label(self, key: str) -> str | None:
        """Return a label of the node."""
        return node.labels(self.node).get(key)


def next_step(seen: NodeProgress, goal: Goal, *, retried: bool) -> Step:
    """Return the step that a node needs next. `retried`: a failed change was tried anew.

    | mark | labels | GPU pods | state | offers | step |
    |---|---|---|---|---|---|
    | no | as asked | any | any but failed | as asked | DONE |
    | no | other | any | any | any | CORDON |
    | yes | other, or failed | some | any | any | DRAIN |
    | yes | MIG as asked | none | failed | any | LEAVE_FAILED, after a retry FAILED |
    | yes | MIG ours but other | none | none | any | AWAIT_LEFT |
    | yes | other | none | pending, rebooting | any | AWAIT_LEFT |
    | yes | other | none | other | any | LABEL |
    | yes | as asked | any | none, pending, rebooting | any | AWAIT_MIG |
    | yes | as asked | any | success, or no MIG | other | AWAIT_OFFERS |
    | yes | as asked | any | success, or no MIG | as asked | UNCORDON |
    """
    state = seen.label(MIG_STATE)
    same_mig = seen.label(MIG_CONFIG) == goal.mig
    labelled = same_mig and seen.label(PLUGIN_CONFIG) == goal.plugin
    arrived = labelled and state != "failed" and offers_as_asked(seen.node, goal)
    if seen.mark is None:
        return Step.DONE if arrived else Step.CORDON
    if same_mig and state == "failed":
        if retried:
            return Step.FAILED
        return Step.DRAIN if seen.holders else Step.LEAVE_FAILED
    if not labelled:
        return _before_labels(seen, seen.mark)
    if has_mig_manager(seen.node) and state != "success":
        return Step.AWAIT_MIG
    return Step.UNCORDON if arrived else Step.AWAIT_OFFERS


def _before_labels(seen: NodeProgress, mark: Mark) -> Step:
    """The step before the labels, which waits for an answer to an earlier value.

    It looks at the last value alone: one that is back before it looked is no change, and a state
    that comes late would be taken for that of the next value.
    """
    state = seen.label(MIG_STATE)
    if seen.holders:
        return Step.DRAIN
    ours = mark.leaving or seen.label(MIG_CONFIG) != mark.mig
    unanswered = state is None and ours and has_mig_manager(seen.node)
    if unanswered or state in ("pending", "rebooting"):
        return Step.AWAIT_LEFT
    return Step.LABEL


def has_mig_manager(subject: Node) -> bool:
    """Whether mig-manager answers for a node: the operator runs it where MIG can be."""
    return node.labels(subject).get(MIG_CAPABLE) == "true"


def other_config(goal: Goal) -> str:
    """Return a MIG layout that is not the one asked for, to leave `failed`."""
    return _OTHERWISE.get(goal.mig or "", DISABLED)


def offers_as_asked(subject: Node, goal: Goal) -> bool:
    """Whether labels and amounts are those of the pool and of no other."""
    found = read_node(subject)
    if found.unusable:
        return False
    amounts = count_offers(found.offers)
    if goal.kind == MIG:
        cut = {key: count for key, count in amounts.items() if key not in _STRATEGIES.values()}
        return bool(cut) and (goal.layout is None or cut == dict(goal.layout))
    strategy = _STRATEGIES.get(goal.kind or "")
    if strategy is None:
        return bool(amounts)
    labels = node.labels(subject)
    count, replicas = labels.get(COUNT, ""), labels.get(REPLICAS, "")
    whole = count.isdecimal() and replicas.isdecimal() and int(count) * int(replicas)
    return amounts == {strategy: whole}


def layout_of(subject: Node, mig_config: str, catalog: Catalog) -> Layout | None:
    """Return the devices that a layout of mig-manager's own makes of a node."""
    gpus = physical_gpus(subject, catalog)
    named = re.fullmatch(r"all-(.+)", mig_config)
    if gpus is None or named is None:
        return None
    model = find_model(catalog, gpus.product, gpus.memory)
    if named[1] == "balanced":
        return as_counts([model.balanced] * gpus.count) or None
    most = max((each.get(named[1], 0) for each in all_layouts(model)), default=0)
    return {named[1]: most * gpus.count} if most else None


def read_mark(subject: Node) -> Mark | None:
    """Return the mark of a node on its way. One that cannot be read counts as not cordoned."""
    annotations = subject.metadata.annotations
    text = annotations.pool_move if annotations else None
    try:
        return None if text is None else msgspec.json.decode(text, type=Mark)
    except msgspec.DecodeError:
        return Mark(cordoned=False)
