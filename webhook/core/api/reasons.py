"""The closed set of reasons: a code for logs and metrics, a sentence and a page for people."""

from enum import StrEnum
from typing import Final

SHOWN_WHOLE: Final = 120
"""Characters of a warning that kubectl shows whole."""
PAGE: Final = "https://github.com/gpu-sharing/gpu-sharing/blob/main/docs/reasons.md"
"""The page that explains them; a cluster without internet names a copy of its own."""


class Reason(StrEnum):
    """Why a pod was let through as it is, changed, or refused."""

    NO_GPU = "no_gpu"
    NOT_REVIEWED = "not_reviewed"
    EXEMPT = "exempt"
    WHOLE_GPU = "whole_gpu"
    SEVERAL_GPUS = "several_gpus"
    FALLBACK_WHOLE_GPU = "fallback_whole_gpu"
    UNCLASSIFIED = "unclassified"
    MIG_SLICE = "mig_slice"
    MPS_SHARE = "mps_share"
    TIME_SLICED_SHARE = "time_sliced_share"
    MIXED = "mixed"
    SAFE = "safe"

    INVALID_WORKLOAD = "invalid_workload"
    INVALID_TENANT = "invalid_tenant"
    INVALID_QUANTITY = "invalid_quantity"
    INVALID_GPU_MEMORY = "invalid_gpu_memory"
    INVALID_MIG_PROFILE = "invalid_mig_profile"
    SEVERAL_RESOURCES = "several_resources"
    TOO_LARGE = "too_large"
    TRAINING_NEVER_SHARES = "training_never_shares"
    TENANT_NEEDS_ISOLATION = "tenant_needs_isolation"
    STRATEGY_NOT_ALLOWED = "strategy_not_allowed"
    SEVERAL_GPUS_NOT_ALLOWED = "several_gpus_not_allowed"
    SEVERAL_MIG_DEVICES = "several_mig_devices"
    NO_OFFER = "no_offer"
    GPU_LABELS_MISSING = "gpu_labels_missing"
    NO_REACHABLE_OFFER = "no_reachable_offer"
    NOT_ENOUGH_MEMORY = "not_enough_memory"
    NOT_ENOUGH_GPUS = "not_enough_gpus"
    NOT_REWRITTEN = "not_rewritten"

    GPU_VISIBILITY = "gpu_visibility"
    CUDA_VISIBILITY = "cuda_visibility"
    ENV_FROM = "env_from"
    MPS_ENVIRONMENT = "mps_environment"
    PRIVILEGED = "privileged"
    CAPABILITIES = "capabilities"
    HOST_PATH = "host_path"
    HOST_NAMESPACES = "host_namespaces"
    RUNTIME_CLASS = "runtime_class"
    DEVICE_ANNOTATIONS = "device_annotations"
    NODE_NAME = "node_name"
    TOLERATIONS = "tolerations"
    RESERVED_MOUNTS = "reserved_mounts"
    RESOURCE_CLAIMS = "resource_claims"
    RESERVED_NAMES = "reserved_names"


SENTENCES: Final = {
    Reason.NO_GPU: "The pod asks for no GPU; it is left as it is.",
    Reason.NOT_REVIEWED: "The request is not one that this webhook decides; nothing is changed.",
    Reason.EXEMPT: "The policy exempts the user that made the request; nothing is changed.",
    Reason.WHOLE_GPU: "The workload gets whole GPUs that no other pod uses.",
    Reason.SEVERAL_GPUS: "More than one GPU in a container: that many whole GPUs.",
    Reason.FALLBACK_WHOLE_GPU: "No strategy of the workload is offered; a whole GPU instead.",
    Reason.UNCLASSIFIED: "Nothing says what the pod is for; whole GPUs until a label does.",
    Reason.MIG_SLICE: "The workload gets an unshared MIG device.",
    Reason.MPS_SHARE: "The workload gets a share of a GPU under MPS.",
    Reason.TIME_SLICED_SHARE: "The workload takes turns on a GPU with other pods.",
    Reason.MIXED: "The containers of the pod get their GPUs in different ways.",
    Reason.SAFE: "Every ask of the pod amounts to a strategy that it may use.",
    Reason.INVALID_WORKLOAD: "The workload label has a value that is not one of the four.",
    Reason.INVALID_TENANT: "The tenant label is empty.",
    Reason.INVALID_QUANTITY: "A GPU quantity is not a whole number, or limit and request differ.",
    Reason.INVALID_GPU_MEMORY: "The gpu-memory annotation is not an amount of memory.",
    Reason.INVALID_MIG_PROFILE: "The mig-profile annotation names no MIG profile.",
    Reason.SEVERAL_RESOURCES: "One container asks for GPUs under several names.",
    Reason.TOO_LARGE: "The pod has more parts than are looked at.",
    Reason.TRAINING_NEVER_SHARES: "Training gets whole GPUs only, and none is offered or asked.",
    Reason.TENANT_NEEDS_ISOLATION: "A tenant's pod gets an isolated device, or nothing.",
    Reason.STRATEGY_NOT_ALLOWED: "The workload may not use what the pod asks for by name.",
    Reason.SEVERAL_GPUS_NOT_ALLOWED: "The workload may not ask for more than one GPU.",
    Reason.SEVERAL_MIG_DEVICES: "CUDA uses one MIG device per process; several do not help.",
    Reason.NO_OFFER: "No node of the cluster offers what the pod asks for.",
    Reason.GPU_LABELS_MISSING: "Nodes have GPUs but no labels of GPU Feature Discovery.",
    Reason.NO_REACHABLE_OFFER: "Nodes offer it, but the pod's own constraints exclude them.",
    Reason.NOT_ENOUGH_MEMORY: "No offer has the memory that the pod asks for.",
    Reason.NOT_ENOUGH_GPUS: "No single node has as many as the pod asks for.",
    Reason.NOT_REWRITTEN: "A GPU request that is not pinned to nodes where its name is safe.",
    Reason.GPU_VISIBILITY: "A container names GPUs that the device plugin did not give it.",
    Reason.CUDA_VISIBILITY: "A container numbers its GPUs by hand; that can only hide some.",
    Reason.ENV_FROM: "A container with a GPU takes variables from where nobody can check them.",
    Reason.MPS_ENVIRONMENT: "A container sets variables of MPS that do more than lower its share.",
    Reason.PRIVILEGED: "A privileged container reaches every GPU of its node.",
    Reason.CAPABILITIES: "A container adds a capability that reaches every GPU of its node.",
    Reason.HOST_PATH: "A volume of the pod is a part of the node through which GPUs are reached.",
    Reason.HOST_NAMESPACES: "The pod shares processes, memory or network with its node.",
    Reason.RUNTIME_CLASS: "The pod names a runtime that gives GPUs to whoever names them.",
    Reason.DEVICE_ANNOTATIONS: "An annotation of the pod has devices injected by the runtime.",
    Reason.NODE_NAME: "The pod names its node, so the scheduler and its taints do not count.",
    Reason.TOLERATIONS: "The pod tolerates the taints of pools that are not meant for it.",
    Reason.RESERVED_MOUNTS: "A container mounts where GPUs are named, or where MPS has its own.",
    Reason.RESOURCE_CLAIMS: "The pod asks for devices by a claim, which this webhook cannot see.",
    Reason.RESERVED_NAMES: "The pod wears the webhook's own label with a value that is not true.",
}


def link(reason: Reason, page: str = PAGE) -> str:
    """Where a reason is explained."""
    return f"{page}#{reason}"


def linked(message: str, reason: Reason, page: str = PAGE) -> str:
    """A message that ends with where to read more."""
    return f"{message} - see {link(reason, page)}"


def fitted(text: str, reason: Reason, longest: int = SHOWN_WHOLE) -> str:
    """The text cut to a length; the code, by which the pages are searched, stays at its end."""
    code = f"... [{reason}]"
    return text if len(text) <= longest else text[: longest - len(code)] + code
