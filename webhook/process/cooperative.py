"""Long loops in the event loop, between whose steps other tasks have their turn."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import Final, TypeVar

T = TypeVar("T")

STEP: Final = 100
"""Items to a turn: of 5,000 nodes that did not change, 0.05 ms."""


async def in_turns(items: Iterable[T]) -> AsyncIterator[T]:
    """Yield the items, and now and then let other tasks have their turn."""
    for count, each in enumerate(items, 1):
        yield each
        if count % STEP == 0:
            await asyncio.sleep(0)
