"""What the connections of one worker share: limits, their number, their time; reads nothing."""

from dataclasses import dataclass
from email.utils import formatdate
from typing import Protocol
from wsgiref.types import WSGIApplication

from webhook.server.http.reader import Phase

INBOX = 64 * 1024  # bytes read at once; one buffer serves all, as a read is used up at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What clients may ask of one worker; sizes in bytes, times in seconds.

    A review has at most two objects of 3 MiB, old and new; 7 MiB is controller-runtime's limit.
    `keepalive` must be longer than the 90 s for which the API server keeps a spare connection.
    """

    max_body: int = 7 * 1024 * 1024
    max_header: int = 32 * 1024
    max_buffered: int = 64 * 1024 * 1024  # bodies of all connections together
    max_connections: int = 2048
    handshake_timeout: float = 10.0
    header_timeout: float = 10.0  # from a request's first byte to the end of its head
    body_timeout: float = 20.0  # for a body, and for the client to read its answer
    keepalive: float = 120.0  # without a byte of the next request
    linger: float = 2.0  # for a refused client to read why, and for a stopping worker


class Log(Protocol):
    """The two methods of gunicorn's logger that are used here."""

    def warning(self, msg: str, *args: object) -> None: ...  # noqa: D102 - as in logging
    def exception(self, msg: str, *args: object) -> None: ...  # noqa: D102 - as in logging


class Member(Protocol):
    """What a service knows of a connection."""

    since: float  # when it last began to wait for something
    deadline: float  # until when it may wait

    @property
    def idle(self) -> bool:
        """Whether nothing is lost if it ends now."""

    def expire(self) -> None:
        """End politely what took too long."""

    def drop(self) -> None:
        """End without a word."""


class Service:
    """What the connections of one worker share; `now` is always the loop's clock in seconds."""

    def __init__(self, app: WSGIApplication, limits: Limits, log: Log) -> None:
        self.app, self.limits, self.log = app, limits, log
        self.connections: set[Member] = set()
        self.inbox = memoryview(bytearray(INBOX))
        self.buffered = 0  # bytes of bodies that were read and are not answered
        self.draining = False  # every answer ends its connection
        self.stopping = False  # and idle ones are closed soon
        self.date = date_header()

    def admit(self, connection: Member) -> None:
        """Count a connection in; above the limit the one that waits longest goes, idle ones first.

        An honest request is read and answered within milliseconds: the oldest one is dripped.
        """
        if len(self.connections) >= self.limits.max_connections:
            oldest = min(self.connections, key=lambda each: (not each.idle, each.since))
            self.connections.discard(oldest)
            oldest.drop()
        self.connections.add(connection)

    def sweep(self, now: float) -> None:
        """End what has waited too long; to be called about once a second."""
        self.date = date_header()
        for connection in [each for each in self.connections if each.deadline <= now]:
            connection.expire()

    def stop(self, now: float) -> None:
        """Let every answer end its connection from now on, and idle ones only linger."""
        self.draining = self.stopping = True
        for connection in self.connections:
            if connection.idle:
                connection.deadline = min(connection.deadline, now + self.limits.linger)

    def abort(self) -> None:
        """Drop all connections at once."""
        for connection in list(self.connections):
            connection.drop()

    def deadline(self, phase: Phase, now: float) -> float:
        """Say until when a connection that entered a phase now may stay in it."""
        limits = self.limits
        match phase:
            case Phase.IDLE:
                return now + (limits.linger if self.stopping else limits.keepalive)
            case Phase.HEAD:
                return now + limits.header_timeout
            case Phase.BODY:
                return now + limits.body_timeout
            case Phase.LAST:
                return now + limits.linger


def date_header() -> bytes:
    """Render the Date header of this second (RFC 9110, 6.6.1)."""
    return f"Date: {formatdate(usegmt=True)}\r\n".encode()
