"""An API server of 5,000 GPU nodes of 40 kinds and 10,000 namespaces, for `bench.scale`."""

import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from typing import Any

from tests.core import large_cluster
from tests.fake_apiserver.exchange import Exchange
from tests.fake_apiserver.faults import silent
from tests.fake_apiserver.paths import parse_path
from tests.fake_apiserver.server import FakeApiServer

NODES, KINDS, NAMESPACES = 5000, 40, 10_000
UPDATES, BATCH = 1000, 50  # a second, and so many at once
MODE = {"gpu-sharing.io/mode": "enforce"}


class SilentOfNamespaces(FakeApiServer):
    """Answers everything but the GET of one namespace, and lists without selecting: all match."""

    def _page(self, path, params):
        return super()._page(path, {k: v for k, v in params.items() if k != "labelSelector"})

    def take_fault(self, request):
        """Say nothing of a namespace."""
        namespace = request.path.startswith("/api/v1/namespaces/") and request.verb == "get"
        return silent if namespace else super().take_fault(request)


def fill(api: FakeApiServer) -> None:
    """Put nodes of the size of real ones, about 9 kB, and namespaces."""
    images = [
        {"names": [f"registry.example.com/{'x' * 80}/{n}"], "sizeBytes": n} for n in range(60)
    ]
    for node in large_cluster.nodes(NODES, KINDS):
        node.setdefault("status", {})["images"] = images
        api.store.put("/api/v1/nodes", node)
    names = ("known", *(f"team-{number}" for number in range(NAMESPACES - 1)))
    for name in names:
        api.store.put("/api/v1/namespaces", {"metadata": {"name": name, "labels": MODE}})
    api.store.listed = cache(api.store.listed)  # each page would look at all objects again


@cache
def prepared(api: FakeApiServer) -> list[list[bytes]]:
    """For each node the lines that tell of it in turn: a heartbeat, or each tenth time an amount.

    They are made beforehand, since to write them takes more than to read them.
    """
    return [
        [_line(node, amount) for amount in (range(7) if number % 10 == 0 else (None,))]
        for number, node in enumerate(api.store.listed(parse_path("/api/v1/nodes")))
    ]


def _line(node: dict[str, Any], amount: int | None) -> bytes:
    status = node["status"]
    offered = status["allocatable"]
    if amount is not None:
        offered = offered | {k: str(amount) for k in offered if k.startswith("nvidia.com/")}
    ready = {"type": "Ready", "status": "True", "lastHeartbeatTime": amount}
    changed = node | {"status": status | {"allocatable": offered, "conditions": [ready]}}
    return json.dumps({"type": "MODIFIED", "object": changed}).encode() + b"\n"


def updates(api: FakeApiServer) -> Iterator[bytes]:
    """The lines of a watch on nodes, without end."""
    for number in itertools.count():
        lines = prepared(api)[number % NODES]
        yield lines[number // NODES % len(lines)]


async def flood(exchange: Exchange) -> None:
    """Send so many updates a second until the client is away."""
    await exchange.open_stream()
    lines, began = updates(exchange.api), time.monotonic()
    with suppress(ConnectionError):
        for sent in itertools.count(BATCH, BATCH):
            await exchange.send(b"".join(itertools.islice(lines, BATCH)))
            await exchange.pause(max(0.0, began + sent / UPDATES - time.monotonic()))


def list_again(api: FakeApiServer) -> Callable[[], float]:
    """Break all connections and refuse old versions; return what waits for the end of the lists.

    That returns the seconds until a watch on nodes and one on namespaces have followed.
    """
    paths = ("/api/v1/nodes", "/api/v1/namespaces")
    api.store.forget_history()
    api.stop()
    began = time.monotonic()
    api.start()
    done = []

    def followed() -> bool:
        watches = [api.seen("watch", path) for path in paths]
        newest = (max(int(w.params["resourceVersion"]) for w in each) for each in watches)
        return all(version >= api.store.oldest for version in newest)

    def wait() -> None:
        api.wait_for(followed, 300)
        done.append(time.monotonic() - began)

    waiting = threading.Thread(target=wait, daemon=True)
    waiting.start()

    def join() -> float:
        waiting.join()
        return done[0]

    return join
