"""What a worker leaves to the next one: the last nodes it wrote whole, or none."""

import asyncio
import os

from webhook.core.api.node import Node, NodeMetadata
from webhook.server.kept_nodes import SIZE, KeptNodes

NODE = Node(NodeMetadata("a", {"nvidia.com/gpu.product": "A100"}))


def test_nodes_are_kept_over_a_fork_and_replaced() -> None:
    kept = KeptNodes()
    assert kept.read() is None
    for nodes in ((NODE,) * 250, (), (NODE,)):
        child = os.fork()
        if child == 0:
            asyncio.run(kept.write(nodes))
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        assert kept.read() == nodes


def test_too_many_are_not_kept_nor_those_before_them() -> None:
    kept = KeptNodes()
    asyncio.run(kept.write([NODE]))
    asyncio.run(kept.write([Node(NodeMetadata("a" * SIZE))]))
    assert kept.read() is None
