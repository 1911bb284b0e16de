"""The one error of this room: a request to the API server that got no good answer; no I/O."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

MESSAGE_LIMIT = 4096  # characters: a refusal has a sentence for each thing that is wrong


class ApiFailure(Exception):  # noqa: N818 - `Error` is the word for ERROR events of a watch
    """A request failed: `status` is the HTTP status, or None if no HTTP answer came at all.

    `retry_after` is what the server asked for, in seconds; `message` is one line, cut to 4096
    characters; `causes` are the API's own words for why, where it has any.
    """

    def __init__(
        self,
        status: int | None,
        message: str,
        *,
        retry_after: float | None = None,
        causes: Iterable[str] = (),
    ) -> None:
        self.status = status
        self.message = _one_line(message)
        self.retry_after = retry_after
        self.causes = frozenset(causes)
        super().__init__(self.message if status is None else f"HTTP {status}: {self.message}")

    @property
    def passing(self) -> bool:
        """Whether the same request may succeed later: no answer, 429 or 5xx."""
        busy = HTTPStatus.TOO_MANY_REQUESTS
        return self.status in (None, busy) or self.status >= HTTPStatus.INTERNAL_SERVER_ERROR


def _one_line(message: str) -> str:
    line = " ".join(message.split())
    return line if len(line) <= MESSAGE_LIMIT else line[: MESSAGE_LIMIT - 1] + "…"
