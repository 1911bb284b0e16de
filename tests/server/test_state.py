"""The snapshots of a server: only nodes that changed are read when an inventory is built."""

import asyncio

import msgspec
from msgspec.structs import replace

from tests.core import large_cluster
from tests.server.long_work import taking_a_turn
from webhook.cli.loaders import load_policy
from webhook.core.api.node import Node
from webhook.core.gpu.inventory import GroupKey, NodeEntry, build_inventory, read_entry
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


def test_reviews_go_between_any_two_nodes_that_are_read() -> None:
    turns = dict[str, int]()
    passed = 0

    def read(
        subject: Node, pools: tuple[DeclaredPool, ...], momentary: tuple[str, ...]
    ) -> NodeEntry:
        turns[subject.metadata.name] = passed
        taking_a_turn()
        return read_entry(subject, pools, momentary)

    async def build() -> None:
        nonlocal passed
        state = ServerState(load_policy(None), read)
        nodes = tuple(msgspec.convert(each, Node) for each in large_cluster.nodes(20, 5))
        built = asyncio.ensure_future(state.set_nodes(nodes))
        while not built.done():
            await asyncio.sleep(0)
            passed += 1

    asyncio.run(build())
    assert len(set(turns.values())) == 20


def test_reviews_go_between_many_nodes_that_did_not_change() -> None:
    passed, nodes = 0, [msgspec.convert(each, Node) for each in large_cluster.nodes(300, 5)]

    async def build() -> None:
        nonlocal passed
        state = ServerState(load_policy(None))
        await state.set_nodes(nodes)
        looked = asyncio.ensure_future(state._group(nodes * 60, state.policy))
        while not looked.done():
            await asyncio.sleep(0)
            passed += 1

    asyncio.run(build())
    assert passed > 5


def test_keys_that_no_node_has_any_more_are_not_kept() -> None:
    async def kept() -> int:
        state = ServerState(load_policy(None))
        for each in large_cluster.nodes(30, 30):
            await state.set_nodes([msgspec.convert(each, Node)])
        return len(state._keys)

    assert asyncio.run(kept()) <= 1


def test_equal_keys_of_groups_become_one_object() -> None:
    policy = load_policy(None)
    nodes = [msgspec.convert(each, Node) for each in large_cluster.nodes(2, 1)]

    async def kept() -> list[GroupKey | None]:
        state = ServerState(policy)
        await state.set_nodes(nodes)
        return [entry.key for _, entry in state._readings.values()]

    first, second = asyncio.run(kept())
    assert first is not None
    assert first is second


def test_a_node_that_stands_twice_in_a_file_counts_once() -> None:
    state, nodes = ServerState(load_policy(None)), list(large_cluster.nodes(2, 2))
    asyncio.run(state.set_nodes(msgspec.convert(nodes + nodes, list[Node])))
    assert state.inventory == build_inventory(msgspec.convert(nodes, list[Node]), ())
