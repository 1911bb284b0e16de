"""Labels of namespaces: watched, asked for, remembered, given up."""

import asyncio

import pytest
from cluster_doubles import FAST, NAMESPACES, asked
from gpu_nodes import namespace
from msgspec.structs import replace

from tests.fake_apiserver.answers import json_answer, status
from tests.fake_apiserver.faults import Gate, silent
from webhook.core.api import names
from webhook.kube.clock import Runtime
from webhook.kube.namespaces import LookupLimits, NamespaceLabels

TEAM = f"{NAMESPACES}/team"
LIMITS = LookupLimits()


@pytest.fixture
def lookup(client, log, clock):
    """Make a lookup with some limits changed and some namespaces watched."""

    def make(watched=None, **limits):
        runtime = Runtime(log, FAST, now=clock)
        return NamespaceLabels(
            client,
            lambda: watched or {},
            runtime=runtime,
            limits=replace(LIMITS, **limits),
        )

    return make


MODES = ("enforce",)
ENFORCED = {names.MODE: "enforce"}


async def test_a_watched_namespace_costs_no_request(api, lookup):
    assert lookup({"team": ENFORCED}).labels("team", MODES) == ENFORCED
    assert api.requests == []


async def test_a_watched_namespace_of_another_mode_is_asked_for(api, lookup):
    api.store.put(NAMESPACES, namespace("team", **ENFORCED))
    audited = {"team": {names.MODE: "audit"}}
    assert await lookup(audited).labels("team", MODES) == ENFORCED


async def test_another_one_is_asked_for_and_remembered_for_a_while(api, lookup, clock):
    api.store.put(NAMESPACES, namespace("team", tier="gold"))
    namespaces = lookup()
    assert await namespaces.labels("team", MODES) == {"tier": "gold"}
    await asyncio.sleep(0)
    clock.seconds += 4.9
    assert namespaces.labels("team", MODES) == {"tier": "gold"}
    assert len(asked(api, "get", TEAM)) == 1
    clock.seconds += 0.2
    await namespaces.labels("team", MODES)
    assert len(asked(api, "get", TEAM)) == 2


async def test_a_namespace_without_labels_has_none_of_them(api, lookup):
    api.store.put(NAMESPACES, {"metadata": {"name": "team"}})
    assert await lookup().labels("team", MODES) == {}


async def test_a_failure_is_none_told_and_remembered_shorter(api, lookup, log, clock):
    namespaces = lookup()
    assert await namespaces.labels("team", MODES) is None
    assert await namespaces.labels("team", MODES) is None
    assert log.of("namespace not looked up") == [
        {"namespace": "team", "error": 'HTTP 404: namespaces "team" not found'}
    ]
    api.store.put(NAMESPACES, namespace("team"))
    clock.seconds += 2.1
    assert await namespaces.labels("team", MODES) == {}


@pytest.mark.parametrize("answer", [status(403), json_answer(200, ["odd"])])
async def test_any_bad_answer_is_none(api, lookup, log, answer):
    api.plan("get", TEAM, answer)
    assert await lookup().labels("team", MODES) is None
    assert log.of("namespace not looked up")


async def test_a_silent_server_is_given_up_after_half_a_second(api, lookup, log):
    """The clock is passed in: what is asked of it is half a second, for a turn and an answer."""
    asked = []

    def timer(seconds):
        asked.append(seconds)
        return asyncio.timeout(seconds / 50)

    api.plan("get", TEAM, silent)
    assert await lookup(timer=timer).labels("team", MODES) is None
    assert asked == [0.5]
    assert log.of("namespace not looked up")[0]["error"] == "no answer within 0.5 s"


async def test_a_burst_of_pods_in_a_namespace_is_one_request(api, lookup):
    api.store.put(NAMESPACES, namespace("team", tier="gold"))
    gate = Gate()
    api.plan("get", TEAM, gate)
    namespaces = lookup(seconds=5)
    waiting = [namespaces.labels("team", MODES) for _ in range(100)]
    gate.open()
    answers = await asyncio.gather(*waiting)
    assert answers == [{"tier": "gold"}] * 100
    assert len(asked(api, "get", TEAM)) == 1


async def test_one_who_goes_away_takes_the_answer_from_nobody(api, lookup):
    api.store.put(NAMESPACES, namespace("team", tier="gold"))
    gate = Gate()
    api.plan("get", TEAM, gate)
    namespaces = lookup(seconds=5)
    gone, staying = namespaces.labels("team", MODES), namespaces.labels("team", MODES)
    await asyncio.sleep(0)
    gone.cancel()
    gate.open()
    assert await staying == {"tier": "gold"}
    assert gone.cancelled()


async def test_no_more_requests_than_allowed_are_under_way(api, lookup, log):
    names = [f"team{number}" for number in range(4)]
    for name in names:
        api.plan("get", f"{NAMESPACES}/{name}", silent)
    namespaces = lookup(at_once=1, seconds=0.2)
    assert await asyncio.gather(*(namespaces.labels(each, MODES) for each in names)) == [None] * 4
    errors = [str(line["error"]) for line in log.of("namespace not looked up")]
    assert len(errors) == 4
    assert "1 lookups are under way already" in errors


async def test_what_is_remembered_is_bounded(api, lookup, clock):
    namespaces = lookup(most=2)
    for name in "abc":
        await namespaces.labels(name, MODES)
        await asyncio.sleep(0)
        clock.seconds += 10
    assert len(namespaces._lookups) <= 2


async def test_a_strange_name_stays_in_its_place_of_the_path(api, lookup):
    assert await lookup().labels("../nodes", MODES) is None
    assert api.requests[0].path == f"{NAMESPACES}/..%2Fnodes"
