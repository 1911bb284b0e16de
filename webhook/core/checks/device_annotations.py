"""The check of annotations by which the container runtime injects devices."""

import re
from collections.abc import Iterator
from typing import Final

from webhook.core.api import pod as pods
from webhook.core.api.reason import Group, Reason
from webhook.core.api.violation import Violation
from webhook.core.checks.cel import matches, some
from webhook.core.checks.check import REFUSED, Backstop, Check, PodCondition, Texts
from webhook.core.checks.finding import Finding, Subject, quote

# containerd/nri plugins/device-injector, old and new names
_INJECTORS: Final = r"(cdi-)?(devices|mounts)\.(noderesource\.dev|nri\.io)"
# CRI-O's lists; container-engine-accelerators nri_device_injector, which GKE installs by itself
_LISTS: Final = r"io\.kubernetes\.cri-o\.devices|devices\.crio\.io|devices\.gke\.io"
# of runc and crun, which CRI-O passed on from any pod before 1.29.4 (CVE-2024-3154)
_OF_RUNTIMES: Final = r"org\.(systemd\.property|criu\.config)|run\.oci\.(hooks|seccomp)"
_INJECTING_KEY: Final = rf"^((([^/]*\.)?cdi\.k8s\.io|{_INJECTORS})(/|\Z)|({_OF_RUNTIMES})(\.|\Z))"
_LISTING_KEY: Final = rf"^({_LISTS})(/|\Z)"
_SPARED_KEY: Final = "kubectl.kubernetes.io/last-applied-configuration"
_SPARED: Final = (
    r"/dev/(fuse|net/tun|shm|null|zero|random|urandom|hugepages|infiniband(/[a-z0-9_]+)?|"
    r"dmabuf_import_helper|aperture_devices)"
)
_SPARED_LIST: Final = rf"^([\s,]|(-\s+path:\s*)?{_SPARED}(:[A-Za-z0-9_/-]*)*([\s,]|\Z))*\Z"
# The last are Jetson's, and that of Windows' Linux.
_NODES: Final = "dri|vfio|kfd|mem|kmem|port|char|nvmap|nvhost|nvgpu|dxg"
_DRIVER: Final = "[0-9]|ctl|-uvm|-modeset|-cap|-nvswitch|-nvlink|-fs|-imex"
# What follows the last `..` of a path to a device is the device, or a plain path to it.
_DEVICE: Final = (
    rf"/dev(/|/\./)+({_NODES}|nvidia)|/\.\.(/|/\./)+({_NODES})([^a-z]|\Z)|/nvidia({_DRIVER})"
    r"|nvidia\.com/[A-Za-z0-9_-]+=[A-Za-z0-9]"
)
"""A device of a GPU or of all memory, or a CDI name of NVIDIA's, in any text.

No place of a text is read twice, since that text can be long.
"""


def device_annotations(seen: Subject) -> Iterator[Finding]:
    """Yield each annotation by which the container runtime injects devices.

    Fields: metadata.annotations, which can change at any time, so the value is evidence too;
    keys in any case, as the API server takes them.
    Source: CDI specification; nvidia-container-toolkit nri/plugin.go; CRI-O annotations v1, v2;
    GKE's device injector, whose value is YAML and may give a device another path.

    | key | value | found |
    |---|---|---|
    | `cdi.k8s.io`, `nvidia.cdi.k8s.io` or another under it, alone or before a slash | any | yes |
    | those of NRI's device injector, alone or before a slash | any | yes |
    | `org.systemd.property.…`, `run.oci.hooks.…` and others that runc and crun obey | any | yes |
    | CRI-O's list of devices, GKE's injector | harmless devices by their plain paths | no |
    | the same | any other | yes |
    | what kubectl applied last: the pod itself says it too | any | no |
    | any other | with a device of a GPU, or a CDI name of NVIDIA's | yes |
    """
    for key, value in pods.annotations(seen.pod).items():
        if _injects(key.lower(), value):
            text = f"annotation {quote(key)} has the runtime give devices or rights; remove it"
            where = f"metadata.annotations[{key}]"
            yield Finding(Violation(CHECK.reason, "", text, where), value)


def _injects(key: str, value: str) -> bool:
    if re.search(_INJECTING_KEY, key):
        return True
    if re.search(_LISTING_KEY, key):
        return not re.search(_SPARED_LIST, value)
    return key != _SPARED_KEY and bool(re.search(_DEVICE, value))


_MAP: Final = "o.metadata.annotations"
_WORDS: Final = ("/dev", "/..", "/nvidia", "=")  # one of them is in what `_DEVICE` finds
_INJECTS: Final = (
    f"k.{matches('(?i)' + _INJECTING_KEY)} || (k.{matches('(?i)' + _LISTING_KEY)}"
    f" ? !{_MAP}[k].{matches(_SPARED_LIST)} : {_MAP}[k].contains('/') && k != '{_SPARED_KEY}'"
    f" && ({' || '.join(f'{_MAP}[k].contains({word!r})' for word in _WORDS)})"
    f" && {_MAP}[k].{matches(_DEVICE)})"
)
_BEFORE: Final = "oldObject.metadata.annotations"
_SAME: Final = f"has({_BEFORE}) && k in {_BEFORE} && {_BEFORE}[k] == {_MAP}[k]"

CHECK: Final = Check(
    rank=10,
    reason=Reason(
        "device_annotations",
        Group.WAY_AROUND,
        "An annotation of the pod has devices injected by the runtime.",
        example="`nvidia.cdi.k8s.io/pod: nvidia.com/gpu=all`.",
        to_do="remove it; request `nvidia.com/gpu`.",
    ),
    treatments=REFUSED,
    texts=Texts(
        looks_at=(
            "annotations of CDI and NRI's device injector; those of CRI-O and of GKE's injector "
            "(`devices.gke.io/container.…`) with more than harmless devices; under any key a GPU's "
            "device path or a CDI name of NVIDIA's; those that runc and crun obey "
            "(`org.systemd.property.…`)"
        ),
        comment="CDI, NRI, CRI-O, GKE",
        on_the_node="NRI plugin off",
    ),
    webhook=PodCondition(pod=some(_MAP, "k", _INJECTS)),
    backstop=Backstop(
        "an annotation injects devices; remove it",
        changed=some(_MAP, "k", f"({_INJECTS}) && !({_SAME})"),
    ),
    pod_rule=device_annotations,
)
