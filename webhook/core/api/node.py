"""The parts of a Node that we read, typed.

What they mean is in `inventory`.
"""

from msgspec import field

from webhook.core.api import names
from webhook.core.api.part import Part
from webhook.core.api.quantity import Raw


class NodeAnnotations(Part, frozen=True):
    """Of metadata.annotations those that are read: others can be large."""

    pool_move: str | None = field(default=None, name=names.POOL_MOVE)
    hami: str | None = field(default=None, name=names.HAMI_REGISTER)
    hami_before: str | None = field(default=None, name=names.HAMI_REGISTER_BEFORE)


class NodeMetadata(Part, frozen=True):
    """metadata."""

    name: str = ""
    labels: dict[str, str] | None = None
    annotations: NodeAnnotations | None = None


class Taint(Part, frozen=True):
    """spec.taints[]."""

    key: str = ""
    effect: str = ""
    value: str | None = None


class NodeSpec(Part, frozen=True):
    """spec."""

    taints: tuple[Taint, ...] | None = None


class NodeCondition(Part, frozen=True):
    """status.conditions[]."""

    type: str = ""
    status: str = ""


class NodeStatus(Part, frozen=True):
    """status.

    Allocatable is what the kubelet hands out; capacity has what is not healthy too, and leftovers.
    """

    allocatable: dict[str, Raw] | None = None
    capacity: dict[str, Raw] | None = None
    conditions: tuple[NodeCondition, ...] | None = None


class Node(Part, frozen=True):
    """A Node, or a declared pool's idea of one."""

    metadata: NodeMetadata = field(default_factory=NodeMetadata)
    spec: NodeSpec | None = None
    status: NodeStatus | None = None


class Namespace(Part, frozen=True):
    """A Namespace: only its labels matter."""

    metadata: NodeMetadata = field(default_factory=NodeMetadata)


def labels(node: Node) -> dict[str, str]:
    """The node's labels, empty where it has none."""
    return node.metadata.labels or {}


def taints(node: Node) -> tuple[Taint, ...]:
    """The node's taints, empty where it has none."""
    return (node.spec.taints if node.spec else None) or ()


def allocatable(node: Node) -> dict[str, Raw]:
    """The node's allocatable NVIDIA resources, as written."""
    return _of_nvidia(node.status.allocatable if node.status else None)


def capacity(node: Node) -> dict[str, Raw]:
    """The node's NVIDIA resources in capacity, as written."""
    return _of_nvidia(node.status.capacity if node.status else None)


def conditions(node: Node) -> tuple[str, ...]:
    """The types of the node's conditions that are true."""
    every = (node.status.conditions if node.status else None) or ()
    return tuple(each.type for each in every if each.status == "True")


def hami_devices(node: Node) -> str:
    """The GPUs that HAMi's device plugin registered on the node, empty where it did not."""
    found = node.metadata.annotations
    return (found.hami or found.hami_before or "") if found else ""


def _of_nvidia(everything: dict[str, Raw] | None) -> dict[str, Raw]:
    return {key: raw for key, raw in (everything or {}).items() if key.startswith(names.NVIDIA)}
