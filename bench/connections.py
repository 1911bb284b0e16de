"""Whether the next review is answered, and in what memory, beside clients that never finish.

`python bench/connections.py` runs the real server over TLS. Of each kind it opens 10,000
connections, or as many as the limit of open files lets, and keeps them: silent ones, ones that
leave the handshake after its first message, ones that leave a request half-sent. Then it asks for
reviews on new connections and prints how long they took, and the most memory of the worker.
"""

import json
import os
import resource
import socket
import ssl
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from examples.demo.api_server import review
from examples.demo.local_server import HOST, LocalServer, running

MANY, SPARE, REVIEWS = 10_000, 200, 20
HEAD = b"POST /validate HTTP/1.1\r\nHost: webhook\r\nContent-Type: application/json\r\n"
POD = {"metadata": {"name": "a"}, "spec": {"containers": [{"name": "main"}]}}


def silent(place: LocalServer) -> socket.socket:
    """Connect and say nothing."""
    return socket.create_connection((HOST, place.port), timeout=60)


def half_open(place: LocalServer) -> socket.socket:
    """Send the first message of a handshake and never the next."""
    to_server, context = ssl.MemoryBIO(), ssl.create_default_context(cafile=str(place.ca))
    hello = context.wrap_bio(ssl.MemoryBIO(), to_server, server_hostname=HOST)
    try:
        hello.do_handshake()
    except ssl.SSLWantReadError:
        connection = silent(place)
        connection.sendall(to_server.read())
        return connection
    raise RuntimeError("a handshake of one message")


def half_sent(place: LocalServer) -> socket.socket:
    """Send half of a request of 32 KiB."""
    connection = dial(place)
    connection.sendall(HEAD + b"Content-Length: 32768\r\n\r\n" + b" " * 16384)
    return connection


def dial(place: LocalServer) -> ssl.SSLSocket:
    """Open a whole connection."""
    context = ssl.create_default_context(cafile=str(place.ca))
    return context.wrap_socket(silent(place), server_hostname=HOST)


def milliseconds(place: LocalServer) -> float:
    """How long a review takes on a new connection."""
    body, began = json.dumps(review(POD, "known")).encode(), time.perf_counter()
    with dial(place) as connection:
        connection.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        if not connection.recv(65536).startswith(b"HTTP/1.1 200"):
            raise RuntimeError("an unexpected answer")
    return (time.perf_counter() - began) * 1000


def worker_of(place: LocalServer) -> int:
    """The process that serves: the child of the one that listens on the port."""
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            parent = (each.parent / "stat").read_text().rpartition(")")[2].split()[1]
            ours = str(place.port).encode() in each.read_bytes()
        except OSError:
            continue
        if ours and int(parent) != os.getpid():
            return int(each.parent.name)
    raise RuntimeError("no worker")


def most_memory(pid: int) -> float:
    """MiB that a process had at most."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(each for each in lines if each.startswith("VmHWM")).split()[1]) / 1024


def attack(place: LocalServer, opened: Callable[[LocalServer], socket.socket], many: int) -> str:
    """Open many of a kind, and say how honest reviews fared."""
    began, times = time.perf_counter(), []
    kept = []
    for number in range(many):
        try:
            kept.append(opened(place))
        except OSError:  # evicted at once
            continue
        if number % (many // REVIEWS) == 0:
            times.append(milliseconds(place))
    took = time.perf_counter() - began
    times += [milliseconds(place) for _ in range(REVIEWS)]
    for each in kept:
        each.close()
    times.sort()
    return (
        f"{many} in {took:.0f} s; {len(times)} reviews beside them: median "
        f"{times[len(times) // 2]:.1f} ms, longest {times[-1]:.1f} ms"
    )


def main() -> None:
    """Measure each kind on a server of its own."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    many = min(MANY, most - SPARE)
    inventory = Path(__file__).parents[1] / "examples/inventory.yaml"
    for opened in (silent, half_open, half_sent):
        with (
            tempfile.TemporaryDirectory() as temporary,
            running(Path(temporary), ["--inventory", str(inventory)]) as place,
        ):
            pid = worker_of(place)
            before, said = most_memory(pid), attack(place, opened, many)
            memory = f"{before:.0f} to {most_memory(pid):.0f} MiB"
        sys.stdout.write(f"{opened.__name__}: {said}; memory {memory}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
