"""Labels of namespaces: watched, asked for, remembered, given up."""

import dataclasses
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from cluster_doubles import FAST
from fake_api import NAMESPACES
from faults import refuse, slow
from gpu_nodes import namespace

from webhook.kube.clock import Runtime
from webhook.kube.namespaces import Limits, Namespaces

TEAM = f"{NAMESPACES}/team"
LIMITS = Limits()


@pytest.fixture
def lookup(connection, log, clock):
    """Make a lookup with some limits changed and some namespaces watched."""

    def make(watched=None, **limits):
        runtime = Runtime(log, FAST, now=clock)
        return Namespaces(
            connection,
            lambda: watched or {},
            runtime=runtime,
            limits=dataclasses.replace(LIMITS, **limits),
        )

    return make


def test_a_watched_namespace_costs_no_request(api, lookup):
    assert lookup({"team": {"mode": "enforce"}}).labels("team") == {"mode": "enforce"}
    assert api.requests == []


def test_another_one_is_asked_for_and_remembered_for_a_while(api, lookup, clock):
    api.put(NAMESPACES, namespace("team", tier="gold"))
    namespaces = lookup()
    assert namespaces.labels("team") == {"tier": "gold"}
    clock.seconds += 4.9
    assert namespaces.labels("team") == {"tier": "gold"}
    assert len(api.asked(TEAM, "get")) == 1
    clock.seconds += 0.2
    namespaces.labels("team")
    assert len(api.asked(TEAM, "get")) == 2


def test_a_namespace_without_labels_has_none_of_them(api, lookup):
    api.put(NAMESPACES, {"metadata": {"name": "team"}})
    assert lookup().labels("team") == {}


def test_a_failure_is_none_told_and_remembered_shorter(api, lookup, log, clock):
    namespaces = lookup()
    assert namespaces.labels("team") is None
    assert namespaces.labels("team") is None
    assert log.of("namespace not looked up") == [
        {"namespace": "team", "error": "HTTP 404: team not found"}
    ]
    api.put(NAMESPACES, namespace("team"))
    clock.seconds += 2.1
    assert namespaces.labels("team") == {}


@pytest.mark.parametrize("answer", [refuse(403), lambda handler: handler.send(200, ["odd"])])
def test_any_bad_answer_is_none(api, lookup, log, answer):
    api.plan(TEAM, "get", answer)
    assert lookup().labels("team") is None
    assert log.of("namespace not looked up")


def test_a_slow_answer_is_given_up_in_time(api, lookup):
    api.plan(TEAM, "get", slow(5))
    started = time.monotonic()
    assert lookup().labels("team") is None
    assert time.monotonic() - started < 2


def test_a_burst_of_pods_in_a_namespace_is_one_request(api, lookup):
    api.put(NAMESPACES, namespace("team", tier="gold"))
    api.plan(TEAM, "get", lambda handler: (api.hang(0.1), api.one(handler, TEAM)))
    namespaces = lookup(seconds=5)
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(namespaces.labels, ["team"] * 100))
    assert answers == [{"tier": "gold"}] * 100
    assert len(api.asked(TEAM, "get")) == 1


def test_no_more_requests_than_allowed_are_under_way(api, lookup, log):
    names = [f"team{number}" for number in range(4)]
    for name in names:
        api.plan(f"{NAMESPACES}/{name}", "get", slow(5))
    namespaces = lookup(at_once=1, seconds=0.2)
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(namespaces.labels, names)) == [None] * 4
    errors = [str(line["error"]) for line in log.of("namespace not looked up")]
    assert len(errors) == 4
    assert "1 lookups are under way already" in errors


def test_what_is_remembered_is_bounded(api, lookup, clock):
    namespaces = lookup(most=2)
    for name in "abc":
        namespaces.labels(name)
        clock.seconds += 10
    assert len(namespaces._flights) <= 2


def test_a_strange_name_stays_in_its_place_of_the_path(api, lookup):
    assert lookup().labels("../nodes") is None
    assert api.requests[0][0] == f"{NAMESPACES}/..%2Fnodes"
