"""The containers of a pod, by where they stand in it."""

from enum import StrEnum

from msgspec import Struct

from webhook.core.api.names import LABEL_LENGTH
from webhook.core.api.pod import Container, Pod


class Role(StrEnum):
    """Which list of the pod a container stands in. Sidecars are init containers that stay."""

    APP = "containers"
    INIT = "initContainers"
    SIDECAR = "sidecar"
    EPHEMERAL = "ephemeralContainers"


class ContainerRef(Struct, frozen=True):
    """Where a container stands in its pod."""

    role: Role
    index: int
    name: str

    @property
    def path(self) -> tuple[str, ...]:
        """The keys from the pod down to the container, for a JSON Pointer."""
        where = Role.INIT if self.role is Role.SIDECAR else self.role
        return ("spec", where.value, str(self.index))


def containers_of(pod: Pod) -> dict[ContainerRef, Container]:
    """Return every container: init containers and sidecars, those of the app, then ephemeral."""
    found: dict[ContainerRef, Container] = {}
    most = LABEL_LENGTH  # the name is a DNS label, which nobody has checked yet
    for index, each in enumerate(pod.spec.init_containers or ()):
        role = Role.SIDECAR if each.restart_policy == "Always" else Role.INIT
        found[ContainerRef(role, index, each.name[:most])] = each
    for index, each in enumerate(pod.spec.containers or ()):
        found[ContainerRef(Role.APP, index, each.name[:most])] = each
    for index, each in enumerate(pod.spec.ephemeral_containers or ()):
        found[ContainerRef(Role.EPHEMERAL, index, each.name[:most])] = each
    return found
