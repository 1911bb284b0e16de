"""The state directory of a cluster: everything it leaves on the machine, and its removal.

One path removes a cluster, whether it is stopped in order, by a signal, or found later because
its owner was killed: end process 1, remove the cgroup, remove the directory.
"""

import contextlib
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from tests.e2e.cluster import cgroups
from tests.e2e.cluster.sandbox import close_sandbox, init_pid
from tests.e2e.cluster.settings import PREFIX, state_root


def new_state() -> Path:
    """An empty state directory that names this process as its owner."""
    state = Path(tempfile.mkdtemp(prefix=PREFIX, dir=state_root()))
    state.chmod(0o755)
    (state / "logs").mkdir()
    (state / "owner").write_text(_identity(os.getpid()), encoding="ascii")
    return state


def remove(state: Path) -> None:
    """End everything of a cluster and leave no trace of it."""
    close_sandbox(state)
    cgroups.remove(state.name)
    with contextlib.suppress(FileNotFoundError):  # its owner may be removing it at this moment
        shutil.rmtree(state)


def remember(state: Path, facts: dict[str, Any]) -> None:
    """Keep what `status` tells."""
    (state / "facts.json").write_text(json.dumps(facts), encoding="utf-8")


def facts(state: Path) -> dict[str, Any]:
    """What was kept about a cluster."""
    path = state / "facts.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def all_states() -> list[Path]:
    """The state directories on this machine."""
    return sorted(path for path in state_root().glob(f"{PREFIX}*") if path.is_dir())


def running_states() -> list[Path]:
    """Those whose cluster runs."""
    return [state for state in all_states() if init_pid(state) is not None]


def leftovers() -> list[Path]:
    """Those whose owner is gone, and whose cluster ended with it or never came up."""
    return [state for state in all_states() if not _owned(state) and not _complete(state)]


def _complete(state: Path) -> bool:
    """Whether all of a cluster runs: it is remembered last."""
    return init_pid(state) is not None and bool(facts(state))


def _owned(state: Path) -> bool:
    try:
        identity = (state / "owner").read_text(encoding="ascii")
        return identity == _identity(int(identity.split()[0]))
    except (OSError, ValueError, IndexError):
        return False


def _identity(pid: int) -> str:
    """A process id and its start time, since ids are used again."""
    after_name = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1]
    return f"{pid} {after_name.split()[19]}"
