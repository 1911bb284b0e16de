"""The resource names under which the NVIDIA device plugin advertises GPUs and parts of them."""

from dataclasses import dataclass
from enum import Enum

from webhook.core.api import mig, names
from webhook.core.api.mig import Profile


class ResourceKind(Enum):
    """The kinds of resource names (k8s-device-plugin: internal/rm/rm.go)."""

    GPU = "nvidia.com/gpu"
    SHARED_GPU = "nvidia.com/gpu.shared"
    SLICE = "nvidia.com/mig-<profile>"
    SHARED_SLICE = "nvidia.com/mig-<profile>.shared"


@dataclass(frozen=True, slots=True)
class GpuResource:
    """A resource name, and the MIG profile that it names."""

    name: str
    kind: ResourceKind
    profile: Profile | None = None


_WHOLE = {
    names.GPU: GpuResource(names.GPU, ResourceKind.GPU),
    names.SHARED_GPU: GpuResource(names.SHARED_GPU, ResourceKind.SHARED_GPU),
}


def parse_resource(name: str) -> GpuResource | None:
    """Return what a resource name is, None for one that is no GPU's."""
    if name in _WHOLE:
        return _WHOLE[name]
    found = mig.of_resource(name)
    if found is None:
        return None
    profile, shared = found
    kind = ResourceKind.SHARED_SLICE if shared else ResourceKind.SLICE
    return GpuResource(name, kind, profile)


def is_gpu(name: str) -> bool:
    """Whether the device plugin can advertise this name for GPUs or parts of them."""
    return name in _WHOLE or mig.of_resource(name) is not None
