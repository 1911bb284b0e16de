"""The snapshots of a server: only nodes that changed are read when an inventory is built."""

import asyncio
from dataclasses import replace

import msgspec

from tests.core import large_cluster
from webhook.cli.loaders import load_policy
from webhook.core.api.node import Node
from webhook.core.gpu.inventory import NodeEntry, build_inventory, read_entry
from webhook.core.policy.values import DeclaredPool
from webhook.server.state import ServerState


def test_a_node_is_read_again_only_when_it_or_the_policy_changed() -> None:
    policy, asked = load_policy(None), list[str]()
    first, second, third = (msgspec.convert(each, Node) for each in large_cluster.nodes(3, 3))
    changed = msgspec.structs.replace(second, status=third.status)

    def read(
        subject: Node, pools: tuple[DeclaredPool, ...], momentary: tuple[str, ...]
    ) -> NodeEntry:
        asked.append(subject.metadata.name)
        return read_entry(subject, pools, momentary)

    async def change() -> None:
        state = ServerState(policy, read)
        await state.set_nodes((first, second, third))
        await state.set_nodes((first, changed))
        assert state.inventory == build_inventory((first, changed), policy.pools)
        await state.set_policy(replace(policy))

    asyncio.run(change())
    assert asked == ["node-0", "node-1", "node-2", "node-1", "node-0", "node-1"]
