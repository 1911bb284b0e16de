"""What may be chosen about a cluster, and where its files are kept."""

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

VERSIONS = {"1.37": "1.37.2", "1.35": "1.35.4", "1.33": "1.33.13"}
"""Kubernetes minor version to the release that its folder in tests/e2e/go pins."""

NEWEST = "1.37"

PREFIX = "gpu-sharing-e2e-"
"""How every trace of a cluster on the machine begins: state directory, cgroup."""


class Node(StrEnum):
    """Whether a real node is wanted beside the control plane."""

    AUTO = "auto"  # if this machine can
    FULL = "full"  # or else fail
    NONE = "control-plane"  # never


@dataclass(frozen=True, slots=True)
class Options:
    """One cluster's choices; the defaults are those of CI."""

    kubernetes: str = NEWEST
    node: Node = Node.AUTO
    detached: bool = False
    """Stays up when the process that started it is gone."""
    apiserver_arguments: tuple[str, ...] = ()
    """Flags beside ours, such as --feature-gates=..."""

    def __post_init__(self) -> None:
        """Refuse a version that nobody pinned."""
        if self.kubernetes not in VERSIONS:
            raise ValueError(f"KUBERNETES={self.kubernetes}: choose one of {', '.join(VERSIONS)}")


def from_environment(environ: Mapping[str, str] = os.environ, *, detached: bool = False) -> Options:
    """The options that KUBERNETES and GPU_SHARING_E2E name."""
    return Options(
        kubernetes=environ.get("KUBERNETES") or NEWEST,
        node=Node(environ.get("GPU_SHARING_E2E") or Node.AUTO),
        detached=detached,
    )


def cache_directory(environ: Mapping[str, str] = os.environ) -> Path:
    """Where programs and base images outlive a cluster, outside the checkout."""
    chosen = environ.get("GPU_SHARING_CACHE")
    if chosen:
        return Path(chosen)
    return Path(environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "gpu-sharing"


def state_root() -> Path:
    """The directory that holds the state directory of each cluster."""
    return Path(tempfile.gettempdir())
