"""The parts of a Node that we read, typed.

What they mean is in `inventory`.
"""

from msgspec import Struct, field

from webhook.core.api import names
from webhook.core.api.quantity import Raw


class _Part(Struct, frozen=True, rename="camel", gc=False):
    """Immutable, and without unknown fields: this is a view for reading."""


class Metadata(_Part, frozen=True):
    """metadata."""

    name: str = ""
    labels: dict[str, str] | None = None


class Taint(_Part, frozen=True):
    """spec.taints[]."""

    key: str = ""
    effect: str = ""
    value: str | None = None


class Spec(_Part, frozen=True):
    """spec."""

    taints: tuple[Taint, ...] | None = None


class Status(_Part, frozen=True):
    """status. Allocatable, not capacity: what the kubelet will really hand out."""

    allocatable: dict[str, Raw] | None = None


class Node(_Part, frozen=True):
    """A Node, or a declared pool's idea of one."""

    metadata: Metadata = field(default_factory=Metadata)
    spec: Spec | None = None
    status: Status | None = None


class Namespace(_Part, frozen=True):
    """A Namespace: only its labels matter."""

    metadata: Metadata = field(default_factory=Metadata)


def labels(node: Node) -> dict[str, str]:
    """The node's labels, empty where it has none."""
    return node.metadata.labels or {}


def taints(node: Node) -> tuple[Taint, ...]:
    """The node's taints, empty where it has none."""
    return (node.spec.taints if node.spec else None) or ()


def allocatable(node: Node) -> dict[str, Raw]:
    """The node's allocatable NVIDIA resources as written, empty where it has none."""
    everything = (node.status.allocatable if node.status else None) or {}
    return {key: value for key, value in everything.items() if key.startswith(names.NVIDIA)}
