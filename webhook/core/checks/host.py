"""Rules on what a pod takes of its node: paths and namespaces."""

from collections.abc import Iterator

from webhook.core.api import paths, reasons
from webhook.core.api.model import Strategy, Violation
from webhook.core.checks.finding import Finding, Subject, quote


def host_path(seen: Subject) -> Iterator[Finding]:
    """No volume is a part of the node through which GPUs are reached.

    Fields: spec.volumes[*].hostPath.path, mounted or not: an ephemeral container can mount it
    later. Source: nvidia-facts 4.3; the list is in `paths`.

    | path | pod without MPS | pod with MPS |
    |---|---|---|
    | /dev/shm itself | allowed | found: MPS has its own |
    | leads to GPUs (see `paths.reaches_gpus`) | found | found |
    | any other | allowed | allowed |
    """
    mps = Strategy.MPS in seen.strategies.values()
    for volume in seen.pod.spec.volumes or ():
        if volume.host_path is None:
            continue
        path = volume.host_path.path
        shared = mps and paths.normal(path) == paths.SHARED_MEMORY
        if shared or paths.reaches_gpus(path):
            text = f"hostPath {quote(path)} reaches GPUs that were not given; use another volume"
            where = f"spec.volumes[{volume.name}].hostPath.path"
            yield Finding(Violation(reasons.HOST_PATH, "", text, where))


def host_namespaces(seen: Subject) -> Iterator[Finding]:
    """No pod shares its node's processes, memory or network: there are others' GPU processes.

    Fields: spec.hostPID, spec.hostIPC, spec.hostNetwork. Allowed: false, absent.
    Source: NVIDIA MPS documentation (clients meet in IPC); Kubernetes, Pod Security Standards.
    """
    spec = seen.pod.spec
    for name, value in (
        ("hostPID", spec.host_pid),
        ("hostIPC", spec.host_ipc),
        ("hostNetwork", spec.host_network),
    ):
        if value:
            text = f"{name} reaches others' processes on the node; remove it"
            yield Finding(Violation(reasons.HOST_NAMESPACES, "", text, f"spec.{name}"))
