"""The check of what GPUDirect needs besides GPUs: networks' devices and the node's settings."""

from collections.abc import Iterator
from typing import Final

from webhook.core.api import paths
from webhook.core.api.containers import ContainerRef
from webhook.core.api.pod import Container
from webhook.core.api.reason import Group, Reason
from webhook.core.api.violation import Violation
from webhook.core.checks.cel import listed, matches, some
from webhook.core.checks.check import REFUSED_TO_TENANTS, Backstop, Check, PodCondition, Texts
from webhook.core.checks.finding import Finding, Subject, quote
from webhook.core.checks.gpu_visibility import ENABLED, enables

_GATES: Final = ("NVIDIA_GDRCOPY", "NVIDIA_MOFED")


def gpu_direct(seen: Subject) -> Iterator[Finding]:
    """Yield each volume that published recipes of GPUDirect mount from the node.

    Fields: spec.volumes[*].hostPath.path; of a tenant's pod `host_path` finds it already.
    Source: container-engine-accelerators, gpudirect-tcpxo/nccl-test-latest.yaml.
    """
    for volume in () if seen.isolated else seen.pod.spec.volumes or ():
        if volume.host_path is not None and paths.is_of_gpu_direct(volume.host_path.path):
            text = f"hostPath {quote(volume.host_path.path)} reaches other devices too; do without"
            where = f"spec.volumes[{volume.name}].hostPath.path"
            yield Finding(Violation(CHECK.reason, "", text, where))


def gated_devices(seen: Subject, place: ContainerRef, _: Container) -> Iterator[Finding]:
    """Yield each variable by which the toolkit adds devices of a network.

    Fields: env of every container. Allowed: a value but `enabled`. Source:
    nvidia-container-toolkit internal/modifier/gated.go; KServe's samples of multi-node serving.
    """
    for variable in seen.variables[place]:
        if variable.name in _GATES and enables(variable):
            text = f"env {variable.name} adds devices that were not given to it; do without"
            yield Finding(Violation(CHECK.reason, place.name, text, f"env.{variable.name}"))


_MOUNTED: Final = some(
    "o.spec.volumes", "v", f"has(v.hostPath) && v.hostPath.path.{matches(paths.GPU_DIRECT)}"
)
_ENABLED: Final = f"c.env.exists(e, e.name in {listed(_GATES)} && {ENABLED})"

CHECK: Final = Check(
    rank=16,
    reason=Reason(
        "gpu_direct",
        Group.WAY_AROUND,
        "The pod has from its node what GPUDirect over RDMA or TCPX needs.",
        example="`NVIDIA_GDRCOPY=enabled`; `hostPath: {path: /sys}` beside eight GPUs.",
        to_do=(
            "nothing, if the pod's network needs it: others are only warned. `guards.gpuDirect` of "
            "the policy says who may."
        ),
        detail=(
            f"That is {' and '.join(f'`{each}`' for each in _GATES)}, the node's `/sys` and "
            "`/proc/sys`, GKE's `/dev/aperture_devices` and its folder of driver libraries. Root "
            "in such a pod can reach every PCI device of the node by `/sys`, GPUs too."
        ),
    ),
    treatments=REFUSED_TO_TENANTS,
    texts=Texts(
        looks_at=(
            f"{', '.join(f'`{each}`' for each in _GATES)} = enabled; of others the hostPaths of "
            "GPUDirect recipes: exactly /sys, /sys/class/{net,infiniband…}, /proc/sys, "
            "/dev/aperture_devices, /home/kubernetes/bin/{nvidia,gib}, /opt/amazon/efa"
        ),
        comment="GDRCopy, RDMA, TCPX: /sys, /proc/sys",
    ),
    webhook=PodCondition(environment=_ENABLED),  # and asked about every pod with a hostPath
    backstop=Backstop(
        "what GPUDirect needs from the node is not for this pod",
        PodCondition(pod=f"!variables.tenant && {_MOUNTED}", environment=_ENABLED),
    ),
    pod_rule=gpu_direct,
    container_rule=gated_devices,
)
