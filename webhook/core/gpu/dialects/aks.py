"""The labels of AKS, which never tell how GPUs are given.

On managed GPU pools without GPU Feature Discovery MIG devices are `nvidia.com/gpu` and no label
says so. Source: MicrosoftDocs/azure-aks-docs (use-labels, aks-managed-gpu-nodes).
"""

from collections.abc import Mapping
from typing import Final

from webhook.core.gpu.dialect import Advertised, Dialect
from webhook.core.gpu.unusable import Unusable, UnusableReason, unusable

_AZURE: Final = "kubernetes.azure.com/"
_POOL: Final = _AZURE + "agentpool"
_ACCELERATOR: Final = _AZURE + "accelerator"
_MANAGED: Final = _AZURE + "dcgm-exporter"
_MAKER: Final = "karpenter.azure.com/sku-gpu-manufacturer"
_INSTALL: Final = "install the NVIDIA device plugin with gfd.enabled=true"


def _is_spoken(labels: Mapping[str, str]) -> bool:
    return labels.get(_ACCELERATOR) == "nvidia" or labels.get(_MAKER) == "nvidia"


def _read_offer(found: Advertised) -> Unusable:
    key = _POOL if _POOL in found.labels else "karpenter.sh/nodepool"
    managed = found.labels.get(_MANAGED) == "enabled"
    detail = f"{key}={found.labels.get(key)}, {found.amount} allocatable"
    mend = f"declare the pool in the policy, by {key} (pools)"
    mend = mend if managed else f"{mend}, or {_INSTALL}"
    return found.unusable(UnusableReason.LABELS_MISSING, detail, mend)


def _explain_nothing(labels: Mapping[str, str]) -> Unusable | None:
    """Windows nodes have a device plugin of their own, for DirectX."""
    if labels.get("kubernetes.io/os") == "windows":
        return None
    detail = f"AKS pool {labels.get(_POOL)}"
    return unusable(UnusableReason.NOTHING_ADVERTISED, detail, mend=_INSTALL)


DIALECT: Final = Dialect(
    name="AKS", is_spoken=_is_spoken, read_offer=_read_offer, explain_nothing=_explain_nothing
)
