"""The namespaces a cluster lives in: processes, mounts, network; users too without root.

Nothing of a cluster is visible to the machine's network, and nothing can outlive the end of its
process 1 (see init.py). Ports and paths are therefore the same in every cluster.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.cluster import init
from tests.e2e.cluster.children import start_child, wait_for_children
from tests.e2e.cluster.errors import NotReadyError
from tests.e2e.cluster.waiting import until


@dataclass(frozen=True, slots=True)
class Sandbox:
    """The namespaces of process 1, given by its id outside them."""

    state: Path
    init_pid: int
    rootless: bool

    def inside(self, command: Sequence[str | Path]) -> list[str]:
        """The command line that runs a command in all namespaces, so that it ends with them."""
        where = ["--target", str(self.init_pid), "--net", "--mount", "--pid"]
        return ["nsenter", *where, *self._user(), "--", *map(str, command)]

    def in_network(self, command: Sequence[str | Path]) -> list[str]:
        """The command line that runs a command in the network alone, the rest as outside."""
        where = ["--target", str(self.init_pid), "--net"]
        return ["nsenter", *where, *self._user(), "--", *map(str, command)]

    def run(self, command: Sequence[str | Path], *, data: str | None = None) -> str:
        """What a command prints in all namespaces; it must succeed."""
        done = subprocess.run(
            self.inside(command), input=data, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise NotReadyError(f"{' '.join(map(str, command))}: {done.stderr.strip()}")
        return done.stdout

    def _user(self) -> list[str]:
        return ["--user", "--preserve-credentials"] if self.rootless else []


def open_sandbox(state: Path, *, node: bool, detached: bool) -> Sandbox:
    """Start process 1 in new namespaces and wait until it is set up."""
    rootless = os.geteuid() != 0
    kinds = ["--net", "--pid", "--mount", "--fork"]
    kinds += ["--user", "--map-root-user"] if rootless else []
    choices = ["--node"] * node + ["--detached"] * detached
    log = state / "logs" / "init.log"
    script = [sys.executable, "-I", "-S", init.__file__, str(state), *choices]
    process = start_child(state, ["unshare", *kinds, *script], log=log, held=not detached)
    try:
        until(
            lambda: (state / "init.pid").exists() or process.poll() is not None,
            seconds=20,
            what="namespaces",
        )
        return Sandbox(state, int((state / "init.pid").read_text(encoding="ascii")), rootless)
    except (NotReadyError, FileNotFoundError) as error:
        said = log.read_text(encoding="utf-8", errors="replace")
        raise NotReadyError(f"no namespaces: {said.strip() or error}") from error


def close_sandbox(state: Path) -> None:
    """End process 1 of a state directory, and with it everything inside; wait until it is gone."""
    pid = init_pid(state)
    if pid is not None:
        os.kill(pid, signal.SIGKILL)
        what = "the end of the cluster's processes"
        until(lambda: init_pid(state) is None, seconds=30, what=what)
    wait_for_children(state)


def init_pid(state: Path) -> int | None:
    """The outer id of the process 1 of a state directory, if it runs."""
    try:
        pid = int((state / "init.pid").read_text(encoding="ascii"))
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        alive = " Z " not in Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    except (FileNotFoundError, ProcessLookupError):
        return None
    return pid if alive and str(state).encode() in command else None
