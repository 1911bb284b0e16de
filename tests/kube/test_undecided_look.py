"""The look for pods that nobody decided: counts, pages, rights and what is told."""

import dataclasses
import time

import pytest
from cluster_doubles import FAST, eventually
from faults import refuse

from webhook.kube.clock import Runtime
from webhook.kube.unreviewed import Rhythm, UndecidedPods

SHOP = "/api/v1/namespaces/shop/pods"
LAB = "/api/v1/namespaces/lab/pods"
QUICK = Rhythm(first=0.01, every=0.02, page=5)


def gpu_pod(name: str, *, decided: bool = False, created: str = "2026-01-01T00:00:00Z") -> dict:
    notes = {"gpu-sharing.io/decision": "{}"} if decided else {}
    main = {"name": "main", "resources": {"limits": {"nvidia.com/gpu": "1"}}}
    metadata = {"name": name, "annotations": notes, "creationTimestamp": created}
    return {"metadata": metadata, "spec": {"containers": [main]}, "status": {"phase": "Running"}}


@pytest.fixture
def looking(connection, log):
    """Start a look at some namespaces, with some of its rhythm changed; stopped after the test."""
    started = []

    def start(*namespaces, known=lambda: True, still=bool, **rhythm):
        pods = UndecidedPods(
            connection,
            lambda: tuple(filter(still, namespaces)) if known() else None,
            runtime=Runtime(log, FAST),
            rhythm=dataclasses.replace(QUICK, **rhythm),
        )
        started.append(pods)
        pods.start()
        return pods

    yield start
    for pods in started:
        pods.stop()


def test_undecided_pods_are_counted_by_namespace_with_zeros(api, looking):
    for pod in (gpu_pod("a"), gpu_pod("b"), gpu_pod("ours", decided=True)):
        api.put(SHOP, pod)
    pods = looking("shop", "lab")
    eventually(lambda: pods.counts)
    assert pods.counts == {"shop": 2, "lab": 0}
    assert abs(pods.looked - time.time()) < 60


def test_the_count_follows_the_cluster(api, looking):
    api.put(SHOP, gpu_pod("a"))
    pods = looking("shop")
    eventually(lambda: pods.counts == {"shop": 1})
    api.put(SHOP, gpu_pod("b"))
    eventually(lambda: pods.counts == {"shop": 2})
    api.remove(SHOP, "a")
    api.remove(SHOP, "b")
    eventually(lambda: pods.counts == {"shop": 0})


def test_a_namespace_that_enforces_no_more_is_gone_at_once(api, looking):
    api.put(SHOP, gpu_pod("a"))
    out = set()
    pods = looking("shop", "lab", still=lambda name: name not in out, every=3600)
    eventually(lambda: pods.counts == {"shop": 1, "lab": 0})
    out.add("shop")  # an hour before the next look
    assert pods.counts == {"lab": 0}


def test_many_pods_come_in_pages(api, looking):
    api.page_size = 10
    for number in range(35):
        api.put(SHOP, gpu_pod(f"pod-{number}", decided=number % 2 == 0))
    pods = looking("shop", every=60)
    eventually(lambda: pods.counts)
    assert pods.counts == {"shop": 17}
    asked = api.asked(SHOP, "get")
    assert [each.get("continue") for each in asked] == [None, "10", "20", "30"]
    assert {each["limit"] for each in asked} == {"500"}
    assert asked[0]["fieldSelector"] == "status.phase!=Succeeded,status.phase!=Failed"


def test_a_page_token_that_expired_starts_the_namespace_again(api, looking, log):
    api.page_size = 1
    for name in "ab":
        api.put(SHOP, gpu_pod(name))
    api.plan(SHOP, "get", lambda handler: handler.send(200, api.page(SHOP, {})), refuse(410))
    pods = looking("shop", every=60)
    eventually(lambda: pods.counts)
    assert pods.counts == {"shop": 2}
    assert len(api.asked(SHOP, "get")) == 4
    assert log.of("undecided pods not counted") == []


def test_growth_is_told_with_the_youngest_pods(api, looking, log):
    for number in range(20):
        api.put(SHOP, gpu_pod(f"pod-{number:02}", created=f"2026-01-01T00:00:{number:02}Z"))
    pods = looking("shop")
    youngest = ("pod-19", "pod-18", "pod-17", "pod-16", "pod-15")
    eventually(lambda: log.of("undecided_pods"))
    assert log.of("undecided_pods") == [{"namespace": "shop", "count": 20, "pods": youngest}]
    looks = len(api.asked(SHOP, "get"))
    eventually(lambda: len(api.asked(SHOP, "get")) > looks + 2)
    assert len(log.of("undecided_pods")) == 1
    api.remove(SHOP, "pod-00")
    eventually(lambda: pods.counts == {"shop": 19})
    api.put(SHOP, gpu_pod("new", created="2026-01-02T00:00:00Z"))
    eventually(lambda: len(log.of("undecided_pods")) == 2)
    assert log.of("undecided_pods")[1]["pods"][0] == "new"


def test_without_the_right_there_is_no_number_and_it_is_told_once(api, looking, log):
    api.put(SHOP, gpu_pod("a"))
    pods = looking("shop")
    eventually(lambda: pods.counts)
    looked = pods.looked
    api.plan(SHOP, "get", *[refuse(403, "pods is forbidden")] * 1000)
    eventually(lambda: pods.counts is None)
    looks = len(api.asked(SHOP, "get"))
    eventually(lambda: len(api.asked(SHOP, "get")) > looks + 2)
    assert log.of("right missing") == [
        {"right": "pods: list", "error": "HTTP 403: pods is forbidden"}
    ]
    assert pods.looked >= looked
    api.faults.clear()
    eventually(lambda: pods.counts == {"shop": 1})


def test_a_look_that_is_not_whole_changes_nothing(api, looking, log):
    api.put(SHOP, gpu_pod("a"))
    pods = looking("shop", "lab")
    eventually(lambda: pods.counts)
    api.plan(LAB, "get", *[refuse(500, "no leader")] * 1000)
    eventually(lambda: log.of("undecided pods not counted"))
    looked = pods.looked
    api.put(SHOP, gpu_pod("b"))
    looks = len(api.asked(LAB, "get"))
    eventually(lambda: len(api.asked(LAB, "get")) > looks + 2)
    assert pods.counts == {"shop": 1, "lab": 0}
    assert pods.looked == looked
    assert log.of("undecided pods not counted") == [{"error": "HTTP 500: no leader"}]


def test_before_the_namespaces_are_known_nothing_is_asked(api, looking):
    known, looks = [], []
    pods = looking("shop", known=lambda: looks.append(1) or known)
    eventually(lambda: len(looks) > 2)
    assert (pods.counts, pods.looked, api.requests) == (None, 0.0, [])
    known.append(True)
    eventually(lambda: pods.counts == {"shop": 0})


@pytest.mark.parametrize("answer", [["odd"], {"metadata": {"resourceVersion": "1"}, "items": [7]}])
def test_an_answer_that_is_no_list_of_pods_is_told_and_the_thread_lives(api, looking, log, answer):
    api.plan(SHOP, "get", lambda handler: handler.send(200, answer))
    pods = looking("shop")
    eventually(lambda: pods.counts == {"shop": 0})
    assert len(log.of("undecided pods not counted")) == 1


def test_the_end_does_not_wait_for_the_next_look(api, looking):
    pods = looking("shop", every=600)
    eventually(lambda: pods.counts)
    started = time.monotonic()
    pods.stop()
    assert time.monotonic() - started < 4
