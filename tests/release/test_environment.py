"""What `make` does before anything else: .venv, with uv where it is, with pip where it fails."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "deploy/environment.py"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with a `bin` of its own."""
    (tmp_path / "bin").mkdir()
    return tmp_path


def install(place: Path, uv: str) -> "subprocess.CompletedProcess[str]":
    """Run the script where `uv` is this shell script, and no index is reached."""
    path = place / "bin/uv"
    path.write_text(f"#!/bin/sh\n{uv}\n")
    path.chmod(0o755)
    return subprocess.run(
        [sys.executable, str(SCRIPT), "--editable", ".[serve]"],
        cwd=place,
        env={"PATH": f"{path.parent}:/usr/bin:/bin", "PIP_NO_INDEX": "1", "HOME": os.devnull},
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_says_what_it_does_and_installs_with_the_uv_of_path(place: Path) -> None:
    done = install(place, "echo uv $@")
    assert done.returncode == 0, done.stderr
    assert "making a Python environment in .venv …" in done.stdout
    assert "uv pip install --quiet --python .venv/bin/python --editable .[serve]" in done.stdout
    assert (place / ".venv/bin/python").exists()


def test_where_uv_fails_pip_is_tried_and_what_is_not_installed_is_an_error(place: Path) -> None:
    """The pip that Python brings runs as it is; what it would install is only told."""
    python = place / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text(
        f'#!/bin/sh\necho "$@"\n[ "$1" != -m ] && exec {sys.executable} "$1" --version\n'
    )
    python.chmod(0o755)
    done = install(place, "exit 1")
    assert done.returncode == 1
    assert "with pip instead" in done.stdout
    flags = "install --quiet --disable-pip-version-check --no-compile"
    assert f"/pip {flags} pip>=25.1\npip 2" in done.stdout
    assert f"-m pip {flags} --editable .[serve]\n" in done.stdout
    assert "error: not installed" in done.stderr
