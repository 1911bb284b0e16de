"""The error of this package, for a request without a good answer."""

from __future__ import annotations

import contextlib
import os
import ssl
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator

MESSAGE_LIMIT: Final = 4096  # characters: a refusal has a sentence for each thing that is wrong


class StatusCause(msgspec.Struct, frozen=True):
    """One cause in a Status (meta/v1): a word, a sentence, a field path."""

    reason: str = ""
    message: str = ""
    field: str = ""


class ApiError(Exception):
    """A request to the API server failed.

    `status` is the HTTP status, or None if no HTTP answer came at all.

    `message` is one line of at most 4096 characters; `retry_after` is in seconds, as the server
    asked; `causes` are those of the Status, where the answer is one.
    """

    def __init__(
        self,
        status: int | None,
        message: str,
        *,
        retry_after: float | None = None,
        causes: tuple[StatusCause, ...] = (),
    ) -> None:
        self.status = status
        self.message = _one_line(message)
        self.retry_after = retry_after
        self.causes = causes
        super().__init__(self.message if status is None else f"HTTP {status}: {self.message}")

    @property
    def temporary(self) -> bool:
        """Whether the same request may succeed later: no answer, 429 or 5xx."""
        busy = HTTPStatus.TOO_MANY_REQUESTS
        return self.status in (None, busy) or self.status >= HTTPStatus.INTERNAL_SERVER_ERROR

    @property
    def not_found(self) -> bool:
        """Whether the object, its namespace or its kind is not there (404)."""
        return self.status == HTTPStatus.NOT_FOUND

    @property
    def conflict(self) -> bool:
        """Whether somebody else created or changed the object first (409)."""
        return self.status == HTTPStatus.CONFLICT

    @property
    def expired(self) -> bool:
        """Whether the version or the page that was asked for is too old (410)."""
        return self.status == HTTPStatus.GONE

    @property
    def forbidden(self) -> bool:
        """Whether authorization or admission refused it (403)."""
        return self.status == HTTPStatus.FORBIDDEN

    @property
    def unauthorized(self) -> bool:
        """Whether the API server does not know who asks (401)."""
        return self.status == HTTPStatus.UNAUTHORIZED


@contextlib.contextmanager
def library_errors_as_api_errors() -> Iterator[None]:
    """Turn every error of the libraries below into an ApiError without a status.

    Every one: aiohttp, ssl, yaml, and plugins that fetch tokens, have no common base.
    """
    try:
        yield
    except ApiError:
        raise
    except Exception as error:
        raise ApiError(None, _sentence(error)) from error


def _sentence(error: Exception) -> str:
    """What went wrong and where, without the name of a class or an object's address."""
    cause = getattr(error, "certificate_error", None) or getattr(error, "os_error", None) or error
    why = str(cause)
    if isinstance(cause, ssl.SSLCertVerificationError):
        why = f"certificate not trusted: {cause.verify_message}"
    elif isinstance(cause, OSError) and cause.errno:
        why = os.strerror(cause.errno) if cause.errno > 0 else str(cause.strerror)
    host, file = getattr(error, "host", None), getattr(error, "filename", None)
    where = f"{host}:{getattr(error, 'port', '')}" if host else file
    return f"{where}: {why}" if where else why or "it broke off"


def _one_line(message: str) -> str:
    line = " ".join(message.split())
    return line if len(line) <= MESSAGE_LIMIT else line[: MESSAGE_LIMIT - 1] + "…"
