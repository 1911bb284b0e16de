"""Events as the API server gets them: what stands in them, and how repeats become one."""

import pytest
from cluster_doubles import FAST, eventually
from event_doubles import (
    QUICK,
    RECORD,
    SHOP,
    count_of,
    refusal,
    rewrite,
    sent,
    settled,
    stored,
    vanish,
)
from msgspec.structs import replace

from tests.fake_apiserver.answers import status
from tests.fake_apiserver.faults import instead
from webhook.core.event import Regarding
from webhook.kube.clock import Runtime
from webhook.kube.events import event_json
from webhook.kube.events.queue import Batch
from webhook.kube.events.rate_limit import Rate
from webhook.kube.events.recorder import EventRecorder, EventReporter


async def test_a_refusal_is_an_event_on_its_object(api, telling, counts):
    telling("replica-0").offer(refusal("no node offers it"))
    await eventually(settled(counts, 1))
    (event,) = stored(api)
    name, when = event["metadata"]["name"], event["eventTime"]
    assert name.startswith("train.")
    assert len(name) == len("train.") + 16
    assert event == {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {
            "name": name,
            "namespace": "shop",
            "annotations": {"gpu-sharing.io/decision": RECORD},
            "resourceVersion": "101",
        },
        "eventTime": when,
        "type": "Warning",
        "action": "Refused",
        "reason": "no_offer",
        "note": "no node offers it",
        "regarding": {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "namespace": "shop",
            "name": "train",
            "uid": "uid-job",
        },
        "reportingController": "gpu-sharing.io/webhook",
        "reportingInstance": "replica-0",
    }
    assert counts.of == {"sent": 1}


async def test_repeats_are_counted_in_the_same_event(api, telling, counts):
    events = telling()
    for number in range(1, 4):
        events.offer(refusal())
        await eventually(settled(counts, number))
    (event,) = stored(api)
    assert count_of(event) == 3
    assert event["series"]["lastObservedTime"] > event["eventTime"]
    assert counts.of == {"sent": 1, "aggregated": 2}
    assert len(api.writes()) == len(api.requests)  # it knows what it wrote last, and need not ask


async def test_repeats_within_the_interval_are_one_request(api, telling, counts):
    events = telling(repeat=0.5)
    for _ in range(1000):
        events.offer(refusal())
    await eventually(settled(counts, 1000))
    assert count_of(stored(api)[0]) == 1000
    assert len(api.writes()) <= 3


async def test_two_replicas_tell_of_one_event(api, telling, counts):
    replicas = [telling("replica-0"), telling("replica-1")]
    for _ in range(20):
        for events in replicas:
            events.offer(refusal())
    await eventually(settled(counts, 40))
    (event,) = stored(api)
    assert count_of(event) == 40
    assert counts.of["sent"] == 1


async def test_one_that_was_there_before_a_restart_is_counted_on(api, telling, counts):
    telling().offer(refusal())
    await eventually(settled(counts, 1))
    telling("after the restart").offer(refusal())
    await eventually(settled(counts, 2))
    (event,) = stored(api)
    assert count_of(event) == 2
    assert event["reportingInstance"] == "replica-0"


async def test_an_event_whose_time_is_over_begins_anew(api, telling, counts):
    events = telling()
    events.offer(refusal())
    await eventually(settled(counts, 1))
    vanish(api)
    events.offer(refusal())
    await eventually(settled(counts, 2))
    assert count_of(stored(api)[0]) == 1
    assert counts.of == {"sent": 2}


async def test_one_that_vanishes_between_two_requests_begins_anew(api, telling, counts):
    telling().offer(refusal())
    await eventually(settled(counts, 1))

    api.plan("create", SHOP, instead(lambda _: vanish(api) or status(409, "it was there")))
    telling("another").offer(refusal())
    await eventually(settled(counts, 2))
    assert counts.of == {"sent": 2}
    assert count_of(stored(api)[0]) == 1


async def test_other_words_and_other_objects_are_other_events(api, telling, counts):
    events = telling()
    again = Regarding("batch/v1", "Job", "train", "uid-of-the-next-one")
    events.offer(refusal())
    events.offer(refusal("other words"))
    events.offer(refusal(regarding=again))
    await eventually(settled(counts, 3))
    assert len(stored(api)) == 3


async def test_of_a_rewrite_only_the_first_is_told(api, telling, counts):
    events = telling()
    for number in range(1, 4):
        events.offer(rewrite())
        await eventually(settled(counts, number))
    (event,) = stored(api)
    assert (event["type"], event["action"], count_of(event)) == ("Normal", "Rewritten", 1)
    assert sent(api, "create") == 1
    telling("another replica").offer(rewrite())
    await eventually(settled(counts, 4))
    assert sent(api, "create") == 2
    assert sent(api, "patch") == 0
    assert counts.of == {"sent": 1, "aggregated": 3}


async def test_rewrites_that_waited_together_have_no_count(api, telling, counts):
    events = telling()
    for _ in range(4):  # before its task has its first turn
        events.offer(rewrite())
    await eventually(settled(counts, 4))
    assert "series" not in stored(api)[0]
    assert counts.of == {"sent": 1, "aggregated": 3}


async def test_a_rewrite_is_told_again_once_the_event_is_gone(api, telling, counts):
    events = telling(remember=0.0)
    for number in (1, 2):
        events.offer(rewrite())
        await eventually(settled(counts, number))
        vanish(api)
    assert counts.of == {"sent": 2}


@pytest.mark.parametrize("name", ["Bad_Name", "", "a" * 253, "a" * 300, "../../secrets", "-"])
async def test_an_odd_name_makes_an_event_all_the_same(api, telling, counts, name):
    telling().offer(refusal(regarding=Regarding("apps/v1", "StatefulSet", name)))
    await eventually(settled(counts, 1))
    assert counts.of == {"sent": 1}
    (event,) = stored(api)
    assert event["regarding"].get("name", "") == name
    assert "uid" not in event["regarding"]


async def test_a_hot_loop_costs_few_requests_and_little_memory(api, telling, counts):
    events = telling(repeat=0.5)
    for _ in range(10_000):
        events.offer(refusal())
    assert len(events._queue) <= 1
    await eventually(settled(counts, 10_000))
    assert len(api.writes()) <= 10
    assert count_of(stored(api)[0]) == 10_000


async def test_what_waits_is_sent_at_the_end(api, telling, counts, running):
    events = telling(repeat=60)
    events.offer(refusal())
    await eventually(settled(counts, 1))
    events.offer(refusal())
    await running.end()
    assert count_of(stored(api)[0]) == 2


async def test_no_more_requests_a_second_than_allowed(client, counts, log, running):
    pauses = []

    async def pause(seconds):
        pauses.append(seconds)

    runtime = Runtime(log, FAST, now=lambda: 0.0, pause=pause)
    limits = replace(QUICK, rate=Rate(per_second=20, burst=5))
    recorder = EventRecorder(client, EventReporter("r", counts), runtime=runtime, limits=limits)
    running(recorder)
    for number in range(10):
        recorder.offer(refusal(str(number), namespace=f"team{number}"))
    await eventually(settled(counts, 10))
    assert pauses == pytest.approx([0.05, 0.1, 0.15, 0.2, 0.25])


def test_times_have_six_decimals_and_counts_fit_an_int32():
    assert event_json.micro_time(0.25) == "1970-01-01T00:00:00.250000Z"
    assert event_json.micro_time(1_800_000_000) == "2027-01-15T08:00:00.000000Z"
    much = event_json.StoredEvent("1", 2**31 - 2)
    patch = event_json.count_patch(much, Batch(refusal(), 9, 0.0, 0.0))
    assert patch["series"]["count"] == 2**31 - 1
