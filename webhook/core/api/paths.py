"""Paths of the node through which GPUs are reached; spelled in any way, prefix both ways."""

import posixpath
from typing import Final

SHARED_MEMORY: Final = "/dev/shm"  # noqa: S108 - a path that pods mount, not a file of ours

# Sources: nvidia-container-toolkit, k8s-device-plugin (README, `mps-root`), CDI specification
# (directories), Kubernetes "Device Plugins" (sockets); the rest is how node and runtime are led.
_REACHING: Final = (
    *("/dev", "/proc", "/sys"),  # devices, their capabilities and their memory
    *("/run/cdi", "/etc/cdi", "/run/nri", "/etc/nri", "/opt/nri"),
    *("/run/containerd", "/run/crio", "/run/docker", "/run/docker.sock", "/run/k3s"),
    *("/run/cri-dockerd.sock", "/run/podman", "/run/systemd", "/run/dbus"),
    *("/etc/containerd", "/etc/crio", "/etc/docker", "/etc/nvidia-container-runtime"),
    *("/etc/kubernetes", "/var/lib/kubelet", "/var/lib/rancher"),
    *("/var/lib/containerd", "/var/lib/containers", "/var/lib/docker"),
    "/usr/local/nvidia/toolkit",
)
_BEGINNING: Final = ("/run/nvidia",)  # also /run/nvidia-fabricmanager and the like
# Below /dev, and no GPU: exactly these, since a folder can hold a link to anywhere.
_HARMLESS: Final = frozenset(
    {
        *(SHARED_MEMORY, "/dev/hugepages", "/dev/infiniband", "/dev/fuse", "/dev/net/tun"),
        *("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom"),
    }
)


def normal(path: str) -> str:
    """One spelling of a path: absolute, without `..` and doubled slashes, /var/run as /run."""
    clean = posixpath.normpath("/" + path.strip().lstrip("/"))
    return clean.removeprefix("/var") if below(clean, "/var/run") else clean


def below(path: str, folder: str) -> bool:
    """Whether a path in its normal form is the folder or in it."""
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def reaches_gpus(path: str) -> bool:
    """Whether a path of the node leads to GPUs, or to what hands them out.

    | path, in its normal form | leads there |
    |---|---|
    | one of the harmless ones below /dev | no |
    | below one of the list | yes |
    | a parent of one of the list | yes: it holds it |
    | any other | no |
    """
    clean = normal(path)
    if clean in _HARMLESS:
        return False
    both_ways = any(below(clean, each) or below(each, clean) for each in _REACHING)
    return both_ways or any(clean.startswith(each) for each in _BEGINNING)
