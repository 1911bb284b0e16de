"""One connection: order of answers, time-outs, backpressure."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import cast

from webhook.server.http.connections import Connections
from webhook.server.http.head import Refusal
from webhook.server.http.messages import (
    HttpRequest,
    HttpResponse,
    plain_response,
    render_response,
)
from webhook.server.http.reader import ReadPhase, RequestReader
from webhook.server.tls import names_of

SMALL = 64 * 1024  # bytes of a body that are read even when the bodies of all are too much

FAILED = plain_response(
    "500 Internal Server Error", "the application failed; the server's log says why"
)


class HttpConnection(asyncio.BufferedProtocol):
    """One client, whose requests are answered in order, one at a time.

    An answer that is ready at once is written at once, without a task. It is a buffered protocol,
    as uvloop allocates 256 KiB for each read of the other kind.
    """

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._loop = asyncio.get_running_loop()
        self._blocked = False  # the client does not read: more than the high-water mark waits
        self._paused = False
        self._waiting: asyncio.Future[HttpResponse] | None = None  # for an answer
        self._held = 0  # our part of connections.buffered
        self.since = self.deadline = 0.0

    # What the loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to wait for the first request.

        Spare connections of a pool may never send it.
        """
        self._transport = cast("asyncio.Transport", transport)
        limits = self._connections.limits
        client = names_of(transport.get_extra_info("peercert"))
        heads = self._connections.heads
        self._reader = RequestReader(limits.max_header, limits.max_body, client, heads)
        self._wait_from_now()
        self._connections.add(self)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - the loop's signature
        """Lend the buffer of all connections for the next read."""
        return self._connections.inbox

    def buffer_updated(self, nbytes: int) -> None:
        """Read on, and answer what is complete."""
        reader = self._reader
        before = reader.started, reader.phase
        reader.feed(self._connections.inbox[:nbytes])
        if (reader.started, reader.phase) != before and self._waiting is None:
            self._wait_from_now()
        self._answer_next()

    def pause_writing(self) -> None:
        """Answer and read nothing more until the client has read."""
        self._blocked = True
        self.deadline = self._loop.time() + self._connections.limits.body_timeout

    def resume_writing(self) -> None:
        """Go on."""
        self._blocked = False
        self._wait_from_now()
        self._loop.call_soon(self._answer_next)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the loop's signature
        """Forget the connection, what it held, and the answer that it waits for.

        uvloop keeps 20 KB as long as the transport is referred to, in a ring only the collector
        would open.
        """
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None
        self._reader.close()
        self._account()
        self._connections.open.discard(self)
        self._paused = self._blocked = False
        del self._transport

    # What the set of connections calls.

    @property
    def idle(self) -> bool:
        """Whether nothing is lost if the connection ends now."""
        reader = self._reader
        busy = reader.ready or self._blocked or self._waiting is not None
        return reader.phase is ReadPhase.IDLE and not busy

    def expire(self) -> None:
        """End a phase that took too long.

        It says so where an answer is due and the client reads.
        """
        if self._blocked or self._waiting is not None or self._transport.is_closing():
            self.drop()
        elif self._reader.phase in {ReadPhase.HEAD, ReadPhase.BODY}:
            self._reader.refuse(Refusal("408 Request Timeout", "the request took too long"))
            self._answer_next()
        else:
            self._close(0)

    def drop(self) -> None:
        """End the connection at once."""
        self._transport.abort()

    # What only the connection calls.

    def _wait_from_now(self) -> None:
        self.since = self._loop.time()
        self.deadline = self._connections.deadline(self._reader.phase, self.since)

    def _answer_next(self) -> None:
        """Answer one request.

        Further ones that wait already let other connections go first.
        """
        ready = self._reader.ready
        free = self._waiting is None and not self._blocked
        if ready and free and not self._transport.is_closing():
            turn = ready.popleft()
            if isinstance(turn, HttpRequest):
                self._answer(turn)
            elif isinstance(turn, Refusal):
                self._refuse(turn)
            else:
                self._transport.write(turn)
            if ready:
                self._loop.call_soon(self._answer_next)
        if self._paused or ready or self._blocked:
            self._steer_reading()
        self._account()

    def _answer(self, request: HttpRequest) -> None:
        try:
            response = self._connections.handler(request)
        except Exception:
            response = self._failed(request)
        if isinstance(response, HttpResponse):
            self._reply(request, response)
        else:
            self._reply_later(request, response)

    def _reply_later(self, request: HttpRequest, response: Awaitable[HttpResponse]) -> None:
        """Wait for an answer.

        What the client sends meanwhile is read until it is a request.
        """
        self._waiting = asyncio.ensure_future(response)
        self._waiting.add_done_callback(partial(self._reply_now, request))
        self.since = self._loop.time()
        self.deadline = self.since + self._connections.limits.answer_timeout

    def _reply_now(self, request: HttpRequest, done: asyncio.Future[HttpResponse]) -> None:
        if self._waiting is not done or done.cancelled():
            return  # the client is gone, or the server
        self._waiting = None
        try:
            response = done.result()
        except Exception:
            response = self._failed(request)
        self._wait_from_now()
        self._reply(request, response)
        self._answer_next()

    def _failed(self, request: HttpRequest) -> HttpResponse:
        self._connections.log.exception("the application failed at %s", request.path)
        return FAILED

    def _reply(self, request: HttpRequest, response: HttpResponse) -> None:
        connections = self._connections
        self._reader.held -= len(request.body)
        elsewhere = response.status.startswith("503")  # a new connection may reach who can answer
        close = elsewhere or connections.draining or not request.keep_alive
        no_body = request.method == "HEAD"
        try:
            answer = render_response(response, connections.date, close=close, no_body=no_body)
        except ValueError:
            response = self._failed(request)
            answer = render_response(response, connections.date, close=close, no_body=no_body)
        self._transport.write(answer)
        if close:
            limits = connections.limits
            self._close(limits.body_timeout if self._blocked else limits.linger)
        if response.after is not None:
            self._finish(response.after)

    def _finish(self, after: Callable[[], object]) -> None:
        try:
            after()
        except Exception:
            self._connections.log.exception("the application failed after its answer")

    def _refuse(self, refusal: Refusal) -> None:
        """Say why, then only discard: a close with unread bytes would reset the connection."""
        peer = self._transport.get_extra_info("peername")
        client = peer[0] if isinstance(peer, tuple) else ""
        self._connections.log.warning("refused a request of %s: %s", client, refusal)
        answer = plain_response(refusal.status, refusal.reason)
        self._transport.write(render_response(answer, self._connections.date, close=True))
        self._reader.held = 0
        self._wait_from_now()

    def _close(self, seconds: float) -> None:
        """End the connection, and drop it if the client does not in time."""
        self.deadline = self._loop.time() + seconds
        self._reader.ready.clear()
        self._reader.phase = ReadPhase.LAST
        self._transport.close()

    def _steer_reading(self) -> None:
        pause = bool(self._reader.ready) or self._blocked
        if pause is not self._paused and not self._transport.is_closing():
            self._paused = pause
            (self._transport.pause_reading if pause else self._transport.resume_reading)()

    def _account(self) -> None:
        """Keep the sum of all bodies.

        The body that grows when it is too large is refused.
        """
        connections, held = self._connections, self._reader.held
        if held != self._held:
            connections.buffered += held - self._held
            self._held = held
            too_much = connections.buffered > connections.limits.max_buffered
            if too_much and held > SMALL and self._reader.phase is ReadPhase.BODY:
                reason = "too many large requests at once; try again"
                self._reader.refuse(Refusal("503 Service Unavailable", reason))
                self._answer_next()
