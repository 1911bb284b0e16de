"""The values that pass between the steps of one decision."""

from collections.abc import Mapping

from msgspec import Struct

from webhook.core.api.containers import ContainerRef
from webhook.core.api.mig import Profile
from webhook.core.api.node import Taint
from webhook.core.api.pod import Container, Pod
from webhook.core.api.quantity import Raw
from webhook.core.api.reason import Reason
from webhook.core.api.violation import Violation
from webhook.core.api.workload import Workload
from webhook.core.gpu.reach import Reach
from webhook.core.gpu.values import Inventory, NodeGroup, NodeRequirement, Offer
from webhook.core.policy.values import Choice, Policy, Row, RowName


class GpuRequest(Struct, frozen=True):
    """The GPUs that one container requests: one kind of resource and a count above zero."""

    container: ContainerRef
    resource: str
    count: int
    raw: Raw


class Constraints(Struct, frozen=True):
    """What an offer must satisfy for a pod, besides a request's own choices.

    `namespace_tenant` is whose pools and tolerations are the pod's own: that of its namespace, as a
    pod's own label opens nothing. `isolated` says that it must be kept apart from everybody else's.
    `memory`, in MiB, is the policy's default where the pod says nothing.
    """

    namespace_tenant: str | None
    isolated: bool
    shared_tenant_pools: bool
    memory: int | None
    profile: Profile | None
    own_shared_memory: bool
    host_ipc: bool = False


class ModelMemory(Struct, frozen=True):
    """The MiB that each GPU needs for a model, as estimated from its name."""

    mebibytes: int
    model: str


class Question(Struct, frozen=True):
    """What a pod says of itself, and the row of the matrix that decides it.

    `source` tells people what says the workload. `idle` are the containers that request no GPU.
    `memory` is that of the pod's annotation.
    """

    pod: Pod
    containers: Mapping[ContainerRef, Container]
    workload: Workload
    source: str
    tenant: str | None
    row_name: RowName
    row: Row
    constraints: Constraints
    requests: tuple[GpuRequest, ...]
    idle: tuple[ContainerRef, ...]
    memory: int | None
    violations: tuple[Violation, ...]
    warnings: tuple[str, ...]


class Search(Struct, frozen=True):
    """What a decision looks for, and in what.

    `reaches` says whether the pod can land in a group of nodes.
    """

    question: Question
    policy: Policy
    inventory: Inventory
    reaches: Reach


class Candidate(Struct, frozen=True):
    """A request with the choices that it may be given, best first."""

    request: GpuRequest
    choices: tuple[Choice, ...]


class Selection(Struct, frozen=True):
    """The offer selected for a candidate, and the group of nodes that has it."""

    candidate: Candidate
    offer: Offer
    group: NodeGroup


class Allocation(Struct, frozen=True):
    """What one request gets and why, with the node requirements that make it so."""

    request: GpuRequest
    offer: Offer
    reason: Reason
    requirements: tuple[NodeRequirement, ...]


class Decision(Struct, frozen=True):
    """What a pod gets, or why not: `violations` refuse, `allocations` is empty then."""

    allocations: tuple[Allocation, ...] = ()
    violations: tuple[Violation, ...] = ()
    warnings: tuple[str, ...] = ()
    tolerations: tuple[Taint, ...] = ()
