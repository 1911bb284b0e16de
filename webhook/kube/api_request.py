"""A request to the API server and its answer, as plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal
from urllib.parse import urlencode

DRY_RUN: Final = "?dryRun=All"  # to be added to the path of a request that sends
JSON: Final = "application/json"
_MERGE_PATCH: Final = "application/merge-patch+json"
_JSON_PATCH: Final = "application/json-patch+json"

Method = Literal["POST", "PUT", "PATCH"]
Body = Mapping[str, Any] | Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """A request as plain data.

    `path` may end in a query where `params` is empty.
    """

    method: str
    path: str
    params: Mapping[str, str] | None = None
    body: Body | None = None

    @property
    def target(self) -> str:
        """The path with its query."""
        return f"{self.path}?{urlencode(self.params)}" if self.params else self.path

    @property
    def content_type(self) -> str:
        """The media type of the body, which tells the two kinds of patch apart."""
        if self.method != "PATCH":
            return JSON
        return _MERGE_PATCH if isinstance(self.body, Mapping) else _JSON_PATCH


@dataclass(frozen=True, slots=True)
class ApiAnswer:
    """The body of an answer and its warnings, as kubectl prints them."""

    body: bytes
    warnings: tuple[str, ...]
