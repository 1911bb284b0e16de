"""What the plugin takes: under 25 MB installed, and `--help` under 0.3 s of a processor."""

import resource
import subprocess
import sys
from collections.abc import Iterable
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
MOST_BYTES, MOST_SECONDS = 25_000_000, 0.3
BLOCK = 4096  # what a file takes at least


def installed_with(name: str, seen: dict[str, int]) -> dict[str, int]:
    """What a distribution and all that it requires take on disk, but for what Python compiles."""
    name = name.lower().replace("_", "-")
    if name in seen:
        return seen
    files = distribution(name).files or []
    paths = [Path(str(each.locate())) for each in files if each.suffix != ".pyc"]
    seen[name] = on_disk(paths)
    for text in distribution(name).requires or []:
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            installed_with(requirement.name, seen)
    return seen


def on_disk(paths: Iterable[Path]) -> int:
    return sum(-(-path.stat().st_size // BLOCK) * BLOCK for path in paths if path.exists())


def test_the_plugin_is_under_25_mb_installed() -> None:
    sizes = installed_with("gpu-sharing", {})
    ours = [path for each in ("webhook", "certs") for path in (ROOT / each).rglob("*")]
    sizes["gpu-sharing"] = on_disk(path for path in ours if path.suffix != ".pyc")
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
