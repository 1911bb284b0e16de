"""What the connections of one worker share: limits, their number and their time."""

from email.utils import formatdate
from typing import Protocol

from msgspec import Struct

from webhook.server.http.known_heads import KnownHeads
from webhook.server.http.messages import Handler
from webhook.server.http.reader import ReadPhase

INBOX = 64 * 1024  # bytes read at once; one buffer serves all, as a read is used up at once


class ServerLimits(Struct, frozen=True, kw_only=True):
    """The limits of the clients of one worker.

    Sizes are in bytes, times in seconds.

    A review has at most two objects of 3 MiB, old and new; 7 MiB is controller-runtime's limit.
    `keepalive` must be longer than the 90 s for which the API server keeps a spare connection.
    """

    max_body: int = 7 * 1024 * 1024
    max_header: int = 32 * 1024
    max_buffered: int = 48 * 1024 * 1024  # bodies of all connections together: 64 of 700 kB
    max_connections: int = 1024  # about 100 KB each: three API servers send 600 reviews at once
    max_arrivals: int = 512  # clients in the handshake
    handshake_timeout: float = 10.0
    header_timeout: float = 10.0  # from a request's first byte to the end of its head
    body_timeout: float = 20.0  # for a body, and for the client to read its answer
    answer_timeout: float = 10.0  # for an answer that is not ready at once
    keepalive: float = 120.0  # without a byte of the next request
    linger: float = 2.0  # for a refused client to read why, and for a stopping worker


class ServerLog(Protocol):
    """The two methods of gunicorn's logger that are used here."""

    def warning(self, msg: str, *args: object) -> None: ...  # noqa: D102 - as in logging
    def exception(self, msg: str, *args: object) -> None: ...  # noqa: D102 - as in logging


class OpenConnection(Protocol):
    """What the set of connections knows of each."""

    since: float  # when it last began to wait for something
    deadline: float  # until when it may wait

    @property
    def idle(self) -> bool:
        """Whether nothing is lost if it ends now."""

    def expire(self) -> None:
        """End politely what took too long."""

    def drop(self) -> None:
        """End at once."""


class Connections:
    """The connections of one worker. `now` is always the loop's clock in seconds."""

    def __init__(self, handler: Handler, limits: ServerLimits, log: ServerLog) -> None:
        self.handler, self.limits, self.log = handler, limits, log
        self.open: set[OpenConnection] = set()
        self.heads = KnownHeads()
        self.inbox = memoryview(bytearray(INBOX))
        self.buffered = 0  # bytes of bodies that were read and are not answered
        self.draining = False  # every answer ends its connection
        self.stopping = False  # and idle ones are closed soon
        self.date = date_header()

    def add(self, connection: OpenConnection) -> None:
        """Count a connection in, and above the limit evict another one."""
        if len(self.open) >= self.limits.max_connections:
            self.evict()
        self.open.add(connection)

    def evict(self) -> None:
        """Drop the one that waits longest, if there is one.

        Idle ones go first. An honest request is read and answered within milliseconds, so the
        one that waits longest is an attack by drops.
        """
        if self.open:
            oldest = min(self.open, key=lambda each: (not each.idle, each.since))
            self.open.discard(oldest)
            oldest.drop()

    def sweep(self, now: float) -> None:
        """End what has waited too long.

        It is called about once a second.
        """
        self.date = date_header()
        for connection in [each for each in self.open if each.deadline <= now]:
            connection.expire()

    def stop(self, now: float) -> None:
        """Let every answer end its connection from now on, and idle ones only linger."""
        self.draining = self.stopping = True
        for connection in self.open:
            if connection.idle:
                connection.deadline = min(connection.deadline, now + self.limits.linger)

    def abort(self) -> None:
        """Drop all connections at once."""
        for connection in list(self.open):
            connection.drop()

    def deadline(self, phase: ReadPhase, now: float) -> float:
        """Return until when a connection that entered a phase now may stay in it."""
        limits = self.limits
        match phase:
            case ReadPhase.IDLE:
                return now + (limits.linger if self.stopping else limits.keepalive)
            case ReadPhase.HEAD:
                return now + limits.header_timeout
            case ReadPhase.BODY:
                return now + limits.body_timeout
            case ReadPhase.LAST:
                return now + limits.linger


def date_header() -> bytes:
    """Return the Date header of this second (RFC 9110, 6.6.1)."""
    return f"Date: {formatdate(usegmt=True)}\r\n".encode()
