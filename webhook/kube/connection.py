"""A connection to one API server: bytes in and out, authenticated; it knows no resource.

From the `kubernetes` package it takes HTTP, never the models.
"""

from __future__ import annotations

import contextlib
import re
import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec

from webhook.kube.api_types import Status
from webhook.kube.errors import ApiError, library_errors_as_api_errors

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import urllib3
    from kubernetes.client.api_client import ApiClient

CONNECT_SECONDS = 5.0
READ_SIZE = 64 * 1024  # bytes taken from the socket at once
STATUS_SIZE = 16 * 1024  # bytes read of an error's body: a Status is far smaller
PAGE_SIZE = 300  # bytes kept of what is no Status: a proxy may answer with a whole HTML page
_CONTENT: Final = {
    "GET": {},
    "POST": {"Content-Type": "application/json"},
    "PATCH": {"Content-Type": "application/merge-patch+json"},
}


@dataclass(frozen=True, slots=True)
class Answer:
    """The body of an answer, and the warnings that came with it, as kubectl prints them."""

    body: bytes
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request as plain data."""

    method: str
    path: str
    params: Mapping[str, str]
    body: Mapping[str, Any] | None = None


class Connection:
    """Authenticated requests to one API server; threads may share it."""

    def __init__(self, api: ApiClient) -> None:
        self._api = api

    def get(self, path: str, params: Mapping[str, str], *, timeout: float) -> bytes:
        """Return the whole body of `path`; raise ApiError.

        `timeout` is in seconds, for connecting (at most 5) and waiting together; a server that
        sends its body in drops is cut off after at most twice that.
        """
        deadline = time.monotonic() + timeout
        limit = timeout if timeout < CONNECT_SECONDS else (CONNECT_SECONDS, timeout)
        with (
            library_errors_as_api_errors(),
            self._opened(_Asked("GET", path, params), limit) as response,
        ):
            return b"".join(_before(deadline, _chunks(response)))

    def send(
        self,
        method: Literal["POST", "PATCH"],
        path: str,
        body: Mapping[str, Any],
        *,
        timeout: float,
    ) -> Answer:
        """Create with POST, or merge with PATCH (RFC 7386); raise ApiError.

        `path` may end in a query. `timeout` is in seconds, in all.
        """
        with (
            library_errors_as_api_errors(),
            self._opened(_Asked(method, path, {}, body), timeout) as response,
        ):
            warnings = response.headers.getlist("Warning")
            return Answer(response.read(), tuple(filter(None, map(_warning, warnings))))

    def stream(self, path: str, params: Mapping[str, str], *, timeout: float) -> Lines:
        """Open `path` for reading line by line; raise ApiError.

        `timeout` is the longest silence between two reads, in seconds. Close what is returned.
        """
        with library_errors_as_api_errors():
            return Lines(self._opened(_Asked("GET", path, params), (CONNECT_SECONDS, timeout)))

    def close(self) -> None:
        """Close the idle sockets."""
        self._api.rest_client.pool_manager.clear()

    def _opened(
        self, asked: _Asked, limit: float | tuple[float, float]
    ) -> urllib3.BaseHTTPResponse:
        # The token is asked for with each request: service account tokens rotate hourly.
        method, url, headers, body, _ = self._api.param_serialize(
            asked.method,
            asked.path,
            query_params=list(asked.params.items()),
            header_params={"Accept": "application/json", **_CONTENT[asked.method]},
            body=asked.body,
            auth_settings=["BearerToken"],
        )
        answer = self._api.call_api(method, url, headers, body, _request_timeout=limit)
        response: urllib3.BaseHTTPResponse = answer.response
        if response.status not in (HTTPStatus.OK, HTTPStatus.CREATED):
            with response:
                raise _refusal(response)
        return response


class Lines:
    """The lines of an open answer; iterate in one thread, `cut` from any."""

    def __init__(self, response: urllib3.BaseHTTPResponse) -> None:
        self._response = response

    def __iter__(self) -> Iterator[bytes]:
        """Yield each line without its end as it comes; raise ApiError if the peer breaks off."""
        with library_errors_as_api_errors():
            yield from split_lines(_chunks(self._response))

    def cut(self) -> None:
        """End a read that is under way in another thread, which then raises ApiError or ends."""
        # Closing is no way to do it: it waits for the lock that the reading thread holds.
        with contextlib.suppress(OSError, ValueError, RuntimeError):
            self._response.shutdown()

    def close(self) -> None:
        """Close the answer; its connection is kept for the next request if it was read whole."""
        self._response.close()


def split_lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the lines of bytes that come in any pieces; empty lines are left out."""
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        yield from filter(None, whole)
    if rest:
        yield rest


def _chunks(response: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
    while chunk := response.read1(READ_SIZE):
        yield chunk


def _before(deadline: float, chunks: Iterable[bytes]) -> Iterator[bytes]:
    for chunk in chunks:
        if time.monotonic() > deadline:
            raise ApiError(None, "the answer took too long")
        yield chunk


def _warning(header: str) -> str:
    """The text of a Warning header, `299 - "text"` (RFC 7234, 5.5)."""
    found = re.search(r'"((?:[^"\\]|\\.)*)"', header)
    return re.sub(r"\\(.)", r"\1", found[1]) if found else ""


def _refusal(response: urllib3.BaseHTTPResponse) -> ApiError:
    body = response.read(STATUS_SIZE)
    try:
        said = msgspec.json.decode(body, type=Status)
    except msgspec.MsgspecError:
        said = Status(message=body[:PAGE_SIZE].decode(errors="replace"))
    asked = response.headers.get("Retry-After", "")
    seconds = float(asked) if asked.isdecimal() else None
    text = said.message or response.reason or ""
    return ApiError(response.status, text, retry_after=seconds, causes=said.causes)
