"""The cache of a cluster as its caller sees it."""

import asyncio

import pytest
from cluster_doubles import FAST, NAMESPACES, NODES, asked, eventually
from gpu_nodes import Node, decode, gpu_node, namespace, offers, plain_node

from tests.fake_apiserver.answers import status
from webhook.kube.cache import ClusterCache, Listeners, NodeReading
from webhook.kube.clock import Runtime

READING = NodeReading(decode, offers, grace=300)


async def ignore(_):
    pass


@pytest.fixture
def changes():
    return []


@pytest.fixture
def world(client, changes, log, clock):
    async def note(nodes):
        changes.append(nodes)

    runtime = Runtime(log, FAST, clock)
    return ClusterCache(client, READING, listeners=Listeners(note, ignore), runtime=runtime)


def problems(world):
    return (world.node_reflector.problem(), world.namespace_reflector.problem())


def ready(world):
    return lambda: world.nodes() is not None and problems(world) == ("", "")


def test_nothing_is_known_before_the_first_list(world):
    assert world.nodes() is None
    assert problems(world) == ("not listed yet", "not listed yet")


async def test_nodes_are_a_snapshot_that_is_replaced(api, running, world, changes):
    api.store.put(NODES, gpu_node("a"))
    api.store.put(NODES, plain_node("cpu"))
    running(world)
    await eventually(ready(world))
    before = world.nodes()
    assert before == {"a": Node("T4", 1)}
    with pytest.raises(TypeError):
        before["b"] = Node("T4", 1)
    api.store.put(NODES, gpu_node("b"))
    await eventually(lambda: set(world.nodes()) == {"a", "b"})
    assert before == {"a": Node("T4", 1)}
    assert changes == [before, world.nodes()]


async def test_what_changes_no_gpu_node_is_no_change(api, running, world, changes):
    running(world)
    await eventually(ready(world))
    api.store.put(NODES, plain_node("cpu"))
    api.store.put(NODES, gpu_node("a"))
    await eventually(lambda: "a" in world.nodes())
    api.store.put(NODES, {**gpu_node("a"), "spec": {"podCIDR": "10.0.0.0/24"}})
    api.store.put(NODES, gpu_node("b"))
    await eventually(lambda: "b" in world.nodes())
    assert [set(nodes) for nodes in changes] == [set(), {"a"}, {"a", "b"}]


@pytest.mark.parametrize("lost", [plain_node("a"), gpu_node("a", gpus=0)])
async def test_labels_that_flap_are_overlooked_until_the_grace_ends(api, world, clock, lost):
    api.store.put(NODES, gpu_node("a"))
    task = asyncio.create_task(world.run())
    await eventually(ready(world))
    api.store.put(NODES, lost)
    api.store.put(NODES, gpu_node("later"))
    await eventually(lambda: "later" in world.nodes())
    assert world.nodes()["a"] == Node("T4", 1)
    clock.seconds += 301
    await eventually(lambda: world.nodes().get("a") != Node("T4", 1))
    assert world.nodes().get("a") in (None, Node("T4", 0))
    task.cancel()


async def test_a_node_that_offers_something_else_or_is_deleted_changes_at_once(api, running, world):
    api.store.put(NODES, gpu_node("a"))
    api.store.put(NODES, gpu_node("b"))
    running(world)
    await eventually(ready(world))
    api.store.put(NODES, gpu_node("a", product="T4-SHARED", gpus=10))
    api.store.remove(f"{NODES}/b")
    await eventually(lambda: world.nodes() == {"a": Node("T4-SHARED", 10)})


async def test_a_change_that_the_caller_could_not_take_is_given_again(api, client, log, running):
    given = []

    async def take(nodes):
        given.append(nodes)
        assert len(given) > 2, "not yet"

    world = ClusterCache(
        client, READING, listeners=Listeners(take, ignore), runtime=Runtime(log, FAST)
    )
    running(world)
    await eventually(lambda: world.nodes() is not None)
    await running.end()
    assert len(given) == 3


MODES = ("enforce", "audit")
ENFORCED, AUDITED = ({"gpu-sharing.io/mode": mode} for mode in MODES)


async def test_namespaces_with_a_mode_are_watched_and_others_asked_for(api, running, world):
    api.store.put(NAMESPACES, namespace("watched", **ENFORCED))
    assert world.opted_in() is None
    running(world)
    await eventually(ready(world))
    await eventually(lambda: world.opted_in() == {"watched": ENFORCED})
    assert asked(api, "list", NAMESPACES)[0]["labelSelector"] == "gpu-sharing.io/mode"
    assert world.namespace_labels("watched", MODES) == ENFORCED
    assert asked(api, "get", f"{NAMESPACES}/watched") == []
    assert await world.namespace_labels("nowhere", MODES) is None
    api.store.put(NAMESPACES, namespace("watched", **AUDITED))
    await eventually(lambda: world.namespace_labels("watched", MODES) == AUDITED)


async def test_age_is_that_of_the_slowest_watcher(api, running, world, clock):
    running(world)
    await eventually(ready(world))
    await eventually(lambda: asked(api, "watch", NODES) and asked(api, "watch", NAMESPACES))
    clock.seconds += 50
    api.store.bookmark(NODES)
    assert world.age(clock()) == 50
    api.store.bookmark(NAMESPACES)
    await eventually(lambda: world.age(clock()) == 0)


async def test_a_problem_names_the_missing_right(api, running, world):
    api.plan("list", NODES, *[status(403, "nodes is forbidden")] * 100)
    running(world)
    await eventually(lambda: "nodes: list,watch is missing" in problems(world)[0])
    assert world.nodes() is None
