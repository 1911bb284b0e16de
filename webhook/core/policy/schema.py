"""The policy file as types, which msgspec reads and `load` compiles."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from webhook.core.gpu.strategies import Strategy
from webhook.core.policy.checks_schema import GuardsFile
from webhook.core.policy.values import Otherwise, SeveralGpus

Text = Annotated[str, Meta(min_length=1, max_length=253)]
HostPath = Annotated[
    str,
    Meta(
        pattern=r"^(/[^/*?]+)+$",
        max_length=4096,
        description="a folder by its absolute path, without patterns: /data/models",
    ),
]
Capability = Annotated[
    str, Meta(pattern="^[A-Z][A-Z_]+$", description="a capability in capitals, without CAP_")
]
Prefix = Annotated[
    str,
    Meta(
        pattern=r"^(\*/)?[A-Za-z0-9][A-Za-z0-9._/-]*$",
        max_length=253,
        description="how the key of a taint begins, node.kubernetes.io/, or ends, */not-ready",
    ),
]
Memory = Annotated[str, Meta(description="a Kubernetes quantity, for example 8Gi")]


class _PolicyPart(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """A typing error in a key must not be skipped in silence."""


class ChoiceFile(_PolicyPart, frozen=True):
    """A strategy on some GPU products only."""

    strategy: Strategy
    on: Annotated[tuple[Text, ...], Meta(min_length=1)]


class RowFile(_PolicyPart, frozen=True):
    """One row of the matrix."""

    strategies: Annotated[tuple[Strategy | ChoiceFile, ...], Meta(min_length=1)]
    otherwise: Otherwise
    several_gpus: SeveralGpus
    memory: Memory | None = None


class LabelFile(_PolicyPart, frozen=True):
    """A label of another project that says what a pod is for."""

    label: Text
    workload: Literal["training", "inference", "dev", "tenant"]
    value: str | None = None


class TaintFile(_PolicyPart, frozen=True):
    """A taint of a declared pool's nodes."""

    key: Text
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"]
    value: str | None = None


class PoolFile(_PolicyPart, frozen=True):
    """A pool scaled to zero, or whose nodes' labels do not tell.

    Either `labels` and `allocatable`, as one of its nodes will look; or `selector`, by which its
    nodes are known, with `strategy` and what goes with it.
    """

    name: Text
    labels: dict[str, str] = {}
    allocatable: dict[str, str | int] = {}
    taints: tuple[TaintFile, ...] = ()
    selector: dict[str, str] = {}
    strategy: Strategy | None = None
    resource: Text | None = None
    profile: Text | None = None
    product: Text | None = None
    memory: Memory | None = None
    replicas: Annotated[int, Meta(ge=1, le=1000)] | None = None
    amount: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None
    autoscaler: Literal["karpenter", "aws", "azure", "gke", "cluster-api"] | None = None


class PodTemplateFile(_PolicyPart, frozen=True):
    """Where the pods of a custom resource stand, if they are not found."""

    kind: Text
    path: Annotated[Text, Meta(examples=["spec.workers[].template", "spec.replicas.*.template"])]
    group: Text | None = None


class MatrixFile(_PolicyPart, frozen=True):
    """The rows, of which `tenant` is for every pod of a tenant but its training."""

    training: RowFile
    inference: RowFile
    dev: RowFile
    tenant: RowFile
    tenant_training: RowFile
    unclassified: RowFile


class PolicyFile(_PolicyPart, frozen=True):
    """A policy of the webhook, which leaves out what is as in the built-in one."""

    api_version: Literal["gpu-sharing.io/v1"]
    kind: Literal["Policy"]
    matrix: MatrixFile
    guards: GuardsFile
    several_mig_devices: Literal["allow", "deny"]
    tenant_pools: Literal["isolated", "shared"]
    tenant_host_paths: tuple[HostPath, ...]
    tenant_capabilities: tuple[Capability, ...]
    well_known_labels: tuple[LabelFile, ...]
    exempt_users: tuple[Text, ...]
    gpu_taints: tuple[Text, ...]
    momentary_taints: tuple[Prefix, ...]
    pools: tuple[PoolFile, ...]
    pod_templates: tuple[PodTemplateFile, ...]
    command_hints: Literal["classify", "ignore"]
    model_memory: Literal["estimate", "ignore"]
