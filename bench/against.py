"""Another commit beside the one checked out: CPU a review, start-up and memory, in one run.

`python bench/against.py 97e395f` checks the other commit out into a temporary folder, starts the
real server of both by turns (`gpu-sharing serve`, TLS, the nodes of examples/), and sends both the
same reviews: the pods of examples/, each to /mutate and to /validate. What the kernel counts for
the server's process is printed as medians, with the ratio of each round and its spread. The two
share one interpreter and its packages.
"""

import http.client
import json
import os
import signal
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from certs.pair import write_pair
from examples.demo.api_server import review

HOST = "127.0.0.1"
ROOT = Path(__file__).parents[1]
REVIEWS, ROUNDS = 3000, 7
HEADERS = {"Content-Type": "application/json"}
PADDING = {f"example.org/note-{n}": "x" * 60 for n in range(40)}  # to about 5 kB, as real pods have


@dataclass(frozen=True)
class Figures:
    """One start of a server: seconds and CPU seconds until ready, CPU ms a review, MiB after."""

    ready: float
    start_cpu: float
    review_cpu: float
    memory: float


def bodies() -> list[tuple[str, bytes]]:
    """The reviews as (path, body)."""
    found = []
    for path in sorted((ROOT / "examples").glob("*.yaml")):
        for item in yaml.safe_load_all(path.read_text(encoding="utf-8")):
            if isinstance(item, dict) and item.get("kind") == "Pod":
                item["metadata"].setdefault("annotations", {}).update(PADDING)
                body = json.dumps(review(item, "bench")).encode()
                found += [("/mutate", body), ("/validate", body)]
    return found


def cpu(pid: int) -> float:
    """User and system seconds of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def children(pid: int) -> list[int]:
    """The processes that a process has started."""
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8")
    return [int(each) for each in text.split()]


def memory(pid: int) -> float:
    """Proportional memory of a process in MiB."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8")
    return int(text.split("\nPss:")[1].split()[0]) / 1024


@contextmanager
def serving(checkout: Path, folder: Path) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """The server of a checkout: its port and its process."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    flags = ["--tls-cert", folder / "tls.crt", "--tls-key", folder / "tls.key"]
    inventory = ["--inventory", ROOT / "examples/inventory.yaml"]
    bind = ["--bind", f"{HOST}:{port}", "--metrics-bind", "off"]
    process = subprocess.Popen(
        [sys.executable, "-m", "webhook.cli.main", "serve", *flags, *inventory, *bind],
        cwd=checkout,
        env={**os.environ, "PYTHONPATH": str(checkout)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield port, process
    finally:
        process.send_signal(signal.SIGQUIT)
        process.wait()


def connect(port: int, folder: Path) -> http.client.HTTPSConnection:
    """A connection that trusts the server's certificate."""
    context = ssl.create_default_context(cafile=str(folder / "ca.crt"))
    return http.client.HTTPSConnection(HOST, port, context=context, timeout=60)


def wait_until_ready(port: int, folder: Path) -> None:
    """Ask for /readyz until it is green."""
    while True:
        connection = connect(port, folder)
        try:
            connection.request("GET", "/readyz")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.02)
        finally:
            connection.close()


def measure(checkout: Path, folder: Path, reviews: list[tuple[str, bytes]]) -> Figures:
    """Start the server of a checkout, send the reviews, stop it."""
    began = time.monotonic()
    with serving(checkout, folder) as (port, process):
        wait_until_ready(port, folder)
        ready = time.monotonic() - began
        pids = [process.pid, *children(process.pid)]
        start = sum(map(cpu, pids))
        connection = connect(port, folder)
        for number in range(200 + REVIEWS):
            if number == 200:  # warm
                before = sum(map(cpu, pids))
            path, body = reviews[number % len(reviews)]
            connection.request("POST", path, body, HEADERS)
            if connection.getresponse().read()[:1] != b"{":
                raise RuntimeError(f"{path}: no answer")
        used = sum(map(cpu, pids)) - before
        return Figures(ready, start, used / REVIEWS * 1000, sum(map(memory, pids)))


def main(reference: str) -> None:
    """Measure both by turns and print the table."""
    reviews = bodies()
    with tempfile.TemporaryDirectory() as temporary:
        folder, other = Path(temporary), Path(temporary) / "other"
        write_pair(folder, ["127.0.0.1"])
        git = ["git", "-C", str(ROOT), "worktree"]
        subprocess.run([*git, "add", "--quiet", "--detach", other, reference], check=True)
        try:
            rounds = [
                (measure(ROOT, folder, reviews), measure(other, folder, reviews))
                for _ in range(ROUNDS)
            ]
        finally:
            subprocess.run([*git, "remove", "--force", other], check=True)
    units = {"ready": "s to ready", "start_cpu": "s CPU to ready", "review_cpu": "ms CPU a review"}
    for key, text in (units | {"memory": "MiB after"}).items():
        ours, theirs = ([getattr(each[side], key) for each in rounds] for side in (0, 1))
        ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
        sys.stdout.write(
            f"{text}: {statistics.median(ours):.3f}, {reference} {statistics.median(theirs):.3f}, "
            f"ratio {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})\n"
        )


if __name__ == "__main__":
    main(sys.argv[1])
