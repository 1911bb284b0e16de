"""The reflector, as long as the server behaves."""

import asyncio
import time
from contextlib import asynccontextmanager

import pytest
from cluster_doubles import FAST, NODES, asked, eventually
from gpu_nodes import Node, decode, gpu_node, plain_node
from test_watch import line, page

from tests.fake_apiserver.answers import status
from tests.fake_apiserver.faults import silent_stream, stream
from tests.server.long_work import taking_a_turn
from webhook.kube.clock import Intervals, Runtime
from webhook.kube.list_watch import WatchedResource
from webhook.kube.reflector import Reflector
from webhook.kube.retry import Backoff

SOURCE = WatchedResource("nodes", NODES, decode)


def test_snapshots_of_many_changes_follow_each_other_once_a_second() -> None:
    assert Intervals().settle >= 1


async def test_the_list_and_then_each_event_is_published(api, watch, published):
    api.store.put(NODES, gpu_node("a"))
    api.store.put(NODES, plain_node("cpu"))
    watcher = watch()
    await eventually(lambda: published.all)
    assert published.all[0] == {"a": Node("T4", 1), "cpu": None}
    assert watcher.listed
    api.store.put(NODES, gpu_node("b"))
    await eventually(lambda: published.names == {"a", "b", "cpu"})
    api.store.remove(f"{NODES}/a")
    await eventually(lambda: published.names == {"b", "cpu"})
    assert len(published.all[0]) == 2


async def test_an_empty_cluster_is_seen_too(api, watch, published):
    watch()
    await eventually(lambda: published.all == [{}])


async def test_a_list_of_many_pages_is_published_once(api, watch, published):
    api.page_size = 10
    for number in range(35):
        api.store.put(NODES, gpu_node(f"n{number}"))
    watch()
    await eventually(lambda: published.all)
    assert len(published.names) == 35
    assert len(asked(api, "list", NODES)) == 4


async def test_a_burst_becomes_few_publications(api, watch, published):
    watch(settle=0.3)
    await eventually(lambda: published.all)
    for number in range(200):
        api.store.put(NODES, gpu_node(f"n{number}"))
    await eventually(lambda: len(published.names) == 200)
    assert len(published.all) < 10


class AtOnce:
    """Answers as a client does that has received everything already."""

    async def get(self, *_, **__):
        return page(*(gpu_node(f"n{number}") for number in range(20)))

    @asynccontextmanager
    async def stream(self, *_, **__):
        async def lines():
            for number in range(20):
                yield line("MODIFIED", gpu_node("a", gpus=number))
            await asyncio.Event().wait()

        yield lines()


async def test_reviews_go_between_any_two_objects_of_a_list_or_watch(published, log, running):
    turns, read = [0], []

    def noting(raw):
        read.append(turns[0])
        taking_a_turn()
        return decode(raw)

    running(
        Reflector(
            AtOnce(),
            WatchedResource("nodes", NODES, noting),
            publish=published,
            runtime=Runtime(log, FAST),
        )
    )
    while len(read) < 40:
        turns[0] += 1
        await asyncio.sleep(0)
    assert len(set(read)) == 40


async def test_a_bookmark_moves_the_version_that_the_next_watch_asks_for(api, watch, log):
    watch()
    await eventually(lambda: asked(api, "watch", NODES))
    api.plan("watch", NODES, stream(("BOOKMARK", {"metadata": {"resourceVersion": "4711"}})))
    api.stop()
    api.start()
    await eventually(lambda: asked(api, "watch", NODES)[-1]["resourceVersion"] == "4711")
    assert len(asked(api, "list", NODES)) == 1


async def test_an_unreadable_object_is_told_and_the_others_are_there(api, watch, published, log):
    api.store.put(NODES, {"metadata": {"name": "bad"}, "status": []})
    api.store.put(NODES, gpu_node("a"))
    watch()
    await eventually(lambda: published.names == {"a"})
    api.store.put(NODES, {"metadata": {"name": "worse"}, "status": 1})
    api.store.put(NODES, gpu_node("b"))
    await eventually(lambda: published.names == {"a", "b"})
    skipped = [str(line["reason"]).split(":")[0] for line in log.of("object skipped")]
    assert skipped == ["bad", "worse"]


async def test_contact_is_renewed_by_a_bookmark(api, watch, published):
    watcher = watch()
    await eventually(lambda: published.all and asked(api, "watch", NODES))
    before = time.monotonic()
    assert watcher.last_contact < before
    api.store.bookmark(NODES)
    await eventually(lambda: watcher.last_contact > before)


@pytest.mark.parametrize("kind", ["list", "watch"])
async def test_the_end_comes_out_of_a_request_that_is_waiting(api, watch, running, kind):
    api.plan(kind, NODES, silent_stream)
    watch()
    await eventually(lambda: asked(api, kind, NODES))
    await running.end()


async def test_the_end_comes_out_of_a_long_wait(api, watch, log, running):
    api.plan("list", NODES, status(500))
    watch(backoff=Backoff(60, 60))
    await eventually(lambda: log.of("watch failed"))
    await running.end()
