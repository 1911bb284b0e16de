"""The resource names under which the NVIDIA device plugin advertises GPUs and parts of them."""

import re
from enum import Enum
from typing import Final

from msgspec import Struct

from webhook.core.api import mig, names, quantity
from webhook.core.api.mig import Profile
from webhook.core.api.pod import Container


class ResourceKind(Enum):
    """The kinds of resource names (k8s-device-plugin: internal/rm/rm.go)."""

    GPU = "nvidia.com/gpu"
    SHARED_GPU = "nvidia.com/gpu.shared"
    SLICE = "nvidia.com/mig-<profile>"
    SHARED_SLICE = "nvidia.com/mig-<profile>.shared"


class GpuResource(Struct, frozen=True):
    """A resource name, and the MIG profile that it names."""

    name: str
    kind: ResourceKind
    profile: Profile | None = None


NETWORK: Final = (
    r"^nvidia\.com/(hostdev|rdma|roce|sriov|mlnx|resib|bf[0-9]*[_-]|cx[0-9]|ib[_-])[a-z0-9_-]*\Z"
)
"""Names that NVIDIA's network operator and DOCA give to network devices, which are no GPU."""
OTHER_VENDORS: Final = (
    r"^([^/]*\.)?(amd|intel|huawei|habana|cambricon|mthreads|metax-tech|enflame"
    r"|iluvatar|hygon|kunlunxin|qualcomm)\.[a-z]+/"
)
"""How names of other vendors' devices begin, which are not ours to judge."""
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
    return name in _WHOLE or (name.startswith(names.MIG) and mig.of_resource(name) is not None)


def requests_device(container: Container) -> bool:
    """Whether a container requests a device of NVIDIA's, or claims one.

    By any name but a network's. A quantity of zero is no request; one that cannot be read is.
    """
    resources = container.resources
    if resources is None:
        return False
    requested = (*(resources.limits or {}).items(), *(resources.requests or {}).items())
    return bool(resources.claims) or any(
        name.startswith((names.NVIDIA, names.DEVICE_CLASS))
        and not re.match(NETWORK, name)
        and not quantity.is_zero(raw)
        for name, raw in requested
    )
