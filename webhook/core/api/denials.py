"""The reasons of denials, but for those of the checks."""

from typing import Final

from webhook.core.api.reason import Group, Reason

INVALID_WORKLOAD: Final = Reason(
    "invalid_workload",
    Group.WRITTEN,
    "The workload label has a value that is not one of the four.",
    example="`gpu-sharing.io/workload: Training`.",
    to_do="write training, inference, dev or tenant.",
)
INVALID_TENANT: Final = Reason(
    "invalid_tenant",
    Group.WRITTEN,
    "The tenant label is empty.",
    example='`gpu-sharing.io/tenant: ""`.',
    to_do="write the tenant's name, or remove the label.",
    detail="So it is not known whose pod it is.",
)
INVALID_QUANTITY: Final = Reason(
    "invalid_quantity",
    Group.WRITTEN,
    "A GPU quantity is not a whole number, or limit and request differ.",
    example="`nvidia.com/gpu: 0.5`.",
    to_do="write a whole number in `limits`; a request, if any, must be equal.",
    detail="Nor may there be a request without a limit.",
)
INVALID_GPU_MEMORY: Final = Reason(
    "invalid_gpu_memory",
    Group.WRITTEN,
    "The gpu-memory annotation is not an amount of memory.",
    example="`gpu-sharing.io/gpu-memory: 20GB`.",
    to_do="write a Kubernetes quantity: 20Gi.",
    detail="Less than 1Mi is none either.",
)
INVALID_MIG_PROFILE: Final = Reason(
    "invalid_mig_profile",
    Group.WRITTEN,
    "The mig-profile annotation names no MIG profile.",
    example="`gpu-sharing.io/mig-profile: 1c.2g.20gb`.",
    to_do="write for example 2g.20gb, or 1g.10gb+me.",
)
SEVERAL_RESOURCES: Final = Reason(
    "several_resources",
    Group.WRITTEN,
    "One container requests GPUs under several names.",
    example="`nvidia.com/gpu: 1` and `nvidia.com/mig-1g.5gb: 1`.",
    to_do="keep one of them.",
)
TOO_LARGE: Final = Reason(
    "too_large",
    Group.WRITTEN,
    "The pod has more parts than are looked at.",
    example="a generated pod with 20,000 environment variables.",
    to_do="take them from a file or a ConfigMap that the program reads, or split the pod.",
    detail=(
        "Those are 2,000 variables, mounts, labels and others; a container counts 10, a volume 5, "
        "a requirement of the node affinity 40, a hostPath 1 more for every 4 characters, an "
        "annotation 4 and 1 for every 128 characters, a capability 1 for every 8, a resource 2; "
        "a path in a container of over 4,096 characters is too many alone. "
        "Real pods have up to about 200. What cannot be looked at is refused, so that nobody keeps "
        "a replica or the API server busy with one request."
    ),
)
TRAINING_NEVER_SHARES: Final = Reason(
    "training_never_shares",
    Group.WORKLOAD,
    "Training gets whole GPUs only, and none is offered or requested.",
    example="training with `nvidia.com/mig-1g.5gb: 1`.",
    to_do="request `nvidia.com/gpu`; see that a pool of whole GPUs exists.",
)
TENANT_NEEDS_ISOLATION: Final = Reason(
    "tenant_needs_isolation",
    Group.WORKLOAD,
    "A tenant's pod gets an isolated device, or nothing.",
    example="`nvidia.com/gpu.shared: 1` in a tenant's namespace.",
    to_do="request `nvidia.com/gpu`; see that a pool of unshared MIG devices exists.",
)
STRATEGY_NOT_ALLOWED: Final = Reason(
    "strategy_not_allowed",
    Group.WORKLOAD,
    "The workload may not use what the pod asks for by name.",
    example="dev with `nvidia.com/mig-1g.5gb: 1`.",
    to_do="request `nvidia.com/gpu`, or label the pod for what it is.",
    detail="The annotation `gpu-sharing.io/mig-profile` is such a name too.",
)
SEVERAL_GPUS_NOT_ALLOWED: Final = Reason(
    "several_gpus_not_allowed",
    Group.WORKLOAD,
    "The workload may not request more than one GPU.",
    example="dev with `nvidia.com/gpu: 2`.",
    to_do="request 1; an administrator can allow whole GPUs.",
    detail="It gets one in a container. The policy key is `matrix.<row>.severalGpus: exclusive`.",
)
SEVERAL_MIG_DEVICES: Final = Reason(
    "several_mig_devices",
    Group.WORKLOAD,
    "CUDA uses one MIG device per process; several do not help.",
    example="`nvidia.com/mig-1g.5gb: 2`.",
    to_do="request one larger profile, or use a container for each. A policy can allow it.",
)
NO_OFFER: Final = Reason(
    "no_offer",
    Group.CLUSTER,
    "No node of the cluster offers what the pod asks for.",
    example="`nvidia.com/mig-7g.80gb: 1` where A100s are cut smaller.",
    to_do=(
        "take something that is offered, add nodes, or declare the pool in the policy if it"
        " is scaled to zero."
    ),
    detail="The message lists what is offered.",
)
GPU_LABELS_MISSING: Final = Reason(
    "gpu_labels_missing",
    Group.CLUSTER,
    "Nodes have GPUs, and no label says how they are given.",
    example="the device plugin was installed alone.",
    to_do=(
        "enable GPU Feature Discovery (`gfd.enabled`), or declare the pool in the policy; the"
        " message says what goes on that platform."
    ),
    detail="So nobody knows what their resource names mean.",
)
NODES_UNUSABLE: Final = Reason(
    "nodes_unusable",
    Group.CLUSTER,
    "Nodes have GPUs, but their labels and amounts contradict each other.",
    example="`nvidia.com/gpu: 4` beside the labels `gpu.count=1` and `sharing-strategy=none`.",
    to_do="do what the message says of that node; `gpu-sharing status` lists all such nodes.",
    detail="A whole GPU by its labels may be a share, so such nodes are left alone.",
)
NO_REACHABLE_OFFER: Final = Reason(
    "no_reachable_offer",
    Group.CLUSTER,
    "Nodes offer it, but the pod's own constraints exclude them.",
    example="`nodeSelector: {pool: a}` where pool a has no GPUs.",
    to_do="change the selector, or add the toleration.",
    detail=(
        "Those are its nodeSelector, its affinity and missing tolerations; the message names which."
    ),
)
NOT_ENOUGH_MEMORY: Final = Reason(
    "not_enough_memory",
    Group.CLUSTER,
    "No offer has the memory that the pod asks for.",
    example="`gpu-sharing.io/gpu-memory: 200Gi`.",
    to_do="lower the annotation, or add larger GPUs.",
)
NOT_ENOUGH_GPUS: Final = Reason(
    "not_enough_gpus",
    Group.CLUSTER,
    "No single node has as many as the pod asks for.",
    example="16 GPUs where nodes have 8.",
    to_do="request fewer, or split the pod: a pod runs on one node.",
    detail="That counts one container, and all together.",
)
NOT_REWRITTEN: Final = Reason(
    "not_rewritten",
    Group.UNSAFE,
    "A GPU request that is not restricted to nodes where its name is safe.",
    example="a pod created while the mutating webhook was down.",
    to_do="create the pod again; if it stays, look for a webhook that removes node affinity.",
    detail=(
        "/validate says so: the mutating webhook did not see the pod, or another webhook "
        "changed it afterwards."
    ),
)
