"""The child processes that this process started for its clusters.

Module state, which we have nowhere else: the kernel knows of children per process, and a cluster
is removed by its state directory alone. Here they are waited for, so that none stays a zombie.
"""

import subprocess
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

_BY_STATE: defaultdict[Path, list[subprocess.Popen[bytes]]] = defaultdict(list)


def start_child(
    state: Path,
    command: Sequence[str],
    *,
    log: Path,
    held: bool = False,
) -> subprocess.Popen[bytes]:
    """Start a process in a session of its own, so that Ctrl-C reaches us and not it.

    A held one has a pipe as standard input, which closes when we end, however we end.
    """
    with log.open("ab") as file:
        child = subprocess.Popen(
            command,
            stdin=subprocess.PIPE if held else subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    _BY_STATE[state].append(child)
    return child


def wait_for_children(state: Path) -> None:
    """Collect the children of a cluster that has ended."""
    for child in _BY_STATE.pop(state, []):
        if child.stdin is not None:
            child.stdin.close()
        child.wait(timeout=30)
