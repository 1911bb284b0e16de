"""The world as its caller sees it."""

import pytest
from cluster_doubles import FAST, eventually
from fake_api import NAMESPACES, NODES
from faults import refuse
from gpu_nodes import Node, decode, gpu_node, namespace, offers, plain_node

from webhook.kube.cache import NodeReading, World
from webhook.kube.clock import Runtime

READING = NodeReading(decode, offers, grace=300)


@pytest.fixture
def changes():
    return []


@pytest.fixture
def world(connection, changes, log, clock):
    made = World(connection, READING, on_change=changes.append, runtime=Runtime(log, FAST, clock))
    yield made
    made.stop()


def ready(world):
    return lambda: world.nodes() is not None and not world.problems()


def test_nothing_is_known_before_the_first_list(world):
    assert world.nodes() is None
    assert world.problems() == ("nodes: not listed yet", "namespaces: not listed yet")


def test_nodes_are_a_snapshot_that_is_replaced(api, world, changes):
    api.put(NODES, gpu_node("a"))
    api.put(NODES, plain_node("cpu"))
    world.start()
    eventually(ready(world))
    before = world.nodes()
    assert before == {"a": Node("T4", 1)}
    with pytest.raises(TypeError):
        before["b"] = Node("T4", 1)
    api.put(NODES, gpu_node("b"))
    eventually(lambda: set(world.nodes()) == {"a", "b"})
    assert before == {"a": Node("T4", 1)}
    assert changes == [before, world.nodes()]


def test_what_changes_no_gpu_node_is_no_change(api, world, changes):
    world.start()
    eventually(ready(world))
    api.put(NODES, plain_node("cpu"))
    api.put(NODES, gpu_node("a"))
    eventually(lambda: "a" in world.nodes())
    api.put(NODES, {**gpu_node("a"), "spec": {"podCIDR": "10.0.0.0/24"}})
    api.put(NODES, gpu_node("b"))
    eventually(lambda: "b" in world.nodes())
    assert [set(nodes) for nodes in changes] == [set(), {"a"}, {"a", "b"}]


@pytest.mark.parametrize("lost", [plain_node("a"), gpu_node("a", gpus=0)])
def test_labels_that_flap_are_overlooked_until_the_grace_ends(api, world, clock, lost):
    api.put(NODES, gpu_node("a"))
    world.start()
    eventually(ready(world))
    api.put(NODES, lost)
    api.put(NODES, gpu_node("later"))
    eventually(lambda: "later" in world.nodes())
    assert world.nodes()["a"] == Node("T4", 1)
    clock.seconds += 301
    eventually(lambda: world.nodes().get("a") != Node("T4", 1))
    assert world.nodes().get("a") in (None, Node("T4", 0))


def test_a_node_that_offers_something_else_or_is_deleted_changes_at_once(api, world):
    api.put(NODES, gpu_node("a"))
    api.put(NODES, gpu_node("b"))
    world.start()
    eventually(ready(world))
    api.put(NODES, gpu_node("a", product="T4-SHARED", gpus=10))
    api.remove(NODES, "b")
    eventually(lambda: world.nodes() == {"a": Node("T4-SHARED", 10)})


def test_a_change_that_the_caller_could_not_take_is_given_again(api, connection, log):
    given = []

    def take(nodes):
        given.append(nodes)
        assert len(given) > 2, "not yet"

    world = World(connection, READING, on_change=take, runtime=Runtime(log, FAST))
    world.start()
    eventually(lambda: world.nodes() is not None)
    world.stop()
    assert len(given) == 3


def test_namespaces_with_a_mode_are_watched_and_others_asked_for(api, world):
    api.put(NAMESPACES, namespace("watched", mode="enforce"))
    assert world.opted_in() is None
    world.start()
    eventually(ready(world))
    eventually(lambda: world.opted_in() == {"watched": {"mode": "enforce"}})
    assert api.asked(NAMESPACES, "get")[0]["labelSelector"] == "gpu-sharing.io/mode"
    assert world.namespace("watched") == {"mode": "enforce"}
    assert api.asked(f"{NAMESPACES}/watched", "get") == []
    assert world.namespace("nowhere") is None
    api.put(NAMESPACES, namespace("watched", mode="audit"))
    eventually(lambda: world.namespace("watched") == {"mode": "audit"})


def test_age_is_that_of_the_slowest_watcher(api, world, clock):
    world.start()
    eventually(ready(world))
    eventually(lambda: api.asked(NODES, "watch") and api.asked(NAMESPACES, "watch"))
    clock.seconds += 50
    api.bookmark(NODES)
    assert world.age(clock()) == 50
    api.bookmark(NAMESPACES)
    eventually(lambda: world.age(clock()) == 0)


def test_a_problem_names_the_missing_right(api, world):
    api.plan(NODES, "get", *[refuse(403, "nodes is forbidden")] * 100)
    world.start()
    eventually(lambda: any("nodes: list,watch is missing" in text for text in world.problems()))
    assert world.nodes() is None
