"""The answer side of WSGI (PEP 3333): calls an application, renders its answer; writes nothing."""

from collections.abc import Callable
from types import TracebackType
from typing import NamedTuple
from wsgiref.types import WSGIApplication

from webhook.server.http.environ import Environ

# About one connection, so the server's to say (RFC 9110, 7.6.1); the length is counted.
SERVERS_OWN = frozenset(
    {"connection", "content-length", "keep-alive", "transfer-encoding", "upgrade"}
)

Headers = list[tuple[str, str]]
ExcInfo = tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None]


class Answer(NamedTuple):
    """What an application answered, rendered: status and headers line by line, and the body."""

    head: bytes
    body: bytes


class Start:
    """The `start_response` of one request; keeps what it is told."""

    __slots__ = ("headers", "status", "written")

    def __init__(self) -> None:
        self.status = ""
        self.headers: Headers = []
        self.written: list[bytes] = []

    def __call__(
        self, status: str, headers: Headers, exc_info: ExcInfo | None = None, /
    ) -> Callable[[bytes], object]:
        """Take status and headers; a second time only to replace them by an error's."""
        if self.status and exc_info is None:
            raise RuntimeError("start_response was called twice")
        self.status, self.headers = status, headers
        return self.written.append

    def head(self) -> bytes:
        """Render the status and the headers that are not the server's own.

        Raises RuntimeError before the call, ValueError for what no line of HTTP can hold.
        """
        if not self.status:
            raise RuntimeError("the application did not call start_response")
        lines = [f"{name}: {value}\r\n" for name, value in self.headers if not own(name)]
        text = "".join([self.status, "\r\n", *lines])
        if not text.count("\n") == text.count("\r") == len(lines) + 1:
            raise ValueError("a status or header of the application has a line break")
        return text.encode("latin-1")


def own(name: str) -> bool:
    """Whether a header is the server's to send."""
    return name.lower() in SERVERS_OWN


def nothing() -> None:
    """Do what is left to do for an iterable that has no `close`."""


def call(app: WSGIApplication, environ: Environ) -> tuple[Answer, Callable[[], object]]:
    """Call the application; give its answer and what to call once that is written.

    Raises what the application raises, ValueError for headers that are none, RuntimeError
    when it never called `start_response`.
    """
    start = Start()
    result = app(environ, start)
    done: Callable[[], object] = getattr(result, "close", nothing)
    try:
        body = b"".join(result)
        return Answer(start.head(), b"".join([*start.written, body])), done
    except BaseException:
        done()
        raise


def encode(answer: Answer, date: bytes, *, close: bool, no_body: bool) -> bytes:
    """Give the bytes of an answer; to a HEAD request without the body, but with its length."""
    head, body = answer
    connection = b"Connection: close\r\n" if close else b""
    if head.startswith((b"204", b"304")):
        return b"HTTP/1.1 %b%b%b\r\n" % (head, date, connection)
    sent = b"" if no_body else body
    length = len(body)
    return b"HTTP/1.1 %b%bContent-Length: %d\r\n%b\r\n%b" % (head, date, length, connection, sent)


def plain(status: str, text: str) -> Answer:
    """Make a short answer in plain text, for what no application answers."""
    head = f"{status}\r\nContent-Type: text/plain; charset=utf-8\r\n"
    return Answer(head.encode("latin-1"), f"{text}\n".encode())
