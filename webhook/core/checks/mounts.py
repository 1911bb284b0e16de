"""The rule on where a container mounts: paths that name GPUs, and paths that are MPS's own."""

from collections.abc import Iterator
from typing import Final

from webhook.core.api import paths, reasons
from webhook.core.api.model import ContainerRef, Strategy, Violation
from webhook.core.api.pod import Container
from webhook.core.checks.finding import Finding, Subject, quote

_NAMED_GPUS: Final = "/run/nvidia-container-devices"
_OF_MPS: Final = ("/mps", paths.SHARED_MEMORY)


def reserved_mounts(seen: Subject, place: ContainerRef, container: Container) -> Iterator[Finding]:
    """No container mounts where the toolkit reads which GPUs to give, or where MPS keeps its files.

    Fields: volumeMounts[*].mountPath of every container, in its normal form.
    Source: nvidia-container-toolkit (device list as volume mounts); k8s-device-plugin
    internal/plugin/mps.go.

    | mountPath | pod without MPS | pod with MPS |
    |---|---|---|
    | below /var/run/nvidia-container-devices | found | found |
    | below /mps, or /dev/shm | allowed | found |
    | any other | allowed | allowed |
    """
    mps = Strategy.MPS in seen.strategies.values()
    for mount in container.volume_mounts or ():
        path = paths.normal(mount.mount_path)
        if paths.below(path, _NAMED_GPUS):
            text = f"mount {quote(mount.mount_path)} names GPUs that were not given; remove it"
        elif mps and any(paths.below(path, each) for each in _OF_MPS):
            text = f"mount {quote(mount.mount_path)} covers what MPS mounts there; remove it"
        else:
            continue
        where = f"volumeMounts[{path}]"
        yield Finding(Violation(reasons.RESERVED_MOUNTS, place.name, text, where))
