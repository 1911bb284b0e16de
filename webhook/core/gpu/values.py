"""What nodes offer, as frozen values: offers, groups of nodes, the inventory."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

from msgspec import Struct

from webhook.core.api.mig import Profile
from webhook.core.api.node import Node, Taint
from webhook.core.gpu.resources import ResourceKind
from webhook.core.gpu.strategies import Strategy
from webhook.core.gpu.unusable import Unusable


class NodeRequirement(Struct, frozen=True):
    """A requirement on a node's labels, as a pod's required node affinity writes it."""

    key: str
    operator: str
    values: tuple[str, ...] = ()


class DeviceLabels(Struct, frozen=True):
    """The labels of a device's product, memory in MiB, replicas, MIG profile, and vGPU.

    None where the system has no such label: then the products that are large enough are required.
    """

    product: str | None = None
    memory: str | None = None
    replicas: str | None = None
    profile: str | None = None
    virtual: str | None = None


class Form(Struct, frozen=True):
    """How nodes of one dialect show that a resource name means a strategy.

    A node shows it by all `requirements`, and by a product that matches `product_pattern` where
    there is one (RE2 and Python read it alike). In the keys `{slice}` stands for the resource
    name of the profile. `needs_host_ipc` says that a pod reaches the device with hostIPC only.
    """

    strategy: Strategy
    kinds: frozenset[ResourceKind]
    requirements: tuple[NodeRequirement, ...]
    labels: DeviceLabels
    product_pattern: str = ""
    needs_host_ipc: bool = False


class ExtendedResource(Struct, frozen=True):
    """A device that a container gets by a name in its `resources`."""

    name: str


Delivery = ExtendedResource
"""How a container gets the device. A second way joins here (`|`), and the type checker names
what has to treat it."""


class Offer(Struct, frozen=True, gc=False):
    """What one node advertises under one name.

    `memory` is what one request gets, in MiB, None where the node does not say. Where a strategy
    divides it, that is the device's own, `total`, by its `replicas`. `gpu_memory` is that of the
    GPU that the device is a part of. `existing` counts also what is not healthy at the moment.
    `virtual` says that the hypervisor may share the card with other machines.
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
    existing: int
    mig_capable: bool
    virtual: bool = False

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
        """The key by which the amounts of offers are added up."""
        return self.delivery.name, self.form.strategy, self.product


OfferKind = tuple[str, Strategy, str]
"""Resource name, strategy and product."""


class NodeLabels(Struct, frozen=True, gc=False):
    """One node as selectors see it."""

    name: str
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class NodeGroup:
    """Nodes that offer the same under the same taints and the same tenant.

    `declared` is the name of the policy's pool whose next node this is; it is not there yet, and
    has more labels than the pool lists. `distinct` and `by_label` keep what `reach` finds, for as
    long as the snapshot lasts.
    """

    offers: tuple[Offer, ...]
    taints: tuple[Taint, ...]
    tenant: str | None
    nodes: tuple[NodeLabels, ...]
    declared: str = ""
    distinct: dict[frozenset[str], tuple[NodeLabels, ...]] = field(
        default_factory=dict, init=False, compare=False, repr=False
    )
    by_label: dict[str, dict[str, list[NodeLabels]]] = field(
        default_factory=dict, init=False, compare=False, repr=False
    )


class DeclaredPool(Struct, frozen=True):
    """A pool of nodes that the policy declares.

    `node` is how its next node will look. `offer` is what it gives, where its labels do not tell:
    nodes with all labels of `selector` are of the pool, and that is what is required of nodes.
    `amount` is None for a pool that only says what nodes that exist are. `autoscaler` names who
    makes its nodes.
    """

    name: str
    node: Node
    selector: Mapping[str, str]
    offer: Offer | None = None
    amount: int | None = None
    autoscaler: str | None = None


@dataclass(frozen=True, slots=True)
class Inventory:
    """All offers of the cluster, one frozen snapshot.

    `amounts` is what all nodes together have of each kind of offer. `unusable` is what single
    nodes have and do not offer, and why; `owners` are the tenants of those of them that have one.
    `barred` are the nodes that advertise a resource and do not offer it: what is required of nodes
    must exclude them. `kept` is what decisions found in the snapshot, by their questions.
    """

    groups: tuple[NodeGroup, ...] = ()
    amounts: Mapping[OfferKind, int] = field(default_factory=dict)
    unusable: Mapping[str, tuple[Unusable, ...]] = field(default_factory=dict)
    owners: Mapping[str, str] = field(default_factory=dict)
    barred: Mapping[str, tuple[NodeLabels, ...]] = field(default_factory=dict)
    nodes: int = 0
    kept: dict[Hashable, Any] = field(default_factory=dict, init=False, compare=False, repr=False)
