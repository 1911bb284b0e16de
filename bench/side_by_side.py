"""Our webhook beside what else would answer the same reviews, in one run (`make bench`).

| server | what it does |
|---|---|
| ours | real decisions with log line and metrics, pods of one controller |
| ours, pods differ | the same where no two pods ask the same |
| ours, --python | both by another interpreter, such as one that is built as the image's is |
| controller-runtime | renames the resource, as its documentation shows (bench/go) |
| Go, full types | the same by net/http and k8s.io/api (bench/go) |
| no-op, our server | answers without a look: the floor |
| no-op, uvicorn | the same by httptools and uvloop in uvicorn |

Every server starts anew in each round, in turn; `--rounds` of them. Pinned, the server has one core
and the client another. CPU is user and system time of the server's processes for a review.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.reviews import SIZES, body
from bench.servers import (
    DIFFER,
    FULL_TYPES,
    HOST,
    OTHER_DIFFER,
    Client,
    Started,
    commands,
    memory,
    processes,
    running,
)
from certs.pair import AUTHORITY, write_pair

CONNECTIONS = (1, 16, 64)
SECONDS, WARM = 0.4, 0.15
SETTLE = 2.0
"""Seconds from the last answer until the memory is read: bodies under way are the client's."""
HEADS = (
    *("server", "pod", "cores", "CPU ms, 16", "to Go, full types", "reviews/s, 16", "p50 µs, 1"),
    *("p99 ms, 16", "p99 ms, 64", "MiB", "start s"),
)
"""The numbers are connections."""
Cell = tuple[str, str, int, bool]
"""Server, size, connections, pinned."""


@dataclass(frozen=True, slots=True)
class Figures:
    """CPU milliseconds and reviews a second, then seconds of a review."""

    cpu: float
    rate: float
    p50: float
    p99: float


def measure(server: Started, client: Client, size: str, **about: Any) -> Figures:
    """Send one size over some connections."""
    lengths = {"seconds": SECONDS, "warm": WARM, "pids": processes(server.pid)}
    found = client.send(server.port, body=body(size), **lengths, **about)
    cpu, rate = found["cpu"] / found["reviews"], found["reviews"] / found["seconds"]
    return Figures(cpu * 1000, rate, found["p50"], found["p99"])


class Results:
    """What each round gave."""

    def __init__(self) -> None:
        self.cells: dict[Cell, list[Figures]] = {}
        self.memory: dict[str, list[float]] = {}
        self.ready: dict[str, list[float]] = {}

    def add_round(self, name: str, command: list[str], folder: Path, *, pinned: bool) -> None:
        """Start a server, measure everything, stop it."""
        client = Client(folder / AUTHORITY, 1 if pinned else None)
        with running(command, 0 if pinned else None, client) as server:
            for size in SIZES:
                for connections in CONNECTIONS:
                    about = {"connections": connections, "differ": name in {DIFFER, OTHER_DIFFER}}
                    found = measure(server, client, size, **about)
                    cell = name, size, connections, pinned
                    self.cells.setdefault(cell, []).append(found)
            time.sleep(SETTLE)
            self.memory.setdefault(name, []).append(memory(server.pid))
            self.ready.setdefault(name, []).append(server.ready)
        client.close()

    def row(self, name: str, size: str, *, pinned: bool) -> list[str]:
        """What one server did with one size."""
        one, some, many = (self.cells[name, size, each, pinned] for each in CONNECTIONS)
        base = self.cells.get((FULL_TYPES, size, 16, pinned))
        ratio = [a.cpu / b.cpu for a, b in zip(some, base, strict=True)] if base else []
        return [
            *(name, size, "pinned" if pinned else "free"),
            spread([each.cpu for each in some], 3),
            spread(ratio, 2) if ratio else "",
            spread([each.rate for each in some], 0),
            spread([each.p50 * 1e6 for each in one], 0),
            *(spread([each.p99 * 1e3 for each in them], 1) for them in (some, many)),
            spread(self.memory[name], 0),
            spread(self.ready[name], 2),
        ]


def spread(values: list[float], digits: int) -> str:
    """The median, and the least to the most."""
    middle, least, most = statistics.median(values), min(values), max(values)
    return f"{middle:.{digits}f} ({least:.{digits}f} to {most:.{digits}f})"


def main() -> None:
    """Measure every server in each round and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--python", help="an interpreter that runs ours too")
    chosen = parser.parse_args()
    cores = [True, False] if len(os.sched_getaffinity(0)) > 1 else [False]
    results = Results()
    with tempfile.TemporaryDirectory() as parent:
        folder = Path(parent)
        write_pair(folder, [HOST], "wb")
        servers = commands(folder, chosen.python)
        for _ in range(chosen.rounds):
            for pinned in cores:
                for name, command in servers.items():
                    results.add_round(name, command, folder, pinned=pinned)
    rows = [list(HEADS), ["---"] * len(HEADS)]
    rows += [results.row(n, s, pinned=p) for p in cores for s in SIZES for n in servers]
    sys.stdout.writelines(f"| {' | '.join(row)} |\n" for row in rows)


if __name__ == "__main__":
    main()
