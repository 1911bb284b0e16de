"""Bytes of one connection in, whole requests out (sans I/O)."""

from collections import deque
from enum import Enum

from httptools import HttpParserCallbackError, HttpParserError, HttpRequestParser
from msgspec.structs import replace

from webhook.server.http.head import Refusal, check_head, header_name, split_target
from webhook.server.http.known_heads import KnownHeads, split_head
from webhook.server.http.messages import HttpRequest

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class ReadPhase(Enum):
    """Where in a request a connection stands."""

    IDLE = "between requests"
    HEAD = "in a request's head"
    BODY = "in a request's body"
    LAST = "no further request is read"


Turn = HttpRequest | Refusal | bytes  # bytes: an interim answer, written as it is


class RequestReader:
    """Reads the requests of one connection. What is complete waits in `ready`, in order.

    `held` counts the bytes of bodies that were read and not yet taken off by the caller.
    `started` and `phase` together tell whether a feed changed anything a time-out depends on.
    """

    __slots__ = (
        "_body",
        "_client",
        "_head",
        "_head_size",
        "_headers",
        "_known",
        "_length",
        "_max_body",
        "_max_head",
        "_missing",
        "_parser",
        "_target",
        "_unfinished",
        "held",
        "phase",
        "ready",
        "started",
    )

    def __init__(
        self,
        max_head: int,
        max_body: int,
        client: frozenset[str] = frozenset(),
        known: KnownHeads | None = None,
    ) -> None:
        self._max_head, self._max_body, self._client = max_head, max_body, client
        self._known = KnownHeads() if known is None else known
        self._parser = HttpRequestParser(self)
        self.phase = ReadPhase.IDLE
        self.ready: deque[Turn] = deque()
        self._body: list[bytes] = []
        self.held = self.started = self._unfinished = 0
        self._missing = 0  # bytes of the body behind a known head

    def feed(self, data: memoryview) -> None:
        """Read on. A request that is refused is the last one."""
        if self.phase is ReadPhase.LAST:
            return
        if self._missing:
            self._feed_body(bytes(data))
        elif self.phase is ReadPhase.IDLE:
            self._feed_request(bytes(data))
        else:
            self._parse(data)

    def _feed_request(self, data: bytes) -> None:
        """Read from a request's first byte on, without the parser where its head is known."""
        split = split_head(data)
        head = self._known.find(split) if split else None
        if split and head and split.length <= self._max_body:
            self.on_message_begin()
            self._head, self._missing, self.phase = head, split.length, ReadPhase.BODY
            self._feed_body(split.rest)
            return
        self._parse(data)
        if split and self.phase is not ReadPhase.LAST and self._length == len(split.rest):
            self._known.keep(split, self._head)  # it was one request alone

    def _feed_body(self, data: bytes) -> None:
        """Read the body behind a known head, and give the parser what follows."""
        size = self._missing
        part = data[:size]
        self._missing -= len(part)
        self.on_body(part)
        if not self._missing:
            self.on_message_complete()
            if len(data) > size:
                self._parse(data[size:])

    def _parse(self, data: bytes | memoryview) -> None:
        if self.phase is ReadPhase.HEAD:
            self._unfinished += len(data)
        try:
            self._parser.feed_data(data)
            # The parser gives a header when it is complete; one without an end shows only here.
            if self.phase is ReadPhase.HEAD and self._unfinished > self._max_head:
                self._grow_head(self._unfinished)
        except Refusal as refusal:
            self.refuse(refusal)
        except HttpParserCallbackError as error:
            self.refuse(refusal_of(error.__context__ or error))
        except HttpParserError as error:
            self.refuse(refusal_of(error))

    def refuse(self, refusal: Refusal) -> None:
        """Read no further, and answer with this unless an earlier request was the last."""
        if self.phase is not ReadPhase.LAST:
            self.phase = ReadPhase.LAST
            self._body = []  # the connection stays until the client has read why
            self.ready.append(refusal)

    def close(self) -> None:
        """Let go of everything: reader and parser refer to each other, and nobody may collect."""
        self.phase = ReadPhase.LAST
        self.ready.clear()
        self.held = 0
        del self._parser

    # What the parser calls, by its names.

    def on_message_begin(self) -> None:  # noqa: D102 - named and described by httptools
        self.phase = ReadPhase.HEAD
        self.started += 1
        self._headers: dict[str, str] = {}
        self._body = []
        self._target = b""
        self._head_size = self._unfinished = self._length = 0

    def on_url(self, part: bytes) -> None:  # noqa: D102 - named and described by httptools
        self._target += part
        self._grow_head(len(part))

    def on_header(self, name: bytes, value: bytes) -> None:  # noqa: D102 - as above
        self._grow_head(len(name) + len(value) + 4)
        key = header_name(name)
        if key is None or self.phase is not ReadPhase.HEAD:  # a trailer counts, and is dropped
            return
        text, headers = value.decode("latin-1"), self._headers
        headers[key] = f"{headers[key]},{text}" if key in headers else text

    def on_headers_complete(self) -> None:  # noqa: D102 - named and described by httptools
        parser, version = self._parser, self._parser.get_http_version()
        if parser.should_upgrade():
            raise Refusal("400 Bad Request", "only HTTP/1.1 is spoken here, without upgrade")
        path, query = split_target(self._target)
        check_head(version, self._headers, self._max_body)
        method, keep_alive = parser.get_method().decode("latin-1"), parser.should_keep_alive()
        keep_alive = version == "1.1" and keep_alive
        self._head = HttpRequest(method, path, query, version, self._headers, b"", keep_alive)
        if version == "1.1" and "expect" in self._headers:
            self.ready.append(CONTINUE)
        self.phase = ReadPhase.BODY

    def on_body(self, part: bytes) -> None:  # noqa: D102 - named and described by httptools
        self._body.append(part)
        self._length += len(part)
        self.held += len(part)
        if self._length > self._max_body:
            raise Refusal("413 Content Too Large", f"a body may have {self._max_body} bytes")

    def on_message_complete(self) -> None:  # noqa: D102 - named and described by httptools
        parts = self._body
        body = parts[0] if len(parts) == 1 else b"".join(parts)
        self._body = []
        self.phase = ReadPhase.IDLE if self._head.keep_alive else ReadPhase.LAST
        self.ready.append(replace(self._head, body=body, client=self._client))

    def _grow_head(self, size: int) -> None:
        self._head_size += size
        if self._head_size > self._max_head:
            raise Refusal(
                "431 Request Header Fields Too Large", f"a head may have {self._max_head} bytes"
            )


def refusal_of(error: BaseException) -> Refusal:
    """Return the answer to a client for what the parser or its callback raised."""
    if isinstance(error, Refusal):
        return error
    if isinstance(error, HttpParserError):
        return Refusal("400 Bad Request", str(error) or "not HTTP")
    return Refusal("500 Internal Server Error", "the request could not be read")
