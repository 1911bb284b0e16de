"""How long a known review takes while others wait: unknown namespaces, and a list of 5,000 nodes.

`python bench/unknown_namespaces.py` runs the real server against an API server over TLS that says
nothing of single namespaces and lists 5,000 nodes. One client sends reviews of a known namespace,
one after the other, and prints the percentiles of their times: alone, while 50 reviews of unknown
namespaces at once wait (50 new ones as soon as all are answered), and while all nodes are listed
again.
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

import yaml

from examples.demo.api_server import review
from examples.demo.local_server import HOST, LocalServer, running
from tests.fake_apiserver.faults import silent
from tests.fake_apiserver.server import FakeApiServer

ROOT = Path(__file__).parents[1]
NODES, AT_ONCE, SECONDS = 5000, 50, 10.0
MODE = {"gpu-sharing.io/mode": "enforce"}
HEAD = b"POST /mutate HTTP/1.1\r\nHost: webhook\r\nContent-Type: application/json\r\n"
POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "a", "labels": {"gpu-sharing.io/workload": "inference"}},
    "spec": {"containers": [{"name": "main", "resources": {"limits": {"nvidia.com/gpu": "1"}}}]},
}


class SilentOfNamespaces(FakeApiServer):
    """Answers everything but the GET of one namespace."""

    def take_fault(self, request):
        """Say nothing of a namespace."""
        namespace = request.path.startswith("/api/v1/namespaces/") and request.verb == "get"
        return silent if namespace else super().take_fault(request)


def fill(api: FakeApiServer) -> None:
    """Put nodes of the size of real ones, about 9 kB, and one namespace."""
    text = (ROOT / "examples/inventory.yaml").read_text(encoding="utf-8")
    models = [each for each in yaml.safe_load(text)["items"] if each["kind"] == "Node"]
    images = [
        {"names": [f"registry.example.com/{'x' * 80}/{n}"], "sizeBytes": n} for n in range(60)
    ]
    for number in range(NODES):
        node = json.loads(json.dumps(models[number % len(models)]))
        node["metadata"]["name"] = f"node-{number}"
        node.setdefault("status", {})["images"] = images
        api.store.put("/api/v1/nodes", node)
    api.store.put("/api/v1/namespaces", {"metadata": {"name": "known", "labels": MODE}})


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
    connections = [dial(place) for _ in range(AT_ONCE)]

    def send_waves() -> None:
        for wave in itertools.count():
            requests = [request(f"unknown-{wave}-{number}") for number in range(AT_ONCE)]
            began = time.perf_counter()
            for connection, sent in zip(connections, requests, strict=True):
                connection.sendall(sent)
            for connection in connections:
                expect(connection, b"503")
                took.append(time.perf_counter() - began)
            if stop.is_set():
                return

    sending = threading.Thread(target=send_waves)
    sending.start()
    try:
        yield took
    finally:
        stop.set()
        sending.join()
        for connection in connections:
            connection.close()


@contextmanager
def listing_again(api: FakeApiServer) -> Iterator[None]:
    """Let the watches end and be refused, so that all nodes are listed again meanwhile."""
    lists = len(api.seen("list", "/api/v1/nodes"))
    api.store.forget_history()
    api.stop()
    api.start()
    yield
    made = len(api.seen("list", "/api/v1/nodes")) - lists
    sys.stdout.write(f"pages of nodes meanwhile: {made}\n")


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
        os.environ |= {"KUBECONFIG": str(api.write_kubeconfig(Path(temporary)))}
        os.environ |= {"NO_PROXY": "127.0.0.1"}
        with running(Path(temporary), []) as place:
            known_times(place, 2)  # warm
            before = known_times(place, SECONDS)
            with unknown_waiting(place) as took:
                meanwhile = known_times(place, SECONDS)
            after = known_times(place, SECONDS)
            with listing_again(api):
                listing = known_times(place, SECONDS)
    alone = show("alone", [*before, *after])
    waiting = show("while 50 of unknown namespaces wait", meanwhile)
    relist = show("while 5,000 nodes are listed again", listing)
    sys.stdout.write(f"p99 / p99 alone: {waiting / alone:.2f}, {relist / alone:.2f}\n")
    took.sort()
    sys.stdout.write(f"unknown: {len(took)}, median {took[len(took) // 2]:.2f} s, ")
    sys.stdout.write(f"longest {took[-1]:.2f} s\n")


if __name__ == "__main__":
    measure_known(*sys.argv[1:]) if sys.argv[1:] else main()
