"""The reflector, against a server that misbehaves."""

import pytest
from cluster_doubles import FAST, NODES, asked, eventually
from gpu_nodes import decode, gpu_node

from tests.fake_apiserver.answers import json_answer, status
from tests.fake_apiserver.faults import silent_stream, stream
from webhook.kube.clock import Runtime
from webhook.kube.list_watch import WatchedResource
from webhook.kube.reflector import Reflector
from webhook.kube.retry import Backoff

SOURCE = WatchedResource("nodes", NODES, decode)
TOO_OLD = stream(("ERROR", {"code": 410, "message": "too old resource version"}))


async def test_a_page_token_that_expired_starts_the_list_again(api, watch, published):
    api.page_size = 1
    api.store.put(NODES, gpu_node("a"))
    api.store.put(NODES, gpu_node("b"))
    first = {"metadata": {"resourceVersion": "1", "continue": "1"}, "items": [gpu_node("gone")]}
    api.plan("list", NODES, json_answer(200, first), status(410))
    watch()
    await eventually(lambda: published.all)
    assert published.names == {"a", "b"}


@pytest.mark.parametrize("fault", [status(410), TOO_OLD])
async def test_a_version_too_old_leads_to_a_new_list(api, watch, log, fault):
    api.plan("watch", NODES, fault)
    watch(healthy=60)
    await eventually(lambda: len(asked(api, "watch", NODES)) == 2)
    assert len(asked(api, "list", NODES)) == 2
    assert [line["retry_in"] for line in log.of("watch failed")] == [0]


async def test_the_second_410_in_a_row_waits(api, watch, log):
    api.plan("watch", NODES, TOO_OLD, TOO_OLD, status(410))
    watch(healthy=60)
    await eventually(lambda: len(asked(api, "watch", NODES)) == 4)
    waits = [line["retry_in"] for line in log.of("watch failed")]
    assert waits[0] == 0
    assert min(waits[1:]) >= 0.01


async def test_a_watch_that_ends_at_once_again_and_again_is_no_hot_loop(api, watch, log):
    api.plan("watch", NODES, *[stream(("BOOKMARK", {"metadata": {"resourceVersion": "9"}}))] * 3)
    watch(healthy=60)
    await eventually(lambda: len(asked(api, "watch", NODES)) == 4)
    assert len(log.of("watch failed")) == 3


async def test_a_stream_that_breaks_in_a_line_goes_on_from_the_last_version(api, watch, published):
    event = {**gpu_node("a")}
    event["metadata"]["resourceVersion"] = "50"
    api.plan("watch", NODES, stream(("ADDED", event), end=b'50\r\n{"type":"DELE'))
    watch()
    await eventually(lambda: published.names == {"a"})
    await eventually(lambda: asked(api, "watch", NODES)[-1]["resourceVersion"] == "50")
    assert len(asked(api, "list", NODES)) == 1


async def test_a_server_that_was_down_is_found_again(api, watch, published, log):
    watcher = watch()
    await eventually(lambda: published.all)
    api.stop()
    await eventually(watcher.problem)
    api.start()
    api.store.put(NODES, gpu_node("new"))
    await eventually(lambda: published.names == {"new"})
    assert not watcher.problem()
    assert log.of("reached again")


async def test_a_missing_right_is_named_until_it_is_there(api, watch, published, log):
    api.plan("list", NODES, status(403, "nodes is forbidden"), status(401), status(403))
    watcher = watch(backoff=Backoff(0.05, 0.05))
    await eventually(lambda: log.of("right missing"))
    assert log.of("right missing")[0]["right"] == "nodes: list,watch"
    assert "not listed yet" in watcher.problem()
    await eventually(lambda: published.all)
    assert len(log.of("right missing")) == 3
    await eventually(lambda: watcher.problem() == "")


async def test_retry_after_is_waited_for(api, watch, log):
    api.plan("list", NODES, status(503, Retry_After="7"))
    watch()
    await eventually(lambda: log.of("watch failed"))
    assert log.of("watch failed")[0]["retry_in"] == 7


async def test_a_silent_stream_is_given_up(api, watch, published):
    api.plan("watch", NODES, silent_stream)
    watch(watch=1, margin=0.1)
    await eventually(lambda: len(asked(api, "watch", NODES)) >= 2)
    api.store.put(NODES, gpu_node("a"))
    await eventually(lambda: published.names == {"a"})


async def test_a_publication_that_fails_is_repeated(api, client, log, running):
    runtime, got = Runtime(log, FAST), []

    async def publish(items):
        got.append(items)
        assert len(got) > 2, "not yet"

    running(Reflector(client, SOURCE, publish=publish, runtime=runtime))
    await eventually(lambda: len(got) > 2)
    await running.end()
    assert len(log.of("publish failed")) == 2
