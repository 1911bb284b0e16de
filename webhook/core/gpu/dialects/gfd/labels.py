"""The keys of GPU Feature Discovery's labels (k8s-device-plugin: internal/lm)."""

from typing import Final

from webhook.core.api.names import NVIDIA
from webhook.core.gpu.values import DeviceLabels

PRODUCT: Final = NVIDIA + "gpu.product"
SLICES: Final = NVIDIA + "gpu.slices.gi"
SHARING: Final = NVIDIA + "gpu.sharing-strategy"
MIG_CAPABLE: Final = NVIDIA + "mig.capable"
MPS_CAPABLE: Final = NVIDIA + "mps.capable"
MIG_STATE: Final = NVIDIA + "mig.config.state"
COUNT: Final = NVIDIA + "gpu.count"
MEMORY: Final = NVIDIA + "gpu.memory"
REPLICAS: Final = NVIDIA + "gpu.replicas"
VIRTUAL: Final = NVIDIA + "vgpu.present"
TIMESTAMP: Final = NVIDIA + "gfd.timestamp"
SHARING_SUFFIX: Final = ".sharing-strategy"
GPU_LABELS: Final = DeviceLabels(PRODUCT, MEMORY, REPLICAS, virtual=VIRTUAL)
SLICE_LABELS: Final = DeviceLabels(PRODUCT, "{slice}.memory", "{slice}.replicas", virtual=VIRTUAL)
