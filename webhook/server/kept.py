"""Nodes and labels that a worker leaves to the one that takes its place."""

import mmap
from collections.abc import Iterable
from typing import Final, Generic, TypeVar

import msgspec

from webhook.process.cooperative import in_turns

T = TypeVar("T")

SIZE: Final = 16 * 1024 * 1024
"""Bytes of a half, taken from the system as they are written: 5,000 nodes are 3 MB."""

HEAD: Final = 16
"""Bytes of two numbers: where the items begin and end, 0 for none."""


class Kept(Generic[T]):
    """Items of a type in memory that this process shares with those it forks.

    It has two halves, since one stays whole while the other is written, in many turns.
    """

    def __init__(self, kind: type[T]) -> None:
        self._memory = mmap.mmap(-1, HEAD + 2 * SIZE)
        self._head = memoryview(self._memory)[:HEAD].cast("Q")
        self._decoder = msgspec.json.Decoder(kind)

    async def write(self, items: Iterable[T]) -> None:
        """Keep these instead, or none where they are too many."""
        start = end = HEAD if self._head[0] != HEAD else HEAD + SIZE
        async for each in in_turns(items):
            line = msgspec.json.encode(each) + b"\n"
            at, end = end, end + len(line)
            if end > start + SIZE:
                start = end = 0
                break
            self._memory[at:end] = line
        self._head[0] = 0  # one number at a time: whoever is killed here leaves none
        self._head[1] = end
        self._head[0] = start

    def read(self) -> tuple[T, ...] | None:
        """Return the items that were kept, None for none."""
        start, end = self._head
        return tuple(self._decoder.decode_lines(self._memory[start:end])) if start else None
