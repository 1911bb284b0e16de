"""Patterns, for Python and CEL, of paths by which a pod reaches its node.

A pattern sees through `//`, `/./` and /var/run. Python follows `..`, which CEL cannot: there any
path that goes BACK is taken for the worst. Kubernetes refuses it in a hostPath anyway.
"""

import posixpath
import re
from collections.abc import Iterable
from typing import Final

_SHARED: Final = "shm"
SHARED_MEMORY: Final = f"/dev/{_SHARED}"

# Sources: Filesystem Hierarchy Standard; nvidia-container-toolkit; k8s-device-plugin (`mps-root`);
# CDI and NRI specifications; documentation of k0s, k3s, RKE2, MicroK8s, minikube, COS, OSTree,
# Bottlerocket, Talos, Flatcar, NixOS, BOSH and IBM Cloud on where their nodes keep what they run.
_FOLDERS: Final = (
    *("/dev", "/proc", "/run", "/sys"),  # devices, sockets, MPS pipes
    *("/bin", "/boot", "/efi", "/lib", "/lib32", "/lib64", "/libx32", "/nix", "/sbin", "/usr"),
    *("/etc", "/oem", "/root", "/snap", "/writable"),
    "/opt",  # which root's services run from, whoever made them
    *("/home/kubernetes", "/system", "/var/system", "/var/snap"),
    *("/ostree", "/sysroot", "/var/roothome", "/var/usrlocal", "/var/opt"),
    *("/.bottlerocket", "/local/etc", "/local/opt", "/local/var", "/mnt/stateful_partition"),
    *("/mnt/host", "/mnt/paas", "/mnt/wsl", "/var/cache/nodeup", "/var/paas"),
    *("/var/data", "/var/lib", "/var/spool", "/var/vcap"),
    *("/tmp/nvidia-log", "/tmp/vgpu", "/tmp/vgpulock"),  # noqa: S108
)
# Wherever it was moved to, it is called so; a socket has somebody of the node behind it.
_OWNERS: Final = (
    *("cri-dockerd", "cri-o", "crio", "docker", "dockershim", "k0s", "k3s", "microk8s"),
    *("nvidia-mps", "rancher", "rke2"),
)
_STEPS: Final = (
    r"[^/]*(containerd|kubelet)[^/]*",
    rf"({'|'.join(_OWNERS)})([-_.][^/]*)?",
    r"s?bin|libexec|etc",
    r"\.(ssh|kube|docker|config|local|profile|(bash|zsh)[^/]*)",  # of a user of the node
    r"[^/]*\.sock(et)?",
    r"(vmlinuz|initrd|initramfs)[^/]*",  # links to what boots
)
# Below those, and none of it: exactly these, since a folder can hold a link to anywhere.
_HARMLESS: Final = (
    *(SHARED_MEMORY, "/dev/hugepages", "/dev/infiniband", "/dev/fuse", "/dev/net/tun"),
    *("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom", "/run/tcpx"),
    *("/etc/localtime", "/etc/timezone", "/usr/share/zoneinfo"),
    "/opt/amazon-efa-ofi",
)
_DATA: Final = (  # below /opt and /var/lib, where a node keeps all else that it runs
    *("cache", "data", "datasets?", "hf", "huggingface", "jupyter(hub)?", "llm", "models?"),
    *("dlami/+nvme", "ml", "nim", "nvme", "ollama", "ray", "triton", "vllm"),
)
# Source: GoogleCloudPlatform/container-engine-accelerators, gpudirect-tcpx, -tcpxo and -rdma;
# ai-dynamo, guide of EFA on GB200.
_GPU_DIRECT: Final = (
    *("/sys", "/proc/sys", "/proc/sys/net", "/sys/class", "/sys/class/net"),
    *("/sys/class/infiniband", "/sys/class/infiniband_verbs", "/sys/class/infiniband_mad"),
    *("/dev/aperture_devices", "/dev/dmabuf_import_helper"),
    *("/home/kubernetes/bin/nvidia", "/home/kubernetes/bin/nvidia/lib64"),
    *("/home/kubernetes/bin/gib", "/opt/amazon", "/opt/amazon/efa"),
)
# No part of these is read in two ways, so that neither engine goes back in a long path.
_SPACE: Final = " \t\n\r\f\v"
_BLANK: Final = r"[ \t\n\r\f\v]*"
_SLASH: Final = r"/(\.?/)*"
_ROOT: Final = rf"^{_BLANK}(\.?/)*"
_END: Final = rf"(/\.?)*{_BLANK}\Z"
_STEP_ENDS: Final = rf"(/|{_BLANK}\Z)"
BACK: Final = rf"(^{_BLANK}|/)\.\.{_STEP_ENDS}"


def _any_of(patterns: Iterable[str]) -> str:
    return f"({'|'.join(sorted(patterns))})"


def _steps(path: str) -> str:
    """Return the pattern of a path after its first slash."""
    steps = _SLASH.join(re.escape(step) for step in path.strip("/").split("/"))
    return f"(var{_SLASH})?{steps}" if steps.startswith("run") else steps


def _beginning(*paths: str) -> str:
    """Return the pattern of paths that begin as one of these."""
    return f"{_ROOT}{_any_of(map(_steps, paths))}"


def _parents() -> set[str]:
    """Return the folders that hold one of the list, but for the root."""
    steps = [path.strip("/").split("/") for path in (*_FOLDERS, "/tmp/nvidia-mps")]  # noqa: S108
    return {"/".join(each[:length]) for each in steps for length in range(1, len(each))}


REACHING: Final = "|".join(
    (
        f"{_beginning(*_FOLDERS)}{_STEP_ENDS}",
        f"{_beginning(*_parents())}{_END}",
        f"(^|/)({'|'.join(_STEPS)}){_STEP_ENDS}",
        rf"{_ROOT}(var{_SLASH})?home{_SLASH}[^/]+{_END}",
        rf"{_ROOT}(\.?{_BLANK}\Z|[A-Za-z]:|\\)",  # of Windows all
    )
)
"""A path reaches the node, unless it is HARMLESS or of GPU_DIRECT."""
HARMLESS: Final = (
    f"{_beginning(*_HARMLESS)}{_END}"
    f"|{_beginning('/opt', '/var/lib')}{_SLASH}({'|'.join(_DATA)})([-_.][^/]*)?{_STEP_ENDS}"
)
GPU_DIRECT: Final = _beginning(*_GPU_DIRECT) + _END
SHARED_MEMORY_ITSELF: Final = _beginning(SHARED_MEMORY) + _END


def inside(*folders: str) -> str:
    """Return the pattern of paths that are one of some folders, or in one."""
    return _beginning(*folders) + _STEP_ENDS


def last_step(*folders: str) -> str:
    """Return the pattern of paths with a step that ends one of some folders."""
    return f"(^|/){_any_of(re.escape(posixpath.basename(each)) for each in folders)}{_STEP_ENDS}"


def normal(path: str) -> str:
    """Return one spelling of a path: absolute, without `..` and `//`, /var/run as /run."""
    clean = posixpath.normpath("/" + path.strip(_SPACE).lstrip("/"))
    return clean.removeprefix("/var") if f"{clean}/".startswith("/var/run/") else clean


def is_shared_memory(path: str) -> bool:
    """Return whether a path is that of shared memory, however it is spelled."""
    return _SHARED in path and normal(path) == SHARED_MEMORY


def goes_back(path: str) -> bool:
    """Return whether a path has a step `..`."""
    return bool(re.search(BACK, path))


def reaches_node(path: str) -> bool:
    """Return whether a path leads to what runs or configures the node, or to devices.

    | path, in its normal form | leads there |
    |---|---|
    | one of the harmless ones, or of those that GPUDirect needs | no |
    | below one of the list, or called as a runtime or socket is anywhere | yes |
    | a parent of one of the list | yes: it holds it |
    | any other | no |
    """
    clean = normal(path)
    return bool(re.search(REACHING, clean)) and not re.search(f"{HARMLESS}|{GPU_DIRECT}", clean)


def is_of_gpu_direct(path: str) -> bool:
    """Return whether a path is one that published recipes of GPUDirect mount."""
    return bool(re.search(GPU_DIRECT, normal(path)))
