"""Patterns, for Python and for CEL, of node paths that lead to GPUs.

A pattern sees through `//`, `/./` and /var/run. Python follows `..`, which CEL cannot: there any
path that goes BACK is taken for the worst. Kubernetes refuses it in a hostPath anyway.
"""

import posixpath
import re
from collections.abc import Iterable
from typing import Final

SHARED_MEMORY: Final = "/dev/shm"  # noqa: S108 - a path that pods mount, not a file of ours

# Sources: nvidia-container-toolkit, k8s-device-plugin (README, `mps-root`), CDI specification
# (directories), Kubernetes "Device Plugins" (sockets); the rest is how node and runtime are led.
_FOLDERS: Final = (
    *("/dev", "/proc", "/sys"),  # devices, their capabilities and their memory
    *("/run/cdi", "/etc/cdi", "/run/nri", "/etc/nri", "/opt/nri"),
    *("/run/containerd", "/run/crio", "/run/docker", "/run/docker.sock", "/run/k3s"),
    *("/run/cri-dockerd.sock", "/run/podman", "/run/systemd", "/run/dbus"),
    *("/etc/containerd", "/etc/crio", "/etc/docker", "/etc/nvidia-container-runtime"),
    *("/etc/kubernetes", "/var/lib/kubelet", "/var/lib/rancher"),
    *("/var/lib/containerd", "/var/lib/containers", "/var/lib/docker"),
    "/usr/local/nvidia/toolkit",
)
_BEGINNING: Final = "/run/nvidia"  # also /run/nvidia-fabricmanager and the like
# Below /dev, and no GPU: exactly these, since a folder can hold a link to anywhere.
_HARMLESS: Final = (
    *(SHARED_MEMORY, "/dev/hugepages", "/dev/infiniband", "/dev/fuse", "/dev/net/tun"),
    *("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom"),
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
    """Returns the pattern of a path after its first slash."""
    steps = _SLASH.join(re.escape(step) for step in path.strip("/").split("/"))
    return f"(var{_SLASH})?{steps}" if steps.startswith("run") else steps


def _beginning(*paths: str) -> str:
    """Returns the pattern of paths that begin as one of these."""
    return f"{_ROOT}{_any_of(map(_steps, paths))}"


def _parents() -> set[str]:
    """Returns the folders that hold one of the list, but for the root."""
    steps = [path.strip("/").split("/") for path in (*_FOLDERS, _BEGINNING)]
    return {"/".join(each[:length]) for each in steps for length in range(1, len(each))}


REACHING: Final = "|".join(
    (
        f"{_beginning(*_FOLDERS)}{_STEP_ENDS}",
        _beginning(_BEGINNING),
        f"{_beginning(*_parents())}{_END}",
        rf"{_ROOT}\.?{_BLANK}\Z",
    )
)
"""A path leads to GPUs, unless it is HARMLESS."""
HARMLESS: Final = _beginning(*_HARMLESS) + _END
SHARED_MEMORY_ITSELF: Final = _beginning(SHARED_MEMORY) + _END


def inside(*folders: str) -> str:
    """Returns the pattern of paths that are one of some folders, or in one."""
    return _beginning(*folders) + _STEP_ENDS


def last_step(*folders: str) -> str:
    """Returns the pattern of paths with a step that ends one of some folders."""
    return f"(^|/){_any_of(re.escape(posixpath.basename(each)) for each in folders)}{_STEP_ENDS}"


def normal(path: str) -> str:
    """Returns one spelling of a path: absolute, without `..` and `//`, /var/run as /run."""
    clean = posixpath.normpath("/" + path.strip(_SPACE).lstrip("/"))
    return clean.removeprefix("/var") if f"{clean}/".startswith("/var/run/") else clean


def goes_back(path: str) -> bool:
    """Returns whether a path has a step `..`."""
    return bool(re.search(BACK, path))


def reaches_gpus(path: str) -> bool:
    """Returns whether a path of the node leads to GPUs or to what allocates them.

    | path, in its normal form | leads there |
    |---|---|
    | one of the harmless ones below /dev | no |
    | below one of the list | yes |
    | a parent of one of the list | yes: it holds it |
    | any other | no |
    """
    clean = normal(path)
    return bool(re.search(REACHING, clean)) and not re.search(HARMLESS, clean)
