"""The frozen values that pass between the steps of one review; no behaviour beyond lookups."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from webhook.core.api.mig import Profile
from webhook.core.api.node import Taint
from webhook.core.api.pod import Pod
from webhook.core.api.quantity import Raw
from webhook.core.api.reason import Reason


class Workload(StrEnum):
    """What a pod is for."""

    TRAINING = "training"
    INFERENCE = "inference"
    DEV = "dev"
    TENANT = "tenant"
    UNCLASSIFIED = "unclassified"


class Strategy(StrEnum):
    """How a GPU is given. MIG counts here although NVIDIA does not call it sharing."""

    EXCLUSIVE = "exclusive"
    MIG = "mig"
    MPS = "mps"
    TIME_SLICING = "time-slicing"


ISOLATED = frozenset({Strategy.EXCLUSIVE, Strategy.MIG})
"""Strategies whose device no other pod uses (NVIDIA MIG User Guide; device plugin README)."""


class Mode(StrEnum):
    """Whether a namespace's decisions take effect."""

    ENFORCE = "enforce"
    AUDIT = "audit"


class Side(StrEnum):
    """Which of the two admission phases asks."""

    MUTATE = "mutate"
    VALIDATE = "validate"


class Role(StrEnum):
    """Which list of the pod a container stands in; sidecars are init containers that stay."""

    APP = "containers"
    INIT = "initContainers"
    SIDECAR = "sidecar"
    EPHEMERAL = "ephemeralContainers"


@dataclass(frozen=True, slots=True)
class ContainerRef:
    """Where a container stands in its pod."""

    role: Role
    index: int
    name: str

    @property
    def path(self) -> tuple[str, ...]:
        """The keys from the pod down to the container, for a JSON Pointer."""
        where = Role.INIT if self.role is Role.SIDECAR else self.role
        return ("spec", where.value, str(self.index))


@dataclass(frozen=True, slots=True)
class Ask:
    """The GPUs that one container requests: one kind of resource and a count above zero."""

    place: ContainerRef
    resource: str
    count: int
    raw: Raw


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing that is wrong: a reason, where, and a whole sentence with the mend."""

    reason: Reason
    container: str
    message: str
    field: str = ""

    @property
    def text(self) -> str:
        """What people read; stable for equal causes, so that events aggregate."""
        where = f'container "{self.container}": ' if self.container else ""
        return f"{where}{self.message} [{self.reason}]"


@dataclass(frozen=True, slots=True)
class NodeRequirement:
    """A requirement added to a pod's required node affinity."""

    key: str
    operator: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Offer:
    """What one node advertises under one resource name.

    `memory` is what one ask gets, in MiB, None where the node does not say. Under MPS that is
    the GPU's divided by its replicas, under time-slicing the whole device's, unprotected.
    `total` is the device's own memory, before MPS divides it, and stands in `memory_label`.
    """

    resource: str
    strategy: Strategy
    product: str
    memory: int | None
    total: int | None
    memory_label: str
    replicas: int
    profile: Profile | None
    amount: int
    mig_capable: bool
    pins: tuple[NodeRequirement, ...]

    @property
    def kind(self) -> "OfferKind":
        """What tells offers apart when their amounts are added up."""
        return self.resource, self.strategy, self.product


OfferKind = tuple[str, Strategy, str]
"""Resource name, strategy and product."""


@dataclass(frozen=True, slots=True)
class NodeLabels:
    """One node as selectors see it."""

    name: str
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class NodeGroup:
    """Nodes that offer the same under the same taints and the same tenant."""

    offers: tuple[Offer, ...]
    taints: tuple[Taint, ...]
    tenant: str | None
    nodes: tuple[NodeLabels, ...]


@dataclass(frozen=True, slots=True)
class Inventory:
    """All offers of the cluster, one frozen snapshot.

    `amounts` is what all nodes together have of each kind of offer. `unlabelled` counts nodes
    that have NVIDIA resources but no GPU Feature Discovery labels.
    """

    shapes: tuple[NodeGroup, ...] = ()
    amounts: Mapping[OfferKind, int] = field(default_factory=dict)
    unlabelled: int = 0
    nodes: int = 0


@dataclass(frozen=True, slots=True)
class Allocation:
    """What one ask gets and why, with the pins that make it so."""

    ask: Ask
    offer: Offer
    reason: Reason
    pins: tuple[NodeRequirement, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """What a pod says of itself, read once: workload, tenant, asks and what is malformed."""

    pod: Pod
    workload: Workload
    tenant: str | None
    asks: tuple[Ask, ...]
    idle: tuple[ContainerRef, ...]
    memory: int | None
    profile: Profile | None
    violations: tuple[Violation, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """What a pod gets, or why not: `violations` refuse, `given` is empty then."""

    given: tuple[Allocation, ...] = ()
    violations: tuple[Violation, ...] = ()
    warnings: tuple[str, ...] = ()
    tolerations: tuple[Taint, ...] = ()


@dataclass(frozen=True, slots=True)
class Request:
    """One admission question, decoded. `pod` is None where the object is not a Pod.

    `namespace_labels` are the namespace's own; `mode` is as the API server's selector saw it.
    """

    side: Side
    mode: Mode
    uid: str
    operation: str
    namespace: str
    name: str = ""
    user: str = ""
    subresource: str = ""
    dry_run: bool = False
    pod: Pod | None = None
    old_pod: Pod | None = None
    namespace_labels: Mapping[str, str] = field(default_factory=dict)
