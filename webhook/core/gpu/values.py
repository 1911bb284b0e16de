"""What nodes offer, as frozen values: offers, groups of nodes, the inventory."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from webhook.core.api.mig import Profile
from webhook.core.api.node import Taint
from webhook.core.gpu.resources import ResourceKind
from webhook.core.gpu.strategies import Strategy


@dataclass(frozen=True, slots=True)
class NodeRequirement:
    """A requirement on a node's labels, as a pod's required node affinity writes it."""

    key: str
    operator: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DeviceLabels:
    """The labels of a device's product, memory in MiB and replicas."""

    product: str
    memory: str
    replicas: str


@dataclass(frozen=True, slots=True)
class Form:
    """How nodes of one dialect show that a resource name means a strategy.

    A node shows it by all `requirements`, and `of_slices` by a product that names a MIG profile
    too. In the keys `{slice}` stands for the resource name of the profile.
    """

    strategy: Strategy
    kinds: frozenset[ResourceKind]
    requirements: tuple[NodeRequirement, ...]
    labels: DeviceLabels
    of_slices: bool = False


@dataclass(frozen=True, slots=True)
class ExtendedResource:
    """A device that a container gets by a name in its `resources`."""

    name: str


Delivery = ExtendedResource
"""How a container gets the device. A second way joins here (`|`), and the type checker names
what has to treat it."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What one node advertises under one name.

    `memory` is what one request gets, in MiB, None where the node does not say. Where a strategy
    divides it, that is the device's own, `total`, by its `replicas`. `gpu_memory` is that of the
    GPU that the device is a part of.
    """

    delivery: Delivery
    form: Form
    product: str
    memory: int | None
    total: int | None
    gpu_memory: int | None
    replicas: int
    profile: Profile | None
    amount: int
    mig_capable: bool

    @property
    def resource(self) -> str:
        """The name that it is known by."""
        return self.delivery.name

    @property
    def strategy(self) -> Strategy:
        """How the device is given."""
        return self.form.strategy

    @property
    def kind(self) -> "OfferKind":
        """What tells offers apart when their amounts are added up."""
        return self.delivery.name, self.form.strategy, self.product


OfferKind = tuple[str, Strategy, str]
"""Resource name, strategy and product."""


class Contradiction(StrEnum):
    """Why a node's resource is not offered although the node is labelled."""

    MALFORMED_QUANTITY = "malformed_quantity"
    INVALID_MIG = "invalid_mig"
    NO_STRATEGY = "no_strategy"
    REPLICAS_UNSHARED = "replicas_unshared"
    SHARED_PRODUCT_UNSHARED = "shared_product_unshared"
    SLICES_UNLABELLED = "slices_unlabelled"
    MPS_ON_SLICES = "mps_on_slices"


@dataclass(frozen=True, slots=True)
class Unusable:
    """A resource that a node has and that is not offered.

    `detail` names labels and values.
    """

    reason: Contradiction
    resource: str
    detail: str


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

    `amounts` is what all nodes together have of each kind of offer. `unusable` is what single
    nodes have and do not offer, and why. `unlabelled` counts nodes that have NVIDIA resources but
    no labels of any dialect.
    """

    groups: tuple[NodeGroup, ...] = ()
    amounts: Mapping[OfferKind, int] = field(default_factory=dict)
    unusable: Mapping[str, tuple[Unusable, ...]] = field(default_factory=dict)
    unlabelled: int = 0
    nodes: int = 0
