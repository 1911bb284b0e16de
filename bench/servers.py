"""The servers that are measured, and the process that sends to them."""

import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.reviews import body
from certs.pair import CERT, KEY
from tests.e2e.cluster.settings import cache_directory
from tests.e2e.cluster.toolchain import Go, present_go

ROOT = Path(__file__).parents[1]
GO = ROOT / "bench" / "go"
HOST = "127.0.0.1"
PATH = "/mutate?timeout=10s"
DIFFER = "ours, pods differ"
OTHER, OTHER_DIFFER = "ours, --python", "ours, --python, pods differ"
FULL_TYPES = "Go, full types"


@dataclass(frozen=True, slots=True)
class Started:
    """A server that answers: its port, its process, and the seconds until it answered."""

    port: int
    pid: int
    ready: float


def commands(folder: Path, python: str | None = None) -> dict[str, list[str]]:
    """The servers that can run here, and in words why the others cannot.

    With `python` ours is run by that one too, in which `.[serve]` is installed.
    """
    ours = [sys.executable, "-m", "webhook.cli.main", "serve", "--metrics-bind", "off"]
    ours += ["--tls-cert", str(folder / CERT), "--tls-key", str(folder / KEY)]
    ours += ["--inventory", str(ROOT / "examples/inventory.yaml"), "--bind", HOST + ":{port}"]
    noop = [sys.executable, "-m", "bench.noop"]
    found = {"ours": ours, DIFFER: ours}
    if python:
        other = [python, *ours[1:]]
        found |= {OTHER: other, OTHER_DIFFER: other}
    go = present_go(cache_directory())
    if go is None:
        sys.stdout.write("no Go >= 1.26 here: controller-runtime and Go, full types are left out\n")
    else:
        build_go(go, folder)
        found["controller-runtime"] = [str(folder / "controllerruntime"), "{port}", str(folder)]
        found[FULL_TYPES] = [str(folder / "fulltypes"), HOST + ":{port}", str(folder)]
    found["no-op, our server"] = [*noop, "ours", "{port}", str(folder)]
    if importlib.util.find_spec("uvicorn"):
        found["no-op, uvicorn"] = [*noop, "uvicorn", "{port}", str(folder)]
    else:
        sys.stdout.write("no uvicorn here: it is left out\n")
    return found


def build_go(go: Go, folder: Path) -> None:
    """Build the programs of bench/go into a folder."""
    build = [go.command, "build", "-mod=readonly", "-o", folder, "./..."]
    subprocess.run(build, cwd=GO, env={**os.environ, "CGO_ENABLED": "0"}, check=True)


def pinned(command: list[str], core: int | None) -> list[str]:
    """A command that keeps to a core of this machine, where it is to be kept."""
    if core is None:
        return command
    return ["taskset", "-c", str(sorted(os.sched_getaffinity(0))[core]), *command]


class Client:
    """The process that sends."""

    def __init__(self, ca: Path, core: int | None, within: Sequence[str] = ()) -> None:
        self._ca = str(ca)
        self._process = subprocess.Popen(
            [*within, *pinned([sys.executable, "-m", "bench.client"], core)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def send(self, port: int, **about: Any) -> dict[str, float]:
        """Send one review, or for some seconds, and return what it took."""
        few = {"seconds": 1e-6, "warm": 0, "connections": 1, "differ": False, "pids": []}
        place = {"host": HOST, "port": port, "path": PATH, "ca": self._ca, "pair": None}
        asked = {"body": body("1.5 kB"), **place, **few, **about}
        assert self._process.stdin
        assert self._process.stdout
        print(json.dumps(asked), file=self._process.stdin, flush=True)
        answer: dict[str, float] = json.loads(self._process.stdout.readline())
        return answer

    def close(self) -> None:
        """End the process."""
        self._process.communicate()


def processes(pid: int) -> list[int]:
    """A process and what it has started."""
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8")
    return [pid, *(int(each) for each in text.split())]


def memory(pid: int) -> float:
    """MiB of a server, pages that its processes share counted once."""
    rolls = (Path(f"/proc/{each}/smaps_rollup").read_text() for each in processes(pid))
    return sum(int(roll.split("\nPss:")[1].split()[0]) for roll in rolls) / 1024


@contextmanager
def running(command: list[str], core: int | None, client: Client) -> Iterator[Started]:
    """A server until the block ends."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    began = time.perf_counter()
    process = subprocess.Popen(
        pinned([each.format(port=port) for each in command], core),
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while client.send(port)["reviews"] == 0:
            if process.poll() is not None:
                raise RuntimeError(f"{command[0]} ended")
            time.sleep(0.01)
        yield Started(port, process.pid, time.perf_counter() - began)
    finally:
        process.send_signal(signal.SIGQUIT if "python" in command[0] else signal.SIGKILL)
        process.wait()
