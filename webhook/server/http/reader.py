"""Bytes of one connection in, whole requests out (sans I/O); no sockets, no clock, no answers."""

from collections import deque
from enum import Enum
from io import BytesIO
from typing import NamedTuple

from httptools import HttpParserCallbackError, HttpParserError, HttpRequestParser

from webhook.server.http.environ import Environ, Refusal, check_head, environ_key, target_entries

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Request(NamedTuple):
    """A whole request: what the application gets, and whether the client keeps the connection."""

    environ: Environ
    keep_alive: bool


class Phase(Enum):
    """Where in a request a connection stands."""

    IDLE = "between requests"
    HEAD = "in a request's head"
    BODY = "in a request's body"
    LAST = "no further request is read"


Turn = Request | Refusal | bytes  # bytes: an interim answer, written as it is


class RequestReader:
    """Reads the requests of one connection; what is complete waits in `ready`, in order.

    `held` counts the bytes of bodies that were read and not yet taken off by the caller;
    `started` and `phase` together tell whether a feed changed anything a time-out depends on.
    """

    __slots__ = (
        "_base",
        "_body",
        "_environ",
        "_head_size",
        "_keep_alive",
        "_max_body",
        "_max_head",
        "_parser",
        "_target",
        "_unfinished",
        "held",
        "phase",
        "ready",
        "started",
    )

    def __init__(self, base: Environ, max_head: int, max_body: int) -> None:
        self._base, self._max_head, self._max_body = base, max_head, max_body
        self._parser = HttpRequestParser(self)
        self._environ: Environ = {}
        self.phase = Phase.IDLE
        self.ready: deque[Turn] = deque()
        self.held = self.started = self._unfinished = 0

    def feed(self, data: memoryview) -> None:
        """Read on; a request that is refused is the last one."""
        if self.phase is Phase.LAST:
            return
        if self.phase is Phase.HEAD:
            self._unfinished += len(data)
        try:
            self._parser.feed_data(data)
            # The parser gives a header when it is complete; one without an end shows only here.
            if self.phase is Phase.HEAD and self._unfinished > self._max_head:
                self._grow_head(self._unfinished)
        except Refusal as refusal:
            self.refuse(refusal)
        except HttpParserCallbackError as error:
            self.refuse(refusal_of(error.__context__ or error))
        except HttpParserError as error:
            self.refuse(Refusal("400 Bad Request", str(error) or "not HTTP"))

    def refuse(self, refusal: Refusal) -> None:
        """Read no further; nothing is said if an earlier request already ends the connection."""
        if self.phase is not Phase.LAST:
            self.phase = Phase.LAST
            self.ready.append(refusal)

    def close(self) -> None:
        """Let go of everything: reader and parser refer to each other, and nobody may collect."""
        self.phase = Phase.LAST
        self.ready.clear()
        self.held = 0
        del self._parser

    # What the parser calls, by its names.

    def on_message_begin(self) -> None:  # noqa: D102 - named and described by httptools
        self.phase = Phase.HEAD
        self.started += 1
        self._environ = self._base.copy()
        self._body = BytesIO()
        self._target = b""
        self._head_size = self._unfinished = 0

    def on_url(self, part: bytes) -> None:  # noqa: D102 - named and described by httptools
        self._target += part
        self._grow_head(len(part))

    def on_header(self, name: bytes, value: bytes) -> None:  # noqa: D102 - as above
        self._grow_head(len(name) + len(value) + 4)
        key = environ_key(name)
        if key is None or self.phase is not Phase.HEAD:  # a trailer counts, and says nothing
            return
        text = value.decode("latin-1")
        environ = self._environ
        environ[key] = f"{environ[key]},{text}" if key in environ else text

    def on_headers_complete(self) -> None:  # noqa: D102 - named and described by httptools
        parser, environ = self._parser, self._environ
        if parser.should_upgrade():
            raise Refusal("400 Bad Request", "only HTTP/1.1 is spoken here, without upgrade")
        environ["REQUEST_METHOD"] = parser.get_method().decode("latin-1")
        environ["SERVER_PROTOCOL"] = f"HTTP/{parser.get_http_version()}"
        environ["PATH_INFO"], environ["QUERY_STRING"] = target_entries(self._target)
        check_head(environ, self._max_body)
        http_1_1 = environ["SERVER_PROTOCOL"] == "HTTP/1.1"
        self._keep_alive = http_1_1 and parser.should_keep_alive()
        if http_1_1 and "HTTP_EXPECT" in environ:
            self.ready.append(CONTINUE)
        self.phase = Phase.BODY

    def on_body(self, part: bytes) -> None:  # noqa: D102 - named and described by httptools
        self._body.write(part)
        self.held += len(part)
        if self._body.tell() > self._max_body:
            raise Refusal("413 Content Too Large", f"a body may have {self._max_body} bytes")

    def on_message_complete(self) -> None:  # noqa: D102 - named and described by httptools
        environ = self._environ
        # The application sees a body of known length, however it came.
        environ.pop("HTTP_TRANSFER_ENCODING", None)
        environ["CONTENT_LENGTH"] = str(self._body.tell())
        self._body.seek(0)
        environ["wsgi.input"] = self._body
        self.phase = Phase.IDLE if self._keep_alive else Phase.LAST
        self.ready.append(Request(environ, self._keep_alive))

    def _grow_head(self, size: int) -> None:
        self._head_size += size
        if self._head_size > self._max_head:
            raise Refusal(
                "431 Request Header Fields Too Large", f"a head may have {self._max_head} bytes"
            )


def refusal_of(error: BaseException) -> Refusal:
    """Turn what a parser callback raised into the answer to the client."""
    if isinstance(error, Refusal):
        return error
    if isinstance(error, HttpParserError):
        return Refusal("400 Bad Request", str(error) or "not HTTP")
    return Refusal("500 Internal Server Error", "the request could not be read")
