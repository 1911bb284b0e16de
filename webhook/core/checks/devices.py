"""Rules on other ways to be handed a device: runtime classes, annotations and claims."""

from collections.abc import Iterator
from typing import Final

from webhook.core.api import paths, reasons
from webhook.core.api import pod as pods
from webhook.core.api.model import ContainerRef, Violation
from webhook.core.api.pod import Container
from webhook.core.checks.finding import Finding, Subject, quote

_NVIDIA: Final = "nvidia"
_CDI: Final = "cdi.k8s.io"
_INJECTORS: Final = frozenset(  # containerd/nri plugins/device-injector, old and new names
    f"{what}.{domain}"
    for what in ("devices", "cdi-devices", "mounts")
    for domain in ("noderesource.dev", "nri.io")
)
_CRI_O: Final = frozenset({"io.kubernetes.cri-o.devices", "devices.crio.io"})
_DEVICE_CLASS: Final = "deviceclass.resource.kubernetes.io/"


def runtime_class(seen: Subject) -> Iterator[Finding]:
    """No pod names the runtime that gives GPUs to whoever names them in a variable.

    Fields: spec.runtimeClassName. Allowed: all but `nvidia` and what begins so (`nvidia-cdi`,
    `nvidia-legacy`). Source: GPU Operator documentation, "CDI".
    """
    name = seen.pod.spec.runtime_class_name or ""
    if name.lower().startswith(_NVIDIA):
        text = f"runtimeClassName {quote(name)} gives GPUs by name; remove it"
        yield Finding(Violation(reasons.RUNTIME_CLASS, "", text, "spec.runtimeClassName"))


def device_annotations(seen: Subject) -> Iterator[Finding]:
    """No annotation has the container runtime inject devices.

    Fields: metadata.annotations, which can change at any time, so the value is evidence too;
    keys in any case, as the API server takes them.
    Source: CDI specification; nvidia-container-toolkit nri/plugin.go; CRI-O annotations v1, v2.

    | key | found |
    |---|---|
    | `cdi.k8s.io`, `nvidia.cdi.k8s.io` or another under it, alone or before a slash | yes |
    | those of NRI's device injector, alone or before a slash | yes |
    | CRI-O's list of devices | if a device on it leads to GPUs |
    | any other | no |
    """
    for key, value in pods.annotations(seen.pod).items():
        domain = key.lower().partition("/")[0]
        injects = domain in _INJECTORS or domain == _CDI or domain.endswith("." + _CDI)
        if injects or (domain in _CRI_O and _lists_gpus(value)):
            text = f"annotation {quote(key)} has devices injected; remove it"
            where = f"metadata.annotations[{key}]"
            yield Finding(Violation(reasons.DEVICE_ANNOTATIONS, "", text, where), value)


def _lists_gpus(devices: str) -> bool:
    """`/dev/fuse:/dev/fuse:rwm,/dev/net/tun`: device, where, permissions."""
    return any(paths.reaches_gpus(each.partition(":")[0]) for each in devices.split(","))


def resource_claims(seen: Subject) -> Iterator[Finding]:
    """No pod brings claims: one may be shared by several pods, whatever the device plugin says.

    Fields: spec.resourceClaims. Allowed: none. What a claim is for cannot be seen from the pod.
    Source: Kubernetes, "Dynamic Resource Allocation"; dra-driver-nvidia-gpu.
    """
    claims = seen.pod.spec.resource_claims or ()
    for index, _ in enumerate(claims):
        text = f"resourceClaims[{index}] may share GPUs; ask for nvidia.com/gpu instead"
        yield Finding(Violation(reasons.RESOURCE_CLAIMS, "", text, f"spec.resourceClaims[{index}]"))


def claimed_devices(_: Subject, place: ContainerRef, container: Container) -> Iterator[Finding]:
    """No container uses a claim, or asks for a device class as if it were a resource.

    Fields: resources.claims, and names in resources.limits and requests, of every container.
    Allowed: no claim, no name that begins with `deviceclass.resource.kubernetes.io/`.
    Source: KEP-5004, implicit extended resources of every DeviceClass.
    """
    resources = container.resources
    if resources is None:
        return
    for name in {**(resources.limits or {}), **(resources.requests or {})}:
        if name.startswith(_DEVICE_CLASS):
            text = f"{name[:100]} is a device of DRA; ask for nvidia.com/gpu instead"
            where = f"resources.limits[{name}]"
            yield Finding(Violation(reasons.RESOURCE_CLAIMS, place.name, text, where))
    if resources.claims:
        text = "resources.claims may share GPUs; ask for nvidia.com/gpu instead"
        yield Finding(Violation(reasons.RESOURCE_CLAIMS, place.name, text, "resources.claims"))
