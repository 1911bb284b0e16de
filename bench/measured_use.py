"""Time and memory of `audit --prometheus` on many devices: `python -m bench.measured_use`.

A real Prometheus (`make monitoring` unpacks it) gets made blocks: DEVICES whole GPUs with a pod
each that is renamed every week, activity every five minutes and memory every hour for DAYS, of
which one hour in ten is missing. `--data FOLDER` keeps the blocks. What is timed is `measure`.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.monitoring import tools
from tests.monitoring.serving import prometheus
from webhook.cli.measure.measure import Scope, measure
from webhook.cli.measure.prometheus import open_prometheus

STEP, BLOCK, WEEK = 300, 18 * 3600, 604800
METRICS = {
    "DCGM_FI_PROF_GR_ENGINE_ACTIVE": STEP, "DCGM_FI_DEV_FB_USED": 3600, "DCGM_FI_DEV_FB_FREE": 3600
}  # fmt: skip


def write_blocks(data: Path, devices: int, days: int, now: int) -> None:
    """Write the history, a block of Prometheus at a time."""
    data.mkdir(parents=True)
    since = now - days * 86400
    for start in range(since // BLOCK * BLOCK, now, BLOCK):
        moments = range(max(start, since), min(start + BLOCK, now), STEP)
        text = data / "history.txt"
        with text.open("w") as out:
            out.writelines(lines(devices, [at for at in moments if at // 3600 % 10]))
        command = ["tsdb", "create-blocks-from", "--max-block-duration=18h", "openmetrics"]
        program = str(tools.find("promtool"))
        subprocess.run([program, *command, text, data], check=True, capture_output=True)
        text.unlink()


def lines(devices: int, moments: list[int]) -> Iterator[str]:
    """Yield the series of all devices at some moments, as OpenMetrics."""
    for name, step in METRICS.items():
        yield f"# TYPE {name} gauge\n"
        for device in range(devices):
            labels = (
                f'UUID="GPU-{device:08x}-0000-4000-8000-000000000000",hostname="n{device // 8}",'
                f'modelName="NVIDIA H100 80GB HBM3",exported_namespace="x",exported_pod="p-{device}'
            )
            for at in (each for each in moments if each % step == 0):
                value = (at // STEP + device) % 97 / 100
                yield f'{name}{{{labels}-{at // WEEK}"}} {value} {at}\n'
    yield "# EOF\n"


def main() -> None:
    """Make the history, measure it, print what it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--devices", type=int, default=1000)
    parser.add_argument("--days", type=int, default=1)
    parser.add_argument("--data", type=Path, help="blocks to keep, made where they are not there")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        data = args.data or Path(name) / "data"
        ended = data / "ended"
        if not ended.exists():
            now = int(time.time()) // STEP * STEP
            write_blocks(data, args.devices, args.days, now)
            ended.write_text(str(now))
        report(Path(name), data, args.days, float(ended.read_text()))


def report(folder: Path, data: Path, days: int, end: float) -> None:
    """Measure the history and print time and memory."""
    config = {"global": {"scrape_interval": "1h"}}
    with prometheus(folder, config, data) as api, open_prometheus(api.url) as source:
        begun = time.perf_counter()
        found = measure(source, Scope(f"{days}d", end), lambda _done, _of: None)
        took = time.perf_counter() - begun
    here, there = (
        resource.getrusage(who).ru_maxrss / 1024
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    points = sum(each.use.points for each in found.devices)
    sys.stdout.write(
        f"{len(found.devices)} devices, {days} days, {points} points: {took:.0f} s, {here:.0f} MiB "
        f"here; Prometheus, or promtool where it made the blocks, at most {there:.0f} MiB\n"
    )


if __name__ == "__main__":
    main()
