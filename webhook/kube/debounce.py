"""Calls one coroutine function after changes, many changes at a time."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from webhook.kube.clock import Runtime


class Debounce:
    """Calls `act` soon after `mark`, at most every `settle` and at least every `tick` seconds.

    After a call that raised it goes on, logs "publish failed", and the next tick tries again.
    """

    def __init__(self, name: str, act: Callable[[], Awaitable[None]], runtime: Runtime) -> None:
        self._name = name
        self._act = act
        self._runtime = runtime
        self._marked = asyncio.Event()

    def mark(self) -> None:
        """Note that something changed."""
        self._marked.set()

    async def run(self) -> None:
        """Call until cancelled."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._runtime.intervals.tick):
                    await self._marked.wait()
            # Cleared before the call: a change during it marks anew and is not lost.
            self._marked.clear()
            try:
                await self._act()
            except Exception as error:  # a task that dies would leave the cache as it is, silently
                self._runtime.log("publish failed", resource=self._name, error=repr(error))
            await self._runtime.pause(self._runtime.intervals.settle)
