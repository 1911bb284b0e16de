"""The shared client's interface on a FakeApi without HTTP, for simulations of many requests."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from tests.fake_apiserver.answers import Answer, status_body
from tests.fake_apiserver.api import Request
from tests.fake_apiserver.patches import JSON_PATCH, MERGE_PATCH
from webhook.kube.api_request import ApiAnswer
from webhook.kube.errors import ApiError, StatusCause

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.fake_apiserver.api import FakeApi


class DirectClient:
    """Answers at once; `before` is called with each request first."""

    ahead = timedelta()

    def __init__(self, api: FakeApi, before: Callable[[Request], object] = lambda _: None) -> None:
        self._api, self._before = api, before

    async def get(
        self, path: str, params: dict[str, str] | None = None, *, timeout: float
    ) -> bytes:
        """Return the body at a path; raise ApiError."""
        return self._answered(Request("GET", path, params or {})).body

    async def send(self, method: str, path: str, body: Any, *, timeout: float) -> ApiAnswer:
        """Send a body; raise ApiError."""
        url = urlsplit(path)
        headers = {"Content-Type": JSON_PATCH if isinstance(body, list) else MERGE_PATCH}
        sent = json.loads(json.dumps(body))
        request = Request(method, url.path, dict(parse_qsl(url.query)), sent, headers)
        found = self._answered(request)
        return ApiAnswer(found.body, found.warnings)

    def _answered(self, request: Request) -> Answer:
        self._before(request)
        found = self._api.take_fault(request) or self._api.answer(request)
        if found.status >= 300:
            raise _error_of(found)
        return found


def _error_of(found: Answer) -> ApiError:
    said = status_body(found.status, "no Status") | json.loads(found.body)
    causes = (said.get("details") or {}).get("causes") or ()
    return ApiError(
        found.status, said["message"], causes=tuple(StatusCause(**each) for each in causes)
    )
