"""Nodes that a worker leaves to the one that takes its place."""

import mmap
from collections.abc import Iterable
from typing import Final

import msgspec

from webhook.core.api.node import Node
from webhook.process.cooperative import in_turns

SIZE: Final = 16 * 1024 * 1024
"""Bytes, taken from the system as they are written: 5,000 nodes are 3 MB."""

HEAD: Final = 8  # bytes of the length, which is 0 while what follows is written


class KeptNodes:
    """Memory that this process shares with those it forks."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, SIZE)

    async def write(self, nodes: Iterable[Node]) -> None:
        """Keep these instead, or none where they are too many."""
        each = [msgspec.json.encode(node) async for node in in_turns(nodes)]
        written = b"[" + b",".join(each) + b"]"
        self._memory[:HEAD] = bytes(HEAD)
        if len(written) <= SIZE - HEAD:
            self._memory[HEAD : HEAD + len(written)] = written
            self._memory[:HEAD] = len(written).to_bytes(HEAD)

    def read(self) -> tuple[Node, ...] | None:
        """Return the nodes that were kept, None for none."""
        length = int.from_bytes(self._memory[:HEAD])
        if not length:
            return None
        return msgspec.json.decode(self._memory[HEAD : HEAD + length], type=tuple[Node, ...])
