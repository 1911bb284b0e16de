"""The webhook on a large cluster: 5,000 GPU nodes of 40 kinds and 10,000 namespaces.

`python -m bench.scale` runs the real server against the fake API server of the tests over TLS. One
client sends reviews of a known namespace, one after the other, and prints the percentiles of their
times: alone, while 50 reviews of unknown namespaces at once wait (50 new ones as soon as all are
answered), while everything is listed again, and while 1,000 nodes a second are updated. Beside it
stand the memory of both processes of the server and the seconds until everything was listed anew.
"""

import itertools
import json
import os
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.connections import worker_of
from bench.large_api import (
    UPDATES,
    SilentOfNamespaces,
    fill,
    flood,
    list_again,
    prepared,
)
from bench.servers import memory
from examples.demo.api_server import review
from examples.demo.local_server import HOST, LocalServer, running

AT_ONCE, SECONDS = 50, 10.0
HEAD = b"POST /mutate HTTP/1.1\r\nHost: webhook\r\nContent-Type: application/json\r\n"
POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "a", "labels": {"gpu-sharing.io/workload": "inference"}},
    "spec": {"containers": [{"name": "main", "resources": {"limits": {"nvidia.com/gpu": "1"}}}]},
}


def request(namespace: str) -> bytes:
    """The bytes of one review."""
    body = json.dumps(review(POD, namespace)).encode()
    return HEAD + f"Content-Length: {len(body)}\r\n\r\n".encode() + body


def dial(place: LocalServer) -> ssl.SSLSocket:
    """Open one connection."""
    context = ssl.create_default_context(cafile=str(place.ca))
    plain = socket.create_connection((HOST, place.port), timeout=60)
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return context.wrap_socket(plain, server_hostname=HOST)


def expect(connection: ssl.SSLSocket, status: bytes) -> None:
    """Read an answer, which comes in one piece here, and check its status."""
    if not connection.recv(65536).startswith(b"HTTP/1.1 " + status):
        raise RuntimeError("an unexpected answer")


def known_times(place: LocalServer, seconds: float) -> list[float]:
    """The milliseconds of reviews of the known namespace, sent for so long in another process."""
    command = [sys.executable, __file__, str(place.port), str(place.folder), str(seconds)]
    done = subprocess.run(command, check=True, capture_output=True)
    return json.loads(done.stdout)


def measure_known(port: str, folder: str, seconds: str) -> None:
    """Be that other process."""
    place = LocalServer(int(port), 0, Path(folder))
    connection, sent, times = dial(place), request("known"), []
    end = time.monotonic() + float(seconds)
    while time.monotonic() < end:
        began = time.perf_counter()
        connection.sendall(sent)
        expect(connection, b"200")
        times.append((time.perf_counter() - began) * 1000)
    sys.stdout.write(json.dumps(times))


@contextmanager
def unknown_waiting(place: LocalServer) -> Iterator[list[float]]:
    """Keep 50 reviews of unknown namespaces waiting; give the seconds of each answer."""
    stop, took = threading.Event(), []

    def send_waves() -> None:
        for wave in itertools.count():
            connections = [dial(place) for _ in range(AT_ONCE)]  # 503 ends the ones before
            requests = [request(f"unknown-{wave}-{number}") for number in range(AT_ONCE)]
            began = time.perf_counter()
            for connection, sent in zip(connections, requests, strict=True):
                connection.sendall(sent)
            for connection in connections:
                expect(connection, b"503")
                took.append(time.perf_counter() - began)
                connection.close()
            if stop.is_set():
                return

    sending = threading.Thread(target=send_waves)
    sending.start()
    try:
        yield took
    finally:
        stop.set()
        sending.join()


def parent_of(pid: int) -> int:
    """The process that started one."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def show(what: str, times: list[float]) -> float:
    """Print percentiles; return the 99th."""
    ordered = sorted(times)
    p50, p99 = (ordered[int(len(ordered) * part)] for part in (0.5, 0.99))
    sys.stdout.write(
        f"{what}: {len(ordered)} reviews, p50 {p50:.2f} ms, p99 {p99:.2f} ms, "
        f"longest {ordered[-1]:.1f} ms\n"
    )
    return p99


def main() -> None:
    """Measure by turns and print."""
    with tempfile.TemporaryDirectory() as temporary, SilentOfNamespaces(tls=True) as api:
        fill(api)
        cluster = Path(temporary) / "cluster"
        cluster.mkdir()
        os.environ |= {"KUBECONFIG": str(api.write_kubeconfig(cluster))}
        os.environ |= {"NO_PROXY": "127.0.0.1"}
        with running(Path(temporary), [], patience=300) as place:
            known_times(place, 2)  # warm
            before = known_times(place, SECONDS)
            with unknown_waiting(place) as took:
                waiting = known_times(place, SECONDS)
            after = known_times(place, SECONDS)
            listed = list_again(api)
            listing = known_times(place, SECONDS)
            sys.stdout.write(f"everything listed again in {listed():.1f} s\n")
            prepared(api)
            api.plan("watch", "/api/v1/nodes", *[flood] * 3)
            list_again(api)
            known_times(place, 2 * SECONDS)  # the end of the lists is not of what follows
            flooded = known_times(place, SECONDS)
            parent = parent_of(worker_of(place))
            sys.stdout.write(f"memory of the server: {memory(parent):.0f} MiB\n")
    alone = show("alone", [*before, *after])
    for what, times in (
        (f"while {AT_ONCE} of unknown namespaces wait", waiting),
        ("while everything is listed again", listing),
        (f"while {UPDATES} nodes a second change", flooded),
    ):
        sys.stdout.write(f"  p99 / p99 alone: {show(what, times) / alone:.2f}\n")
    took.sort()
    sys.stdout.write(f"unknown: {len(took)}, median {took[len(took) // 2]:.2f} s, ")
    sys.stdout.write(f"longest {took[-1]:.2f} s\n")


if __name__ == "__main__":
    measure_known(*sys.argv[1:]) if sys.argv[1:] else main()
