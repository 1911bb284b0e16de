"""What the machine must have beside Go, and getting it from Debian where we may."""

import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from tests.e2e.cluster.errors import MissingError
from tests.e2e.cluster.settings import Node
from tests.e2e.cluster.waiting import tell

ANYWHERE = {"nsenter": "util-linux", "unshare": "util-linux", "ip": "iproute2"}
"""File to the Debian package it comes from; these are needed without a node too."""

NODE = {
    "runc": "runc",
    "iptables": "iptables",
    "conntrack": "conntrack",
    "/usr/lib/cni/ptp": "containernetworking-plugins",
}
IMAGES = {"buildah": "buildah", "mmdebstrap": "mmdebstrap"}

SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def reason_without_node(wanted: Node) -> str | None:
    """Why there can be no real node here; None if there can."""
    if wanted is Node.NONE:
        return f"asked for by GPU_SHARING_E2E={Node.NONE}"
    if os.geteuid() != 0:
        return "a kubelet needs root"
    try:
        require(NODE)
    except MissingError as error:
        return str(error)
    return None


def require(files: dict[str, str]) -> None:
    """See to it that these files are there, by their Debian packages if need be."""
    packages = _packages_of_absent(files)
    if not packages:
        return
    names = " ".join(packages)
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise MissingError(f"missing here: {', '.join(files)}; on Debian: apt-get install {names}")
    tell(f"installing Debian packages: {names}")
    _apt("update", "-qq")
    _apt("install", "-qq", "--yes", "--no-install-recommends", *packages)
    if _packages_of_absent(files):
        raise MissingError(f"still missing after apt-get install {names}")


def _packages_of_absent(files: dict[str, str]) -> list[str]:
    return sorted({package for file, package in files.items() if not _present(file)})


def _present(file: str) -> bool:
    if file.startswith("/"):
        return Path(file).exists()
    return shutil.which(file, path=f"{os.environ.get('PATH', '')}:{SYSTEM_PATH}") is not None


def _apt(*arguments: str) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(
        ["apt-get", *arguments], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise MissingError(f"apt-get {_words(arguments)}: {done.stderr.strip()[-500:]}")


def _words(arguments: Iterable[str]) -> str:
    return " ".join(arguments)
