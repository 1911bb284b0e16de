"""Makes .venv and installs into it what `uv pip install` is given; needs nothing but Python."""

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
import venv
from importlib.util import find_spec
from pathlib import Path
from typing import Final, NoReturn

STARTED: Final = time.monotonic()
VENV: Final = Path(".venv")
PYTHON: Final = str(VENV / "bin/python")
QUIET: Final = ("install", "--quiet", "--disable-pip-version-check", "--no-compile")


def main(wanted: list[str]) -> None:
    """Install it with uv, which is fetched where PATH has none; with pip where uv cannot."""
    if sys.version_info < (3, 11):  # noqa: UP036 - this is what tells an older one
        stop(f"Python {sys.version.split()[0]} is too old: make … PYTHON=python3.11, or newer")
    if not Path(PYTHON).exists():
        tell("making a Python environment in .venv")
        venv.create(VENV, symlinks=True)
    with tempfile.TemporaryDirectory() as folder:
        uv = shutil.which("uv") or fetch_uv(folder)
        tell(f"installing {' '.join(wanted)}")
        done = uv and run(uv, "pip", "install", "--quiet", "--python", PYTHON, *wanted)
    if not done:
        tell("installing with pip instead, which is slower")
        newer = run(PYTHON, bundled_pip(), *QUIET, "pip>=25.1")
        if not newer or not run(PYTHON, "-m", "pip", *QUIET, *wanted):
            stop("not installed; the lines above say why")


def fetch_uv(folder: str) -> str:
    """Put uv, which installs fast, into a folder; "" where it has no wheel."""
    tell("fetching uv")
    flags = ("--only-binary", ":all:", "--target", folder, "uv>=0.5")
    compiled = (sys.executable, "-m", "pip") if find_spec("pip") else (PYTHON, bundled_pip())
    os.environ["PIP_ROOT_USER_ACTION"] = "ignore"  # nothing is installed into the system
    return f"{folder}/bin/uv" if run(*compiled, *QUIET, *flags) else ""


def bundled_pip() -> str:
    """The pip that Python brings, to be run from its wheel: unpacking it takes seconds."""
    folder = (
        sysconfig.get_config_var("WHEEL_PKG_DIR")
        or f"{sysconfig.get_path('stdlib')}/ensurepip/_bundled"
    )
    wheels = list(Path(folder).glob("pip-*.whl"))
    if not wheels:
        stop("this Python brings no pip; on Debian: apt install python3-venv; else install uv")
    return f"{wheels[0]}/pip"


def run(*command: str) -> bool:
    """Whether a command succeeded."""
    return subprocess.run(command, check=False).returncode == 0  # noqa: S603 - our own commands


def tell(text: str) -> None:
    """Say what happens next, and how long it took until here."""
    sys.stdout.write(f"{time.monotonic() - STARTED:4.1f} s  {text} …\n")
    sys.stdout.flush()


def stop(problem: str) -> NoReturn:
    """End with an error."""
    sys.exit(f"error: {problem}")


if __name__ == "__main__":
    main(sys.argv[1:])
