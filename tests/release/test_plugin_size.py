"""What the plugin takes: under 25 MB installed, and `--help` under 0.3 s of a processor."""

import resource
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
MOST_BYTES, MOST_SECONDS = 25_000_000, 0.3


def installed_with(name: str, seen: dict[str, int]) -> dict[str, int]:
    """The bytes of a distribution and of all that it requires, but for what Python compiles."""
    name = name.lower().replace("_", "-")
    if name in seen:
        return seen
    files = distribution(name).files or []
    paths = [Path(str(each.locate())) for each in files if each.suffix != ".pyc"]
    seen[name] = sum(path.stat().st_size for path in paths if path.exists())
    for text in distribution(name).requires or []:
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            installed_with(requirement.name, seen)
    return seen


def test_the_plugin_is_under_25_mb_installed() -> None:
    sizes = installed_with("gpu-sharing", {})
    ours = [path for each in ("webhook", "certs") for path in (ROOT / each).rglob("*")]
    sizes["gpu-sharing"] = sum(path.stat().st_size for path in ours if path.suffix != ".pyc")
    assert "aiohttp" in sizes
    assert "gunicorn" not in sizes
    assert sum(sizes.values()) < MOST_BYTES, sizes


def test_help_takes_under_a_third_of_a_second_of_a_processor() -> None:
    command = [sys.executable, "-m", "webhook.cli.main", "--help"]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert used < MOST_SECONDS
