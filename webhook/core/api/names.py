"""Every label, annotation, resource and environment name that we read or write.

Nothing else.
"""

from typing import Final

# Ours. One prefix, so that a policy or RBAC rule can name them all.
PREFIX: Final = "gpu-sharing.io/"
MODE: Final = PREFIX + "mode"
TENANT: Final = PREFIX + "tenant"
WORKLOAD: Final = PREFIX + "workload"
GPU_MEMORY: Final = PREFIX + "gpu-memory"
MIG_PROFILE: Final = PREFIX + "mig-profile"
STRATEGY: Final = PREFIX + "strategy"
DECISION: Final = PREFIX + "decision"
EXPLAIN: Final = PREFIX + "explain"
CONTROLLER: Final = PREFIX + "webhook"  # who reports our events

# Kubernetes' lengths: of a label's value, namespace or container; and of the name of an object.
LABEL_LENGTH: Final = 63
NAME_LENGTH: Final = 253

# Resources of the NVIDIA device plugin (k8s-device-plugin: internal/rm/rm.go).
NVIDIA: Final = "nvidia.com/"
GPU: Final = NVIDIA + "gpu"
SHARED_GPU: Final = NVIDIA + "gpu.shared"
MIG: Final = NVIDIA + "mig-"
DEVICE_CLASS: Final = "deviceclass.resource.kubernetes.io/"  # KEP-5004: of every DeviceClass
SHARED: Final = ".shared"

NODE_NAME_FIELD: Final = "metadata.name"
REQUIRED: Final = "requiredDuringSchedulingIgnoredDuringExecution"  # of node affinity
HOSTNAME: Final = "kubernetes.io/hostname"
POOL_MOVE: Final = PREFIX + "pool-move"  # annotation of a node that is on its way to another pool

# Annotations of a node in which HAMi's device plugin lists its GPUs (docs/develop/protocol.md).
HAMI_REGISTER: Final = "hami.io/node-nvidia-register"
HAMI_REGISTER_BEFORE: Final = "4pd.io/node-nvidia-register"

# Environment read by the NVIDIA container toolkit and by CUDA's MPS client.
VISIBLE_DEVICES: Final = "NVIDIA_VISIBLE_DEVICES"
NO_DEVICES: Final = "void"
MPS_MEMORY_LIMIT: Final = "CUDA_MPS_PINNED_DEVICE_MEM_LIMIT"
