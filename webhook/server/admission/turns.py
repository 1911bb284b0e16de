"""Large reviews take turns, so that small ones go first."""

import asyncio
from collections.abc import Awaitable
from typing import Final

from webhook.server.http.messages import Handler, HttpRequest, HttpResponse

SMALL: Final = 16 * 1024
"""Bytes. Reviews of real pods have 4 to 10 KiB; one that costs a tenth of a second has 20."""


def take_turns(handler: Handler) -> Handler:
    """Return a handler that answers one large request in a turn of the loop.

    So whoever sends large ones on many connections at once keeps a small one from its answer for
    no longer than one of them takes.
    """
    turn = asyncio.Lock()

    def handle(request: HttpRequest) -> HttpResponse | Awaitable[HttpResponse]:
        return handler(request) if len(request.body) <= SMALL else answer_in_turn(request)

    async def answer_in_turn(request: HttpRequest) -> HttpResponse:
        async with turn:
            await asyncio.sleep(0)
            found = handler(request)
        return found if isinstance(found, HttpResponse) else await found

    return handle
