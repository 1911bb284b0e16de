"""What a worker leaves to the next one: the last items it wrote whole, or none."""

import asyncio
import os
import signal
import sys

from webhook.core.api.node import Node, NodeMetadata
from webhook.server.kept import SIZE, Kept

NODE = Node(NodeMetadata("a", {"nvidia.com/gpu.product": "A100"}))


def test_items_are_kept_over_a_fork_and_replaced() -> None:
    kept = Kept(Node)
    assert kept.read() is None
    for nodes in ((NODE,) * 250, (), (NODE,)):
        child = os.fork()
        if child == 0:
            asyncio.run(kept.write(nodes))
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        assert kept.read() == nodes


def test_too_many_are_not_kept_nor_those_before_them() -> None:
    kept = Kept(Node)
    asyncio.run(kept.write([NODE]))
    asyncio.run(kept.write([Node(NodeMetadata("a" * SIZE))]))
    assert kept.read() is None


def test_whoever_is_killed_between_two_lines_leaves_what_was_whole_or_none() -> None:
    old, new = (NODE,), (NODE, NODE)
    found = []
    for line in range(100):
        kept = Kept(Node)
        asyncio.run(kept.write(old))
        child = os.fork()
        if child == 0:
            _write_some(kept, new, line)
        ended = os.waitpid(child, 0)[1]
        found.append(kept.read())
        if ended == 0:
            break
    assert ended == 0
    assert all(each in (old, None, new) for each in found)
    assert None in found


def _write_some(kept: Kept[Node], nodes: tuple[Node, ...], lines: int) -> None:
    """Be killed before so many lines of `write` ran, or end."""
    left = lines

    def trace(frame, event, _):  # type: ignore[no-untyped-def]
        nonlocal left
        if frame.f_code.co_name != "write":
            return None
        if event == "line":
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)
        return trace

    writing = kept.write(nodes)
    sys.settrace(trace)
    asyncio.run(writing)
    os._exit(0)
