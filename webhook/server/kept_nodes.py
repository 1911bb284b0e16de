"""Nodes that a worker leaves to the one that takes its place."""

import mmap
import struct
from collections.abc import Iterable
from typing import Final

import msgspec

from webhook.core.api.node import Node
from webhook.process.cooperative import in_turns

SIZE: Final = 16 * 1024 * 1024
"""Bytes of a half, taken from the system as they are written: 5,000 nodes are 3 MB."""

HEAD: Final = struct.Struct("QQ")  # where the nodes begin and end, 0 for none
_DECODER: Final = msgspec.json.Decoder(Node)


class KeptNodes:
    """Memory that this process shares with those it forks.

    It has two halves, since one stays whole while the other is written, in many turns.
    """

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, HEAD.size + 2 * SIZE)

    async def write(self, nodes: Iterable[Node]) -> None:
        """Keep these instead, or none where they are too many."""
        before, _ = HEAD.unpack_from(self._memory)
        start = end = HEAD.size if before != HEAD.size else HEAD.size + SIZE
        async for node in in_turns(nodes):
            line = msgspec.json.encode(node) + b"\n"
            at, end = end, end + len(line)
            if end > start + SIZE:
                start = end = 0
                break
            self._memory[at:end] = line
        HEAD.pack_into(self._memory, 0, start, end)

    def read(self) -> tuple[Node, ...] | None:
        """Return the nodes that were kept, None for none."""
        start, end = HEAD.unpack_from(self._memory)
        return tuple(_DECODER.decode_lines(self._memory[start:end])) if start else None
