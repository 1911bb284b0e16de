"""A device plugin without labels, and nodes that only say that they have GPUs."""

from collections.abc import Mapping
from typing import Final

from webhook.core.gpu.dialect import Advertised, Dialect
from webhook.core.gpu.unusable import Unusable, UnusableReason, unusable

# "There are GPUs", by GPU Operator and nodeadm, Node Feature Discovery, and clouds' autoscalers.
_PRESENT: Final = (
    "nvidia.com/gpu.present",
    "feature.node.kubernetes.io/pci-10de.present",
    "ibm-cloud.kubernetes.io/gpu-enabled",
)
_DRA: Final = "nvidia.com/gpu.deploy.dra-driver"

_WORKLOADS: Final = (
    "nvidia.com/gpu.workload.config"  # GPU Operator: container, vm-passthrough, vm-vgpu
)


def _read_offer(found: Advertised) -> Unusable:
    detail = f"{found.amount} allocatable and no label of GPU Feature Discovery"
    return found.unusable(UnusableReason.LABELS_MISSING, detail)


def _explain_nothing(labels: Mapping[str, str]) -> Unusable | None:
    given = labels.get(_WORKLOADS, "container")
    if given != "container":
        return unusable(UnusableReason.FOR_VIRTUAL_MACHINES, f"{_WORKLOADS}={given}")
    present = next((key for key in _PRESENT if labels.get(key) == "true"), None)
    if present is None:
        return None
    driver = f", {_DRA}=true" if labels.get(_DRA) == "true" else ""
    return unusable(UnusableReason.NOTHING_ADVERTISED, f"{present}=true{driver}")


DIALECT: Final = Dialect(
    name="device plugin alone",
    is_spoken=lambda _: True,
    read_offer=_read_offer,
    explain_nothing=_explain_nothing,
    order=2,
)
