"""The fake API server: a FakeApi that listens on a loopback port, in a thread of its own.

with FakeApiServer() as api:
    api.store.put("/api/v1/nodes", node)
    api.plan("get", "/api/v1/nodes/a", status(503, "later", Retry_After="7"), cut)
    path = api.write_kubeconfig(tmp_path)
    …
    api.wait_for(lambda: api.seen("watch", "/api/v1/nodes"))
"""

from __future__ import annotations

import asyncio
import ssl
import threading
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from aiohttp import web
from multidict import CIMultiDict

from tests.fake_apiserver import watches
from tests.fake_apiserver.answers import Answer, StatusError
from tests.fake_apiserver.api import FakeApi, Request, body_of
from tests.fake_apiserver.exchange import Exchange
from tests.fake_apiserver.kubeconfig import issue_pair, write_kubeconfig

if TYPE_CHECKING:
    from typing import Self

HOST = "127.0.0.1"
BODY_SIZE = 16 * 2**20  # bytes


class FakeApiServer(FakeApi):
    """A FakeApi over HTTP, or HTTPS with `tls`; it can be stopped and started at the same port."""

    def __init__(self, *, tls: bool = False) -> None:
        super().__init__()
        self.ca: bytes | None = None
        self._port = 0
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) if tls else None
        if self._tls is not None:
            self.ca = _load_pair(self._tls)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._streams: set[asyncio.Event] = set()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"{'http' if self._tls is None else 'https'}://{HOST}:{self._port}"

    def write_kubeconfig(self, folder: Path, namespace: str = "default") -> Path:
        """Write a kubeconfig for this server; return its path."""
        return write_kubeconfig(folder, self.url, namespace, self.ca)

    def append_text(self, path: str, more: str) -> None:
        """Add lines to a log that may be followed."""
        with self.lock:
            self.texts[path] = f"{self.texts.get(path, '')}{more}"
        self.notify()

    def start(self) -> None:
        """Listen, at the port of last time if there was one."""
        ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(ready)))
        self._thread.start()
        ready.wait()

    def stop(self) -> None:
        """Break all connections and end the thread."""
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._closing.set)
        self._thread.join()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def notify(self) -> None:
        """Have conditions looked at again, and streams send what is new."""
        super().notify()
        loop = self._loop
        if loop is not None:
            loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        for each in self._streams:
            each.set()

    async def _serve(self, ready: threading.Event) -> None:
        loop = asyncio.get_running_loop()
        self._closing = asyncio.Event()
        http = web.Server(self._handle, access_log=None)
        listening = await loop.create_server(http, HOST, self._port, ssl=self._tls)
        self._port = listening.sockets[0].getsockname()[1]
        self._loop = loop
        ready.set()
        await self._closing.wait()
        self._loop = None
        for each in listening.sockets:  # asyncio drops what it accepted just before close()
            loop.remove_reader(each.fileno())
        await _take_turns()
        listening.close()
        for connection in list(http.connections):
            if connection.transport is not None:
                connection.transport.abort()
        await http.shutdown(0.05)
        await _take_turns()

    async def _handle(self, http: web.BaseRequest) -> web.StreamResponse:
        path, _, query = http.raw_path.partition("?")
        http._client_max_size = BODY_SIZE
        body = body_of(await http.read())
        request = Request(http.method, path, dict(parse_qsl(query)), body, dict(http.headers))
        exchange = Exchange(self, request, http, self._closing)
        fault = self.take_fault(request)
        if fault is None:
            answer = await self._serve_truth(exchange)
        else:
            answer = fault if isinstance(fault, Answer) else await fault(exchange)
        return exchange.stream if answer is None else _response(answer)

    async def _serve_truth(self, exchange: Exchange) -> Answer | None:
        """Answer truthfully; None if that was a stream."""
        request = exchange.request
        serve = watches.serve_watch if request.verb == "watch" else watches.follow_text
        if request.verb != "watch" and request.params.get("follow") != "true":
            return await exchange.truth()
        try:
            self.authorize(request)
        except StatusError as error:
            return error.answer
        news = asyncio.Event()
        self._streams.add(news)
        try:
            await serve(exchange, news)
        finally:
            self._streams.discard(news)
        return None


async def _take_turns() -> None:
    """Let what was accepted just now become a connection, and what was aborted close its socket."""
    for _ in range(5):
        await asyncio.sleep(0)


def _response(answer: Answer) -> web.Response:
    headers = CIMultiDict({"Content-Type": "application/json", **answer.headers})
    for text in answer.warnings:
        quoted = text.replace("\\", "\\\\").replace('"', '\\"')
        headers.add("Warning", f'299 - "{quoted}"')
    return web.Response(status=answer.status, body=answer.body, headers=headers)


def _load_pair(context: ssl.SSLContext) -> bytes:
    """Have a context serve a new certificate; return the CA."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        pair = issue_pair(HOST)
        (folder / "tls.crt").write_bytes(pair.cert)
        (folder / "tls.key").write_bytes(pair.key)
        context.load_cert_chain(folder / "tls.crt", folder / "tls.key")
    return pair.cert
