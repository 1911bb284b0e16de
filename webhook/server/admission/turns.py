"""Large reviews take turns, so that small ones go first, and leave no memory behind."""

import asyncio
import ctypes
from collections.abc import Awaitable, Callable
from typing import Final

from webhook.server.http.messages import Handler, HttpRequest, HttpResponse

SMALL: Final = 16 * 1024
"""Bytes. Reviews of real pods have 4 to 10 KiB; one that costs a tenth of a second has 20."""
HUGE: Final = 256 * 1024
"""Bytes of a request after which free memory goes back to the system."""
PAUSE: Final = 1.0
"""Seconds from such a request until then, so that many of them cost one look through the heap."""


def take_turns(handler: Handler, give_back: Callable[[], None] | None = None) -> Handler:
    """Return a handler that answers one large request in a turn of the loop.

    So whoever sends large ones on many connections at once keeps a small one from its answer for
    no longer than one of them takes. `give_back` is called after huge ones.
    """
    turn = asyncio.Lock()
    give_back = give_back or OncePerPause(malloc_trim()).soon

    def handle(request: HttpRequest) -> HttpResponse | Awaitable[HttpResponse]:
        return handler(request) if len(request.body) <= SMALL else answer_in_turn(request)

    async def answer_in_turn(request: HttpRequest) -> HttpResponse:
        async with turn:
            await asyncio.sleep(0)
            found = handler(request)
        if len(request.body) > HUGE:
            give_back()
        return found if isinstance(found, HttpResponse) else await found

    return handle


class OncePerPause:
    """Calls a function a pause after it was asked to, once for many who ask."""

    def __init__(self, call: Callable[[], object], pause: float = PAUSE) -> None:
        self._call, self._pause = call, pause
        self._waits = False

    def soon(self) -> None:
        """Call the function after the pause."""
        if not self._waits:
            self._waits = True
            asyncio.get_running_loop().call_later(self._pause, self._act)

    def _act(self) -> None:
        self._waits = False
        self._call()


def malloc_trim() -> Callable[[], object]:
    """Return what gives free memory back where the C library is glibc."""
    found = getattr(ctypes.CDLL(None), "malloc_trim", None)
    return (lambda: found(0)) if found else lambda: None
