"""The Status of a failed answer as an ApiError, and the text of warnings."""

from __future__ import annotations

import asyncio
import re
from typing import Final

import aiohttp
import msgspec

from webhook.kube.api_types import Status
from webhook.kube.errors import ApiError

STATUS_SIZE: Final = 16 * 1024  # bytes read of an error's body: a Status is far smaller
STATUS_SECONDS: Final = 5.0  # for the body of an error
PAGE_SIZE: Final = 300  # bytes kept of what is no Status: a proxy may answer with a whole page


async def status_error(response: aiohttp.ClientResponse) -> ApiError:
    """Return the error of an answer that is no success."""
    body = bytearray()
    try:
        async with asyncio.timeout(STATUS_SECONDS):
            while len(body) < STATUS_SIZE and (part := await response.content.read(STATUS_SIZE)):
                body += part
    except (TimeoutError, aiohttp.ClientError):
        pass  # the status says enough
    try:
        status = msgspec.json.decode(body, type=Status)
    except msgspec.MsgspecError:
        text = bytes(body[:PAGE_SIZE]).decode(errors="replace")
        status = Status(message="" if text.lstrip().startswith("<") else text)  # no pages
    wait = response.headers.get("Retry-After", "")
    return ApiError(
        response.status,
        status.message or response.reason or "",
        retry_after=float(wait) if wait.isdecimal() else None,
        causes=status.causes,
    )


def warning_text(header: str) -> str:
    """The text of a Warning header, `299 - "text"` (RFC 7234, 5.5)."""
    found = re.search(r'"((?:[^"\\]|\\.)*)"', header)
    return re.sub(r"\\(.)", r"\1", found[1]) if found else ""
