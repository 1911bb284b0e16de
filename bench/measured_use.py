"""Time and memory of `audit --prometheus` on many devices: `python -m bench.measured_use`.

A real Prometheus (`make monitoring` unpacks it) gets made blocks: DEVICES whole GPUs with a pod
each, a point every five minutes for DAYS, of which one hour in ten is missing. What is timed is
`measure`: every query, and the devices made of the answers.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.monitoring import tools
from tests.monitoring.serving import prometheus
from webhook.cli.measure.measure import measure
from webhook.cli.measure.prometheus import open_prometheus

STEP = 300
METRICS = ("DCGM_FI_PROF_GR_ENGINE_ACTIVE", "DCGM_FI_DEV_FB_USED", "DCGM_FI_DEV_FB_FREE")


def write_blocks(folder: Path, devices: int, days: int, now: int) -> Path:
    """Write the history; returns the folder of its blocks."""
    text, data = folder / "history.txt", folder / "data"
    with text.open("w") as out:
        for name in METRICS:
            out.write(f"# TYPE {name} gauge\n")
            for device in range(devices):
                labels = (
                    f'UUID="GPU-{device:05d}",modelName="NVIDIA H100 80GB HBM3",'
                    f'hostname="n{device // 8}",exported_namespace="x",exported_pod="p-{device}"'
                )
                for at in range(now - days * 86400, now, STEP):
                    if at // 3600 % 10:
                        out.write(f"{name}{{{labels}}} {(at // STEP + device) % 97 / 100} {at}\n")
        out.write("# EOF\n")
    command = [tools.find("promtool"), "tsdb", "create-blocks-from", "openmetrics", text, data]
    subprocess.run([str(each) for each in command], check=True, capture_output=True)
    text.unlink()
    return data


def main() -> None:
    """Make the history, measure it, print what it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--devices", type=int, default=1000)
    parser.add_argument("--days", type=int, default=1)
    args = parser.parse_args()
    now = int(time.time()) // STEP * STEP
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data = write_blocks(folder, args.devices, args.days, now)
        config = {"global": {"scrape_interval": "1h"}}
        with prometheus(folder, config, data) as api, open_prometheus(api.url) as source:
            begun = time.perf_counter()
            found = measure(source, f"{args.days}d", float(now), lambda _done, _of: None)
            took = time.perf_counter() - begun
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    points = sum(each.use.points for each in found.devices)
    sys.stdout.write(
        f"{len(found.devices)} devices, {args.days} days, {points} points: "
        f"{took:.1f} s, {memory:.0f} MiB here\n"
    )


if __name__ == "__main__":
    main()
