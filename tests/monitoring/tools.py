"""Prometheus and Alertmanager for tests: Debian's packages, unpacked; nothing is installed."""

import os
import shutil
import subprocess
from pathlib import Path

PACKAGES = ("prometheus", "prometheus-alertmanager")
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "gpu-sharing/monitoring"
WHY_NOT = "no promtool, prometheus and prometheus-alertmanager here: `make monitoring` brings them"


def find(name: str) -> str | None:
    """The path of a program, of this machine or of the cache."""
    unpacked = CACHE / "usr/bin" / name
    return str(unpacked) if unpacked.exists() else shutil.which(name)


def missing() -> bool:
    """Whether a program is not to be had."""
    return not all(find(each) for each in ("promtool", *PACKAGES))


def fetch() -> None:
    """Unpack what is missing into the cache. Needs apt-get and dpkg, not root."""
    if not missing():
        return
    CACHE.mkdir(parents=True, exist_ok=True)
    for each in PACKAGES:
        command = ["apt-cache", "policy", each]
        policy = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        if "Candidate: (none)" in policy or not policy:
            subprocess.run(["apt-get", "update", "-qq"], check=True)
        subprocess.run(["apt-get", "download", "-qq", each], cwd=CACHE, check=True)
    for each in CACHE.glob("*.deb"):
        subprocess.run(["dpkg", "-x", each, CACHE], check=True)
        each.unlink()


if __name__ == "__main__":
    fetch()
