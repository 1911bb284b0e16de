"""The parts of a Pod that we read, typed.

Unknown fields are skipped, never written back.

Field names are Kubernetes' own (camelCase on the wire). Optional fields may be absent or null.
"""

from typing import Any

from msgspec import field

from webhook.core.api.part import Part
from webhook.core.api.quantity import Raw


class OwnerReference(Part, frozen=True):
    """metadata.ownerReferences[]."""

    kind: str = ""
    name: str = ""
    uid: str = ""
    api_version: str = ""
    controller: bool | None = None


class Metadata(Part, frozen=True):
    """metadata. At CREATE the name is often empty: `generateName` is not expanded yet."""

    name: str | None = None
    generate_name: str | None = None
    namespace: str | None = None
    uid: str | None = None
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    owner_references: tuple[OwnerReference, ...] | None = None


class EnvVar(Part, frozen=True):
    """containers[].env[]."""

    name: str = ""
    value: str | None = None
    value_from: dict[str, Any] | None = None


class EnvFrom(Part, frozen=True):
    """containers[].envFrom[]: the variables of a ConfigMap or Secret, which we cannot see."""

    prefix: str | None = None


class Resources(Part, frozen=True):
    """containers[].resources."""

    limits: dict[str, Raw | None] | None = None  # Kubernetes reads a null quantity as none
    requests: dict[str, Raw | None] | None = None
    claims: tuple[dict[str, Any], ...] | None = None


class Capabilities(Part, frozen=True):
    """containers[].securityContext.capabilities."""

    add: tuple[str, ...] | None = None


class SecurityContext(Part, frozen=True):
    """containers[].securityContext, and of spec.securityContext its windowsOptions."""

    privileged: bool | None = None
    windows_options: dict[str, Any] | None = None
    capabilities: Capabilities | None = None


class VolumeMount(Part, frozen=True):
    """containers[].volumeMounts[]."""

    name: str = ""
    mount_path: str = ""
    read_only: bool | None = None


class Container(Part, frozen=True):
    """A container of any of the three lists."""

    name: str = ""
    image: str | None = None
    command: tuple[str, ...] | None = None
    args: tuple[str, ...] | None = None
    env: tuple[EnvVar, ...] | None = None
    env_from: tuple[EnvFrom, ...] | None = None
    resources: Resources | None = None
    restart_policy: str | None = None
    security_context: SecurityContext | None = None
    volume_mounts: tuple[VolumeMount, ...] | None = None
    termination_message_path: str | None = None


class HostPath(Part, frozen=True):
    """volumes[].hostPath."""

    path: str = ""


class Volume(Part, frozen=True):
    """spec.volumes[]."""

    name: str = ""
    host_path: HostPath | None = None
    flex_volume: dict[str, Any] | None = None
    git_repo: dict[str, Any] | None = None


class Toleration(Part, frozen=True):
    """spec.tolerations[]."""

    key: str | None = None
    operator: str | None = None
    value: str | None = None
    effect: str | None = None


class Requirement(Part, frozen=True):
    """One NodeSelectorRequirement, on labels or on fields."""

    key: str
    operator: str
    values: tuple[str, ...] | None = None


class NodeSelectorTerm(Part, frozen=True):
    """Requirements that must all hold.

    A term without any matches nothing.
    """

    match_expressions: tuple[Requirement, ...] | None = None
    match_fields: tuple[Requirement, ...] | None = None


class NodeSelector(Part, frozen=True):
    """Terms of which one must hold."""

    node_selector_terms: tuple[NodeSelectorTerm, ...] | None = None


class NodeAffinity(Part, frozen=True):
    """Only the required half: preferences never keep a pod off a node."""

    required_during_scheduling_ignored_during_execution: NodeSelector | None = None


class Affinity(Part, frozen=True):
    """spec.affinity."""

    node_affinity: NodeAffinity | None = None


class PodSpec(Part, frozen=True):
    """spec."""

    containers: tuple[Container, ...] | None = None
    init_containers: tuple[Container, ...] | None = None
    ephemeral_containers: tuple[Container, ...] | None = None
    node_selector: dict[str, str] | None = None
    affinity: Affinity | None = None
    tolerations: tuple[Toleration, ...] | None = None
    node_name: str | None = None
    runtime_class_name: str | None = None
    host_pid: bool | None = field(default=None, name="hostPID")
    host_ipc: bool | None = field(default=None, name="hostIPC")
    host_network: bool | None = None
    security_context: SecurityContext | None = None
    volumes: tuple[Volume, ...] | None = None
    resource_claims: tuple[dict[str, Any], ...] | None = None


class Pod(Part, frozen=True):
    """A Pod, or the template of one."""

    metadata: Metadata | None = None
    spec: PodSpec = field(default_factory=PodSpec)


def controller(pod: Pod) -> OwnerReference | None:
    """Return the pod's controller, None for a pod without one."""
    owners = (pod.metadata.owner_references if pod.metadata else None) or ()
    return next((each for each in owners if each.controller), None)


def labels(pod: Pod) -> dict[str, str]:
    """The pod's labels, empty where it has none."""
    return (pod.metadata.labels if pod.metadata else None) or {}


def annotations(pod: Pod) -> dict[str, str]:
    """The pod's annotations, empty where it has none."""
    return (pod.metadata.annotations if pod.metadata else None) or {}


def required_terms(pod: Pod) -> tuple[NodeSelectorTerm, ...] | None:
    """The terms of the required node affinity.

    None where there is no such affinity.
    """
    affinity = pod.spec.affinity
    node = affinity.node_affinity if affinity else None
    required = node.required_during_scheduling_ignored_during_execution if node else None
    return None if required is None else required.node_selector_terms or ()
