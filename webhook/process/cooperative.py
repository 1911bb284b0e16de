"""Long loops in the event loop, between whose steps other tasks have their turn."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from time import perf_counter
from typing import Final, TypeVar

T = TypeVar("T")

TURN: Final = 0.0001
"""Seconds that a loop takes at once, and what its last item takes beyond that."""


async def in_turns(items: Iterable[T]) -> AsyncIterator[T]:
    """Yield the items, and now and then let other tasks have their turn."""
    end = perf_counter() + TURN
    for each in items:
        yield each
        if perf_counter() >= end:
            await asyncio.sleep(0)
            end = perf_counter() + TURN
