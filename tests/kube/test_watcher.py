"""The watching thread, as long as the server behaves."""

import time

from cluster_doubles import eventually
from fake_api import NODES
from faults import refuse, silent, stream
from gpu_nodes import Node, decode, gpu_node, plain_node

from webhook.kube.list_watch import Source
from webhook.kube.lister import read_once
from webhook.kube.reflector import Watcher
from webhook.kube.retry import Backoff

SOURCE = Source("nodes", NODES, decode)


def test_the_list_and_then_each_event_is_published(api, watch, published):
    api.put(NODES, gpu_node("a"))
    api.put(NODES, plain_node("cpu"))
    watcher = watch()
    eventually(lambda: published.all)
    assert published.all[0] == {"a": Node("T4", 1), "cpu": None}
    assert watcher.seen
    api.put(NODES, gpu_node("b"))
    eventually(lambda: published.names == {"a", "b", "cpu"})
    api.remove(NODES, "a")
    eventually(lambda: published.names == {"b", "cpu"})
    assert len(published.all[0]) == 2


def test_an_empty_cluster_is_seen_too(api, watch, published):
    watch()
    eventually(lambda: published.all == [{}])


def test_a_list_of_many_pages_is_published_once(api, watch, published):
    api.page_size = 10
    for number in range(35):
        api.put(NODES, gpu_node(f"n{number}"))
    watch()
    eventually(lambda: published.all)
    assert len(published.names) == 35
    assert len(api.asked(NODES, "get")) == 4


def test_a_burst_becomes_few_publications(api, watch, published):
    watch(settle=0.3)
    eventually(lambda: published.all)
    for number in range(200):
        api.put(NODES, gpu_node(f"n{number}"))
    eventually(lambda: len(published.names) == 200)
    assert len(published.all) < 10


def test_a_bookmark_moves_the_version_that_the_next_watch_asks_for(api, watch, log):
    watch()
    eventually(lambda: api.asked(NODES, "watch"))
    api.plan(NODES, "watch", stream(("BOOKMARK", {"metadata": {"resourceVersion": "4711"}})))
    api.stop()
    api.start()
    eventually(lambda: api.asked(NODES, "watch")[-1]["resourceVersion"] == "4711")
    assert len(api.asked(NODES, "get")) == 1


def test_an_unreadable_object_is_told_and_the_others_are_there(api, watch, published, log):
    api.put(NODES, {"metadata": {"name": "bad"}, "status": []})
    api.put(NODES, gpu_node("a"))
    watch()
    eventually(lambda: published.names == {"a"})
    api.put(NODES, {"metadata": {"name": "worse"}, "status": 1})
    api.put(NODES, gpu_node("b"))
    eventually(lambda: published.names == {"a", "b"})
    skipped = [str(line["reason"]).split(":")[0] for line in log.of("object skipped")]
    assert skipped == ["bad", "worse"]


def test_contact_is_renewed_by_a_bookmark(api, watch, published):
    watcher = watch()
    eventually(lambda: published.all and api.asked(NODES, "watch"))
    before = time.monotonic()
    assert watcher.last_contact < before
    api.bookmark(NODES)
    eventually(lambda: watcher.last_contact > before)


def test_stop_ends_a_watch_that_is_waiting(api, watch):
    api.plan(NODES, "watch", silent)
    watcher = watch()
    eventually(lambda: api.asked(NODES, "watch"))
    started = time.monotonic()
    watcher.stop()
    assert time.monotonic() - started < 2


def test_stop_ends_a_long_wait(api, watch, log):
    api.plan(NODES, "get", refuse(500))
    watcher = watch(backoff=Backoff(60, 60))
    eventually(lambda: log.of("watch failed"))
    watcher.stop()


def test_stop_before_start_is_no_error(connection, runtime, published):
    Watcher(connection, SOURCE, publish=published, runtime=runtime).stop()


def test_one_list_for_commands(api, connection):
    api.page_size = 1
    for item in (gpu_node("a"), plain_node("cpu"), {"metadata": {"name": "bad"}, "status": 1}):
        api.put(NODES, item)
    items, skipped = read_once(connection, SOURCE, timeout=5)
    assert items == {"a": Node("T4", 1)}
    assert len(skipped) == 1
