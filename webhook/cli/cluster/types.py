"""What the commands read of live objects, typed.

Unknown fields are skipped, nothing is judged.
"""

from datetime import datetime
from typing import Any, Final, TypeVar

import msgspec
from msgspec import Struct, field

from webhook.cli.cluster.client import Unavailable
from webhook.core.api.pod import OwnerReference, Pod

S = TypeVar("S", bound=Struct)
ENDED: Final = frozenset({"Succeeded", "Failed"})
"""The phases of a pod that holds no device any more."""


class CamelStruct(Struct, frozen=True, rename="camel"):
    """An object of the API server. Only the stated fields are read."""


class Meta(CamelStruct, frozen=True):
    """metadata of any object."""

    name: str = ""
    namespace: str = ""
    uid: str = ""
    generate_name: str = ""
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    creation_timestamp: datetime | None = None
    deletion_timestamp: datetime | None = None
    owner_references: tuple[OwnerReference, ...] | None = None

    @property
    def controller(self) -> OwnerReference | None:
        """The owner that made it and will make it again."""
        return next((each for each in self.owner_references or () if each.controller), None)


class Condition(CamelStruct, frozen=True):
    """status.conditions[]."""

    type: str = ""
    status: str = ""
    reason: str = ""
    message: str = ""


class Ended(CamelStruct, frozen=True):
    """Why a container waits or ended."""

    reason: str = ""
    message: str = ""


class ContainerState(CamelStruct, frozen=True):
    """What a container does now."""

    waiting: Ended | None = None


class ContainerStatus(CamelStruct, frozen=True):
    """status.containerStatuses[]."""

    name: str = ""
    state: ContainerState | None = None


class PodStatus(CamelStruct, frozen=True):
    """status of a Pod."""

    phase: str = ""
    reason: str = ""
    message: str = ""
    conditions: tuple[Condition, ...] | None = None
    container_statuses: tuple[ContainerStatus, ...] | None = None
    init_container_statuses: tuple[ContainerStatus, ...] | None = None


class _PodStatusAndMeta(CamelStruct, frozen=True):
    metadata: Meta = field(default_factory=Meta)
    status: PodStatus = field(default_factory=PodStatus)


class LivePod(Struct, frozen=True):
    """A live Pod: as the decision reads it, and as the cluster has it."""

    meta: Meta
    status: PodStatus
    pod: Pod
    raw: dict[str, Any]

    @property
    def labels(self) -> dict[str, str]:
        """Its labels, empty where it has none."""
        return self.meta.labels or {}

    @property
    def ended(self) -> bool:
        """Whether it holds no device any more."""
        return self.status.phase in ENDED

    @property
    def state(self) -> str:
        """One word as `kubectl get pods` shows it, for the cases that matter here."""
        if self.meta.deletion_timestamp:
            return "Terminating"
        first = self.status.init_container_statuses or ()
        for each in (*first, *(self.status.container_statuses or ())):
            waiting = each.state.waiting if each.state else None
            if waiting and waiting.reason not in ("", "PodInitializing", "ContainerCreating"):
                return waiting.reason
        return self.status.reason or self.status.phase or "Pending"

    def condition(self, kind: str) -> Condition | None:
        """One of its conditions."""
        return next((c for c in self.status.conditions or () if c.type == kind), None)


class MakerSpec(CamelStruct, frozen=True):
    """spec of what makes pods. `replicas` and `parallelism` are how many."""

    replicas: int | None = None
    parallelism: int | None = None
    suspend: bool | None = None
    paused: bool | None = None


class MakerStatus(CamelStruct, frozen=True):
    """status of what makes pods."""

    replicas: int | None = None
    ready_replicas: int | None = None
    updated_replicas: int | None = None
    desired_number_scheduled: int | None = None
    conditions: tuple[Condition, ...] | None = None


class Maker(CamelStruct, frozen=True):
    """A Deployment, Job or anything else that makes pods."""

    kind: str = ""
    metadata: Meta = field(default_factory=Meta)
    spec: MakerSpec = field(default_factory=MakerSpec)
    status: MakerStatus = field(default_factory=MakerStatus)


def convert(value: Any, shape: type[S]) -> S:
    """Read an object of the API server.

    Raises:
        Unavailable: it is not what it should be; the message has the path.
    """
    try:
        return msgspec.convert(value, shape)
    except msgspec.ValidationError as error:
        raise Unavailable(f"the cluster's answer cannot be read: {error}") from None


def live_pod(value: dict[str, Any]) -> LivePod:
    """Read a pod. Raises Unavailable if it is none."""
    found = convert(value, _PodStatusAndMeta)
    return LivePod(found.metadata, found.status, convert(value, Pod), value)
