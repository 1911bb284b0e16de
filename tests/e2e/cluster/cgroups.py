"""The cgroup of a cluster's pods: made beside everything else, and removed without a trace."""

import contextlib
from pathlib import Path

from tests.e2e.cluster.waiting import until

ROOT = Path("/sys/fs/cgroup")


def unified() -> bool:
    """Whether the machine has cgroup v2."""
    return (ROOT / "cgroup.controllers").exists()


def make(name: str) -> None:
    """Make a cgroup of this name, under each controller where there are several."""
    for parent in _hierarchies():
        (parent / name).mkdir(exist_ok=True)
    if unified():
        for controller in ("cpu", "cpuset", "io", "memory", "pids", "hugetlb"):
            with contextlib.suppress(OSError):  # a controller that is absent here
                (ROOT / "cgroup.subtree_control").write_text(f"+{controller}", encoding="ascii")


def remove(name: str) -> None:
    """Remove a cgroup and those inside it; their processes are gone or about to be."""
    for parent in _hierarchies():
        top = parent / name
        if top.exists():
            until(lambda top=top: _removed(top), seconds=20, what=f"removal of {top}")  # type: ignore[misc]


def left(prefix: str) -> list[Path]:
    """Cgroups whose name begins so."""
    return [path for parent in _hierarchies() for path in parent.glob(f"{prefix}*")]


def _removed(top: Path) -> bool:
    """Try to remove the innermost first; true when nothing is left."""
    inner = sorted((path for path in top.rglob("*") if path.is_dir()), reverse=True)
    for path in [*inner, top]:
        with contextlib.suppress(OSError):
            path.rmdir()
    return not top.exists()


def _hierarchies() -> list[Path]:
    """The directories in which a cgroup of ours is made."""
    if unified():
        return [ROOT]
    return [path for path in ROOT.iterdir() if (path / "cgroup.procs").exists()]
