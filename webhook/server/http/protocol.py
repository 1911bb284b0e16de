"""One connection: order of answers, time-outs, backpressure; no parsing, no signals."""

import asyncio
from collections.abc import Callable
from typing import cast

from webhook.server.http.connections import Service
from webhook.server.http.environ import Environ, Refusal
from webhook.server.http.reader import Phase, Request, RequestReader
from webhook.server.http.response import call, encode, plain

SMALL = 64 * 1024  # bytes of a body that are read even when the bodies of all are too much

FAILED = plain("500 Internal Server Error", "the application failed; the server's log says why")


class Connection(asyncio.BufferedProtocol):
    """One client: its requests are answered in order, one at a time, in the loop itself.

    It is a buffered protocol, as uvloop allocates 256 KiB for each read of the other kind.
    """

    def __init__(self, service: Service, base: Environ) -> None:
        self._service, self._base = service, base
        self._loop = asyncio.get_running_loop()
        self._blocked = False  # the client does not read: more than the high-water mark waits
        self._paused = False
        self._held = 0  # our part of service.buffered
        self.since = self.deadline = 0.0

    # What the loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to wait for the first request; spare connections of a pool may never send it."""
        self._transport = cast("asyncio.Transport", transport)
        base = self._base | addresses(transport)
        self._client = base["REMOTE_ADDR"]
        limits = self._service.limits
        self._reader = RequestReader(base, limits.max_header, limits.max_body)
        self._wait_from_now()
        self._service.admit(self)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - the loop's signature
        """Lend the buffer of all connections for the next read."""
        return self._service.inbox

    def buffer_updated(self, nbytes: int) -> None:
        """Read on; answer what is complete."""
        reader = self._reader
        before = reader.started, reader.phase
        reader.feed(self._service.inbox[:nbytes])
        if (reader.started, reader.phase) != before:
            self._wait_from_now()
        self._answer_next()

    def pause_writing(self) -> None:
        """Answer and read nothing more until the client has read."""
        self._blocked = True
        self.deadline = self._loop.time() + self._service.limits.body_timeout

    def resume_writing(self) -> None:
        """Go on."""
        self._blocked = False
        self._wait_from_now()
        self._loop.call_soon(self._answer_next)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the loop's signature
        """Forget the connection and what it held.

        uvloop keeps 20 KB as long as the transport is referred to, in a ring only the collector
        would open.
        """
        self._reader.close()
        self._account()
        self._service.connections.discard(self)
        self._paused = self._blocked = False
        del self._transport

    # What the service calls.

    @property
    def idle(self) -> bool:
        """Whether nothing is lost if the connection ends now."""
        reader = self._reader
        return reader.phase is Phase.IDLE and not reader.ready and not self._blocked

    def expire(self) -> None:
        """End a phase that took too long: say so where an answer is due, and the client reads."""
        if self._blocked or self._transport.is_closing():
            self.drop()
        elif self._reader.phase in {Phase.HEAD, Phase.BODY}:
            self._reader.refuse(Refusal("408 Request Timeout", "the request took too long"))
            self._answer_next()
        else:
            self._close(0)

    def drop(self) -> None:
        """End the connection without a word."""
        self._transport.abort()

    # What only the connection calls.

    def _wait_from_now(self) -> None:
        self.since = self._loop.time()
        self.deadline = self._service.deadline(self._reader.phase, self.since)

    def _answer_next(self) -> None:
        """Answer one request; further ones that wait already let other connections go first."""
        ready = self._reader.ready
        if ready and not self._blocked and not self._transport.is_closing():
            turn = ready.popleft()
            if isinstance(turn, Request):
                self._reply(turn)
            elif isinstance(turn, Refusal):
                self._refuse(turn)
            else:
                self._transport.write(turn)
            if ready:
                self._loop.call_soon(self._answer_next)
        if self._paused or ready or self._blocked:
            self._steer_reading()
        self._account()

    def _reply(self, request: Request) -> None:
        service, environ = self._service, request.environ
        self._reader.held -= int(environ["CONTENT_LENGTH"])
        close = service.draining or not request.keep_alive
        no_body = environ["REQUEST_METHOD"] == "HEAD"
        done: Callable[[], object] | None = None
        try:
            answer, done = call(service.app, environ)
        except Exception:
            service.log.exception("the application failed at %s", environ["PATH_INFO"])
            answer = FAILED
        self._transport.write(encode(answer, service.date, close=close, no_body=no_body))
        if close:
            self._close(service.limits.body_timeout if self._blocked else service.limits.linger)
        if done is not None:
            self._finish(done)

    def _finish(self, done: Callable[[], object]) -> None:
        try:
            done()
        except Exception:
            self._service.log.exception("the application failed after its answer")

    def _refuse(self, refusal: Refusal) -> None:
        """Say why, then only discard: a close with unread bytes would reset the connection."""
        self._service.log.warning("refused a request of %s: %s", self._client, refusal)
        answer = plain(refusal.status, refusal.reason)
        self._transport.write(encode(answer, self._service.date, close=True, no_body=False))
        self._reader.held = 0
        self._wait_from_now()

    def _close(self, seconds: float) -> None:
        """End the connection, and drop it if the client does not end its side in time."""
        self.deadline = self._loop.time() + seconds
        self._reader.ready.clear()
        self._reader.phase = Phase.LAST
        self._transport.close()

    def _steer_reading(self) -> None:
        pause = bool(self._reader.ready) or self._blocked
        if pause is not self._paused and not self._transport.is_closing():
            self._paused = pause
            (self._transport.pause_reading if pause else self._transport.resume_reading)()

    def _account(self) -> None:
        """Keep the sum of all bodies; the body that grows when it is too large is refused."""
        service, held = self._service, self._reader.held
        if held != self._held:
            service.buffered += held - self._held
            self._held = held
            too_much = service.buffered > service.limits.max_buffered
            if too_much and held > SMALL and self._reader.phase is Phase.BODY:
                reason = "too many large requests at once; try again"
                self._reader.refuse(Refusal("503 Service Unavailable", reason))
                self._answer_next()


def addresses(transport: asyncio.BaseTransport) -> Environ:
    """Give the environ's entries about both ends; those of a Unix socket have no address."""
    server, client = (transport.get_extra_info(name) for name in ("sockname", "peername"))
    ends: Environ = {"SERVER_NAME": "", "SERVER_PORT": "", "REMOTE_ADDR": ""}
    if isinstance(server, tuple) and isinstance(client, tuple):
        ends |= {"SERVER_NAME": server[0], "SERVER_PORT": str(server[1])}
        ends |= {"REMOTE_ADDR": client[0], "REMOTE_PORT": str(client[1])}
    return ends
