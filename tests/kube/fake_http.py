"""The HTTP of the stand-in for an API server: requests to methods of `FakeApi`; no objects."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

import fake_events

if TYPE_CHECKING:
    from fake_api import FakeApi

COLLECTIONS = ("nodes", "namespaces", "pods", "events")  # the ends of paths that are lists

Fault = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    """One connection; answers with the next planned fault of its path, or truthfully."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or each answer waits 40 ms for an acknowledgement
    server: Server

    def setup(self) -> None:
        """Remember the socket, so that the server can end it."""
        super().setup()
        self.server.connections.add(self.connection)

    def finish(self) -> None:
        """Forget the socket."""
        with suppress(OSError):
            super().finish()
        self.server.connections.discard(self.connection)

    def handle(self) -> None:
        """Serve requests until either side ends the connection."""
        with suppress(OSError):  # the client went away, which many tests want it to
            super().handle()

    def log_message(self, *args: object) -> None:
        """Keep quiet."""

    def do_GET(self) -> None:
        """Answer, and write down what was asked."""
        url = urlsplit(self.path)
        self.params = dict(parse_qsl(url.query))
        self.api = self.server.api
        self.api.requests.append((url.path, self.params))
        watch = "watch" if "watch" in self.params else "get"
        faults = self.api.faults[url.path, watch]
        if faults:
            faults.popleft()(self)
        elif watch == "watch":
            self.api.watch(self, url.path)
        elif url.path.rpartition("/")[2] in COLLECTIONS:
            self.send(200, self.api.page(url.path, self.params))
        else:
            self.api.one(self, url.path)

    def do_POST(self) -> None:
        """Create an event."""
        self._write("post")

    def do_PATCH(self) -> None:
        """Merge into an event."""
        self._write("patch")

    def _write(self, kind: str) -> None:
        self.api = self.server.api
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.api.sent.append((kind, self.path, body))
        faults = self.api.faults[self.path, kind]
        if faults:
            faults.popleft()(self)
        else:
            self.send(*fake_events.write(self.api, kind, self.path, body))

    def send(self, status: int, body: object, **headers: str) -> None:
        """Send a whole JSON answer."""
        data = json.dumps(body).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def open_stream(self) -> None:
        """Send the headers of a watch."""
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def send_chunk(self, data: bytes) -> None:
        """Send some bytes of a watch."""
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

    def send_event(self, kind: str, item: object) -> None:
        """Send a line of a watch."""
        self.send_chunk(json.dumps({"type": kind, "object": item}).encode() + b"\n")


class Server(ThreadingHTTPServer):
    """The listening socket; its threads are joined when it closes."""

    daemon_threads = False

    def __init__(self, api: FakeApi, port: int) -> None:
        self.api = api
        self.connections: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), Handler)
