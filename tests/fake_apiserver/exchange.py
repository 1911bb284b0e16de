"""One request on its connection: what faults do to it, and what a watch or a log sends."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from tests.fake_apiserver.answers import Answer
    from tests.fake_apiserver.api import FakeApi, Request


class Exchange:
    """A request, and the ways to answer it. `closing` is set when the server stops."""

    def __init__(
        self, api: FakeApi, request: Request, http: web.BaseRequest, closing: asyncio.Event
    ) -> None:
        self.api, self.request, self._http, self._closing = api, request, http, closing
        self.stream = web.StreamResponse()

    async def truth(self) -> Answer:
        """Return the answer without a fault, made in a thread: a webhook may ask us meanwhile."""
        if self.request.verb == "create":
            return await asyncio.to_thread(self.api.answer, self.request)
        return self.api.answer(self.request)

    async def open_stream(self) -> None:
        """Send the headers of a stream."""
        self.stream.enable_chunked_encoding()
        await self.stream.prepare(self._http)

    async def send(self, data: bytes) -> None:
        """Send some bytes of a stream."""
        await self.stream.write(data)

    async def send_event(self, kind: str, item: object) -> None:
        """Send a line of a watch."""
        await self.send(json.dumps({"type": kind, "object": item}).encode() + b"\n")

    def send_raw(self, data: bytes) -> None:
        """Send bytes as they are, past the framing of chunks, and end the connection."""
        if self._http.transport is not None:
            self._http.transport.write(data)
            self._http.transport.close()

    def cut(self) -> None:
        """End the connection at once."""
        if self._http.transport is not None:
            self._http.transport.abort()

    @property
    def open(self) -> bool:
        """Whether the server runs and the client is there."""
        return not (self._closing.is_set() or self._http.transport is None)

    async def pause(self, seconds: float | None = None) -> None:
        """Wait, but not beyond the end of the server."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._closing.wait(), seconds)

    async def news(self, event: asyncio.Event, seconds: float | None = None) -> None:
        """Wait for an event, for the end of the server or so many seconds."""
        waits = [asyncio.ensure_future(each.wait()) for each in (event, self._closing)]
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for each in waits:
            each.cancel()
