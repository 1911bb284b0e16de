"""The look for pods that nobody decided: counts, pages, rights and what is told."""

import time

import pytest
from cluster_doubles import FAST, asked, eventually
from msgspec.structs import replace

from tests.fake_apiserver.answers import json_answer, status
from tests.fake_apiserver.faults import instead
from webhook.kube.clock import Runtime
from webhook.kube.unreviewed import CountIntervals, UnreviewedPods

SHOP = "/api/v1/namespaces/shop/pods"
LAB = "/api/v1/namespaces/lab/pods"
QUICK = CountIntervals(first=0.01, every=0.02, page=5)


def gpu_pod(name: str, *, decided: bool = False, created: str = "2026-01-01T00:00:00Z") -> dict:
    notes = {"gpu-sharing.io/decision": "{}"} if decided else {}
    main = {"name": "main", "resources": {"limits": {"nvidia.com/gpu": "1"}}}
    metadata = {"name": name, "annotations": notes, "creationTimestamp": created}
    return {"metadata": metadata, "spec": {"containers": [main]}, "status": {"phase": "Running"}}


@pytest.fixture
def looking(client, log, running):
    """Start counting in some namespaces, with some of its intervals changed."""

    def start(*namespaces, known=lambda: True, still=bool, **intervals):
        pods = UnreviewedPods(
            client,
            lambda: tuple(filter(still, namespaces)) if known() else None,
            runtime=Runtime(log, FAST),
            intervals=replace(QUICK, **intervals),
        )
        return running(pods)

    return start


async def test_unreviewed_pods_are_counted_by_namespace_with_zeros(api, looking):
    for pod in (gpu_pod("a"), gpu_pod("b"), gpu_pod("ours", decided=True)):
        api.store.put(SHOP, pod)
    pods = looking("shop", "lab")
    await eventually(lambda: pods.counts)
    assert pods.counts == {"shop": 2, "lab": 0}
    assert abs(pods.counted_at - time.time()) < 60


async def test_the_count_follows_the_cluster(api, looking):
    api.store.put(SHOP, gpu_pod("a"))
    pods = looking("shop")
    await eventually(lambda: pods.counts == {"shop": 1})
    api.store.put(SHOP, gpu_pod("b"))
    await eventually(lambda: pods.counts == {"shop": 2})
    api.store.remove(f"{SHOP}/a")
    api.store.remove(f"{SHOP}/b")
    await eventually(lambda: pods.counts == {"shop": 0})


async def test_a_namespace_that_enforces_no_more_is_gone_at_once(api, looking):
    api.store.put(SHOP, gpu_pod("a"))
    out = set()
    pods = looking("shop", "lab", still=lambda name: name not in out, every=3600)
    await eventually(lambda: pods.counts == {"shop": 1, "lab": 0})
    out.add("shop")  # an hour before the next look
    assert pods.counts == {"lab": 0}


async def test_many_pods_come_in_pages(api, looking):
    api.page_size = 10
    for number in range(35):
        api.store.put(SHOP, gpu_pod(f"pod-{number}", decided=number % 2 == 0))
    pods = looking("shop", every=60)
    await eventually(lambda: pods.counts)
    assert pods.counts == {"shop": 17}
    looks, version = asked(api, "list", SHOP), api.store.version
    assert [each.get("continue") for each in looks] == [
        None,
        *(f"{version}:{start}" for start in (10, 20, 30)),
    ]
    assert {each["limit"] for each in looks} == {"100"}
    assert looks[0]["fieldSelector"] == "status.phase!=Succeeded,status.phase!=Failed"


async def test_a_page_token_that_expired_starts_the_namespace_again(api, looking, log):
    api.page_size = 1
    for name in "ab":
        api.store.put(SHOP, gpu_pod(name))
    api.plan("list", SHOP, instead(lambda _: None), status(410))
    pods = looking("shop", every=60)
    await eventually(lambda: pods.counts)
    assert pods.counts == {"shop": 2}
    assert len(asked(api, "list", SHOP)) == 4
    assert log.of("unreviewed pods not counted") == []


async def test_growth_is_told_with_the_youngest_pods(api, looking, log):
    for number in range(20):
        api.store.put(SHOP, gpu_pod(f"pod-{number:02}", created=f"2026-01-01T00:00:{number:02}Z"))
    pods = looking("shop")
    youngest = ("pod-19", "pod-18", "pod-17", "pod-16", "pod-15")
    await eventually(lambda: log.of("unreviewed_pods"))
    assert log.of("unreviewed_pods") == [{"namespace": "shop", "count": 20, "pods": youngest}]
    looks = len(asked(api, "list", SHOP))
    await eventually(lambda: len(asked(api, "list", SHOP)) > looks + 2)
    assert len(log.of("unreviewed_pods")) == 1
    api.store.remove(f"{SHOP}/pod-00")
    await eventually(lambda: pods.counts == {"shop": 19})
    api.store.put(SHOP, gpu_pod("new", created="2026-01-02T00:00:00Z"))
    await eventually(lambda: len(log.of("unreviewed_pods")) == 2)
    assert log.of("unreviewed_pods")[1]["pods"][0] == "new"


async def test_without_the_right_there_is_no_number_and_it_is_told_once(api, looking, log):
    api.store.put(SHOP, gpu_pod("a"))
    pods = looking("shop")
    await eventually(lambda: pods.counts)
    looked = pods.counted_at
    api.plan("list", SHOP, *[status(403, "pods is forbidden")] * 1000)
    await eventually(lambda: pods.counts is None)
    looks = len(asked(api, "list", SHOP))
    await eventually(lambda: len(asked(api, "list", SHOP)) > looks + 2)
    assert log.of("right missing") == [
        {"right": "pods: list", "error": "HTTP 403: pods is forbidden"}
    ]
    assert pods.counted_at >= looked
    api.faults.clear()
    await eventually(lambda: pods.counts == {"shop": 1})


async def test_a_look_that_is_not_whole_changes_nothing(api, looking, log):
    api.store.put(SHOP, gpu_pod("a"))
    pods = looking("shop", "lab")
    await eventually(lambda: pods.counts)
    api.plan("list", LAB, *[status(500, "no leader")] * 1000)
    await eventually(lambda: log.of("unreviewed pods not counted"))
    looked = pods.counted_at
    api.store.put(SHOP, gpu_pod("b"))
    looks = len(asked(api, "list", LAB))
    await eventually(lambda: len(asked(api, "list", LAB)) > looks + 2)
    assert pods.counts == {"shop": 1, "lab": 0}
    assert pods.counted_at == looked
    assert log.of("unreviewed pods not counted") == [{"error": "HTTP 500: no leader"}]


async def test_before_the_namespaces_are_known_nothing_is_asked(api, looking):
    known, looks = [], []
    pods = looking("shop", known=lambda: looks.append(1) or known)
    await eventually(lambda: len(looks) > 2)
    assert (pods.counts, pods.counted_at, api.requests) == (None, 0.0, [])
    known.append(True)
    await eventually(lambda: pods.counts == {"shop": 0})


@pytest.mark.parametrize("answer", [["odd"], {"metadata": {"resourceVersion": "1"}, "items": [7]}])
async def test_an_answer_that_is_no_list_of_pods_is_told_once(api, looking, log, answer):
    api.plan("list", SHOP, json_answer(200, answer))
    pods = looking("shop")
    await eventually(lambda: pods.counts == {"shop": 0})
    assert len(log.of("unreviewed pods not counted")) == 1
