"""A request and its response as values, and the bytes of a response."""

from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import Final

from msgspec import Struct

# About one connection, so the server's to say (RFC 9110, 7.6.1); the length is counted.
SERVERS_OWN: Final = frozenset(
    {"connection", "content-length", "keep-alive", "transfer-encoding", "upgrade"}
)

Headers = list[tuple[str, str]]


class HttpRequest(Struct, frozen=True):
    """A whole request. Header names are lower-case, and the values of repeated ones joined.

    `path` is decoded, byte for byte as latin-1. `keep_alive` is whether the client goes on.
    `client` are the names in its verified certificate, none without one.
    """

    method: str
    path: str
    query: str
    version: str
    headers: dict[str, str]
    body: bytes
    keep_alive: bool
    client: frozenset[str] = frozenset()


class HttpResponse(Struct, frozen=True):
    """The answer of an application.

    `after` is called once that is written.
    """

    status: str
    headers: Headers
    body: bytes
    after: Callable[[], object] | None = None


Handler = Callable[[HttpRequest], HttpResponse | Awaitable[HttpResponse]]
"""Answers a request at once, or gives what to wait for; what it raises becomes a 500."""


def render_response(
    response: HttpResponse, date: bytes, *, close: bool, no_body: bool = False
) -> bytes:
    """Return the bytes of a response, to a HEAD request without the body.

    Raises ValueError for a status or header that no line of HTTP can hold.
    """
    status, body = response.status, response.body
    head = _line(status) + b"".join([_header(*each) for each in response.headers])
    connection = b"Connection: close\r\n" if close else b""
    if status.startswith(("204", "304")):
        return b"HTTP/1.1 %b%b%b\r\n" % (head, date, connection)
    sent = b"" if no_body else body
    length = len(body)
    return b"HTTP/1.1 %b%bContent-Length: %d\r\n%b\r\n%b" % (head, date, length, connection, sent)


@lru_cache(maxsize=64)  # reviews have the same ones
def _header(name: str, value: str) -> bytes:
    return b"" if name.lower() in SERVERS_OWN else _line(f"{name}: {value}")


def _line(text: str) -> bytes:
    if not text or "\n" in text or "\r" in text:
        raise ValueError("the application gave no status, or a line break in a header")
    return f"{text}\r\n".encode("latin-1")


def plain_response(status: str, text: str) -> HttpResponse:
    """Return a short response in plain text."""
    headers = [("Content-Type", "text/plain; charset=utf-8")]
    return HttpResponse(status, headers, f"{text}\n".encode())
