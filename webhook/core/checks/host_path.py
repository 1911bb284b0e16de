"""The check of volumes that are parts of the node."""

from collections.abc import Iterator
from typing import Final

from webhook.core.api import paths
from webhook.core.api.reason import Group, Reason
from webhook.core.api.violation import Violation
from webhook.core.checks.cel import ON_MPS, matches
from webhook.core.checks.check import REFUSED, Backstop, Check, PodCondition, Texts
from webhook.core.checks.finding import Finding, Subject, quote


def host_path(seen: Subject) -> Iterator[Finding]:
    """Yields each volume that is a part of the node through which GPUs are reached.

    Fields: spec.volumes[*].hostPath.path, mounted or not: an ephemeral container can mount it
    later. Source: nvidia-facts 4.3; the list is in `paths`.

    | path | pod without MPS | pod with MPS |
    |---|---|---|
    | /dev/shm itself | allowed | found: MPS has its own |
    | leads to GPUs (see `paths.reaches_gpus`) | found | found |
    | any other | allowed | allowed |
    """
    mps = any(s and s.traits.mounts_shared_memory for s in seen.strategies.values())
    for volume in seen.pod.spec.volumes or ():
        if volume.host_path is None:
            continue
        path = volume.host_path.path
        shared = mps and paths.normal(path) == paths.SHARED_MEMORY
        if shared or paths.reaches_gpus(path):
            text = f"hostPath {quote(path)} reaches GPUs that were not given; use another volume"
            where = f"spec.volumes[{volume.name}].hostPath.path"
            yield Finding(Violation(CHECK.reason, "", text, where))


def _goes_back(seen: Subject) -> bool:
    """Returns whether a hostPath goes back: Kubernetes itself refuses it after admission."""
    volumes = seen.pod.spec.volumes or ()
    return any(each.host_path and paths.goes_back(each.host_path.path) for each in volumes)


_PATH: Final = "v.hostPath.path"
_REACHES: Final = (
    f"({_PATH}.{matches(f'{paths.BACK}|{paths.REACHING}')} && !{_PATH}.{matches(paths.HARMLESS)})"
)
_VOLUMES: Final = "has(o.spec.volumes) && o.spec.volumes.exists(v, has(v.hostPath) && "
_LEADING: Final = f"{_VOLUMES}{_REACHES})"
_SHARED: Final = f"{_VOLUMES}{_PATH}.{matches(paths.SHARED_MEMORY_ITSELF)}) && {ON_MPS}"

CHECK: Final = Check(
    rank=7,
    reason=Reason(
        "host_path",
        Group.WAY_AROUND,
        "A volume of the pod is a part of the node through which GPUs are reached.",
        example="`hostPath: {path: /}`, `/dev`, `/var/run/nvidia`.",
        to_do=(
            "use another volume. `/dev/shm` is fine outside MPS, `/dev/infiniband` and `/data` "
            "always."
        ),
        detail=(
            "Or it holds something that leads there: devices, the runtime's sockets, the "
            "kubelet's folders."
        ),
    ),
    treatments=REFUSED,
    texts=Texts(
        looks_at=(
            "hostPath to, above or below /dev, /proc, /sys, the folders and sockets of NVIDIA, "
            "CDI, NRI, container runtimes and the kubelet; after `..`, `//`, /var/run"
        ),
        comment="/dev, /run/nvidia, /var/lib/kubelet, …",
    ),
    webhook=PodCondition(pod=_LEADING),  # and asked about pods with GPU requests
    backstop=Backstop(
        "a hostPath leads to devices or their sockets; remove it",
        PodCondition(pod=f"({_LEADING}) || ({_SHARED})"),
        taken=_goes_back,
    ),
    pod_rule=host_path,
)
