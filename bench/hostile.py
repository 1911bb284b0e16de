"""How long honest GPU pods wait while somebody applies 300 hostile Deployments a second.

`python -m bench.hostile` runs the real server over TLS on 5,000 nodes of 40 kinds. For a minute two
processes send Deployments with `replicas: 0` whose pods are as large as advice looks at, of each
kind of part in turn, while one client has GPU pods of another namespace reviewed, 20 a second. A
second minute sends the pods themselves to /mutate. It prints what was sent and how long honest
reviews took.
"""

import json
import multiprocessing
import ssl
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from itertools import cycle
from pathlib import Path
from typing import Any

from bench.connections import HEAD, dial
from examples.demo.api_server import review
from examples.demo.local_server import LocalServer, running
from tests.core import hostile_pods, large_cluster

RATE, SECONDS, HONEST = 300, 60.0, 20
PROCESSES, THREADS = 2, 8
POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "a", "labels": {"gpu-sharing.io/workload": "inference"}},
    "spec": {"containers": [{"name": "main", "resources": {"limits": {"nvidia.com/gpu": "1"}}}]},
}


def request(path: str, subject: dict[str, Any], namespace: str) -> bytes:
    """The bytes of a review."""
    asked = review(subject, namespace)
    asked["request"]["kind"] = {"group": "", "version": "v1", "kind": subject["kind"]}
    body = json.dumps(asked).encode()
    head = HEAD.replace(b"/validate", path.encode())
    return head + b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


def deployment(pod: dict[str, Any]) -> dict[str, Any]:
    """What makes no pod and is reviewed all the same."""
    about = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"}}
    return about | {"spec": {"replicas": 0, "template": pod}}


def hostile(path: str) -> Iterator[bytes]:
    """One request of each kind, as large as is looked at."""
    for _, make in hostile_pods.just_fitting():
        pod = make()
        subject = deployment(pod) if path == "/advise" else {"kind": "Pod", **pod}
        yield request(path, subject, "evil")


def answered(connection: ssl.SSLSocket, sent: bytes) -> float:
    """Send a request, read its answer, and return the milliseconds."""
    began = time.perf_counter()
    connection.sendall(sent)
    got = connection.recv(65536)
    head, _, body = got.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(head[:200])
    length = next(int(x[16:]) for x in head.split(b"\r\n") if x.startswith(b"Content-Length: "))
    while len(body) < length:
        body += connection.recv(65536)
    return (time.perf_counter() - began) * 1000


def paced(place: LocalServer, requests: Sequence[bytes], rate: float) -> list[float]:
    """Send requests in turn at a rate for the time, or as fast as they are answered."""
    times, begin, turn = [], time.perf_counter(), cycle(requests)
    with dial(place) as connection:
        while (now := time.perf_counter()) < begin + SECONDS:
            time.sleep(max(0.0, begin + len(times) / rate - now))
            times.append(answered(connection, next(turn)))
    return times


def attack(place: LocalServer, path: str, sent: "multiprocessing.Queue[int]") -> None:
    """Be one process of the attackers."""
    requests, each = list(hostile(path)), RATE / PROCESSES / THREADS
    counts: list[int] = []

    def run(first: int) -> None:
        turned = requests[first::THREADS] or requests
        counts.append(len(paced(place, turned, each)))

    threads = [threading.Thread(target=run, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sent.put(sum(counts))


def measure(place: LocalServer, path: str) -> str:
    """Attack one path, and say how honest reviews fared."""
    sent: multiprocessing.Queue[int] = multiprocessing.Queue()
    attackers = [
        multiprocessing.Process(target=attack, args=(place, path, sent)) for _ in range(PROCESSES)
    ]
    for each in attackers:
        each.start()
    times = sorted(paced(place, [request("/mutate", POD, "team")], HONEST))
    many = sum(sent.get() for _ in attackers)
    for each in attackers:
        each.join()
    p50, p99 = (times[int(len(times) * part)] for part in (0.5, 0.99))
    return (
        f"{path}: {many / SECONDS:.0f} hostile a second; {len(times)} honest reviews: p50 "
        f"{p50:.1f} ms, p99 {p99:.1f} ms, longest {times[-1]:.1f} ms"
    )


def main() -> None:
    """Measure both paths on one server."""
    with tempfile.TemporaryDirectory() as temporary:
        inventory = Path(temporary) / "nodes.json"
        nodes = list(large_cluster.nodes(5000, 40))
        inventory.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": nodes}))
        with running(Path(temporary), ["--inventory", str(inventory)]) as place:
            for path in ("/advise", "/mutate"):
                sys.stdout.write(measure(place, path) + "\n")
                sys.stdout.flush()


if __name__ == "__main__":
    main()
