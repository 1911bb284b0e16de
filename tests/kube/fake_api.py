"""A stand-in for an API server: real HTTP on a loopback port, lists, watches and planned faults.

It keeps objects by the path of their collection, with versions as etcd does, so a watch resumes as
it should. Events can be written too (`fake_events`). It knows nothing of authorization, admission
or other schemas; the real cluster comes with `make e2e`.
"""

from __future__ import annotations

import socket
import threading
from collections import defaultdict, deque
from contextlib import suppress
from typing import TYPE_CHECKING

from fake_http import Server

if TYPE_CHECKING:
    from fake_http import Fault, Handler

NODES = "/api/v1/nodes"
NAMESPACES = "/api/v1/namespaces"


class FakeApi:
    """Objects with versions; `plan` puts faults before the truth, one a request."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.sent: list[tuple[str, str, dict]] = []
        self.faults: dict[tuple[str, str], deque[Fault]] = defaultdict(deque)
        self.page_size = 500
        self.objects: dict[str, dict[str, dict]] = defaultdict(dict)
        self._events: list[tuple[int, str, str, dict]] = []
        self._version = 100
        self.lock = threading.RLock()
        self._news = threading.Condition(self.lock)
        self._closing = threading.Event()
        self._port = 0

    def start(self) -> None:
        """Listen, at the port of last time if there was one."""
        self._closing.clear()
        self._server = Server(self, self._port)
        self._port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def stop(self) -> None:
        """Break all connections and end all threads."""
        self._closing.set()
        with self._news:
            self._news.notify_all()
        self._server.shutdown()
        self._thread.join()
        for connection in list(self._server.connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._server.server_close()

    @property
    def url(self) -> str:
        """Return where it listens."""
        return f"http://127.0.0.1:{self._port}"

    def plan(self, path: str, kind: str, *faults: Fault) -> None:
        """Let the next requests of a kind (get, watch, post, patch) run into these, in order."""
        self.faults[path, kind].extend(faults)

    def asked(self, path: str, kind: str) -> list[dict[str, str]]:
        """Return the parameters of the requests of a kind so far."""
        asked = [params for where, params in self.requests if where == path]
        return [params for params in asked if ("watch" in params) == (kind == "watch")]

    def put(self, path: str, item: dict) -> None:
        """Create or replace an object."""
        name = item["metadata"]["name"]
        kind = "MODIFIED" if name in self.objects[path] else "ADDED"
        self._publish(path, kind, item)
        self.objects[path][name] = item

    def remove(self, path: str, name: str) -> None:
        """Delete an object."""
        self._publish(path, "DELETED", self.objects[path].pop(name))

    def bookmark(self, path: str) -> int:
        """Send a bookmark to all watches; return its version."""
        self._publish(path, "BOOKMARK", {"metadata": {}})
        return self._version

    def _publish(self, path: str, kind: str, item: dict) -> None:
        with self._news:
            self._version += 1
            item["metadata"]["resourceVersion"] = str(self._version)
            self._events.append((self._version, path, kind, item))
            self._news.notify_all()

    def page(self, path: str, params: dict[str, str]) -> dict:
        """Return a page of a list."""
        start = int(params.get("continue", "0"))
        items = list(self.objects[path].values())
        metadata = {"resourceVersion": str(self._version)}
        if start + self.page_size < len(items):
            metadata["continue"] = str(start + self.page_size)
        return {"metadata": metadata, "items": items[start : start + self.page_size] or None}

    def one(self, handler: Handler, path: str) -> None:
        """Answer with one object."""
        where, _, name = path.rpartition("/")
        item = self.objects.get(where, {}).get(name)
        if item is None:
            handler.send(404, {"message": f"{name} not found"})
        else:
            handler.send(200, item)

    def watch(self, handler: Handler, path: str) -> None:
        """Send events from the asked version on, until the end of the server."""
        seen = int(handler.params["resourceVersion"])
        handler.open_stream()
        while not self._closing.is_set():
            with self._news:
                news = [event for event in self._events if event[0] > seen]
                if not news:
                    self._news.wait(0.5)
            for version, where, kind, item in news:
                seen = version
                if where == path:
                    handler.send_event(kind, item)

    def hang(self, seconds: float) -> None:
        """Wait, but not beyond the end of the server."""
        self._closing.wait(seconds)
