"""Process 1 of a cluster's namespaces: run as a script, not imported.

Everything of a cluster runs below it: processes, containers, mounts, network. When it ends, the
kernel ends all of it, in whatever state it is. And it ends when its standard input does, that is,
when the process that started the cluster is gone for whatever reason.

    python init.py STATE [--node] [--detached]

--node      gives the node directories of its own in place of /run, /var/lib and /var/log, and
            hides the kernel settings that a kubelet changes for the whole machine.
--detached  stays when the starter is gone.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

OWN_DIRECTORIES = {"run": "/run", "lib": "/var/lib", "log": "/var/log"}

# The kubelet sets these at its start, and they are no namespace's but the machine's.
HIDDEN_SETTINGS = (
    "vm/overcommit_memory",
    "vm/panic_on_oom",
    "kernel/panic",
    "kernel/panic_on_oops",
    "kernel/keys/root_maxkeys",
    "kernel/keys/root_maxbytes",
)


def mount(*arguments: str) -> None:
    """Run mount, visible in these namespaces only."""
    subprocess.run(["mount", *arguments], check=True)


def own_mounts(state: Path) -> None:
    """Directories and kernel settings of the node's own."""
    for name, place in OWN_DIRECTORIES.items():
        own = state / "node" / name
        own.mkdir(parents=True, exist_ok=True)
        mount("--bind", str(own), place)
    for name in HIDDEN_SETTINGS:
        setting = Path("/proc/sys", name)
        if setting.exists():
            hidden = state / "node" / "sys" / name
            hidden.parent.mkdir(parents=True, exist_ok=True)
            hidden.write_bytes(setting.read_bytes())
            mount("--bind", str(hidden), str(setting))


def reap(*_: object) -> None:
    """Collect the dead that were left to process 1."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def main() -> None:
    """Set up, say ready by writing our outer process id, and hold."""
    state = Path(sys.argv[1])
    outer = str(Path("/proc/self").readlink())  # /proc is still the machine's here
    mount("-t", "proc", "proc", "/proc")
    if "--node" in sys.argv:
        own_mounts(state)
    signal.signal(signal.SIGCHLD, reap)
    reap()
    ready = state / "init.pid.partial"
    ready.write_text(outer, encoding="ascii")
    ready.rename(state / "init.pid")
    while "--detached" in sys.argv:
        signal.pause()
    while os.read(0, 1):
        pass


if __name__ == "__main__":
    main()
