"""Events while the API server refuses, is slow or is not there: no review ever waits for that."""

import pytest
from cluster_doubles import eventually
from event_doubles import SHOP, count_of, refusal, rewrite, sent, settled, stored

from tests.fake_apiserver.answers import json_answer, status
from tests.fake_apiserver.faults import Gate, cut
from webhook.kube.events.queue import QueueLimits

GOING = {
    "code": 403,
    "message": "unable to create new content in namespace shop because it is being terminated",
    "details": {"causes": [{"reason": "NamespaceTerminating"}]},
}


async def test_a_missing_right_is_told_once_and_counted_each_time(api, telling, counts, log):
    events = telling()
    api.plan("create", SHOP, *[status(403, "events is forbidden")] * 3)
    for number in range(3):
        events.offer(refusal(str(number)))
        await eventually(settled(counts, number + 1))
    assert counts.of == {"failed": 3}
    assert log.of("right missing") == [
        {
            "right": "events.k8s.io: events: create, patch, get",
            "error": "HTTP 403: events is forbidden",
        }
    ]
    assert sent(api, "create") == 3  # a refusal is not tried again


async def test_after_a_success_trouble_is_told_again(api, telling, counts, log):
    events = telling()
    api.plan("create", SHOP, status(403), json_answer(201, kept()), status(403))
    for number in range(3):
        events.offer(refusal(str(number)))
        await eventually(settled(counts, number + 1))
    assert len(log.of("right missing")) == 2


def kept():
    return {"metadata": {"resourceVersion": "7"}}


async def test_an_event_that_is_wrong_is_told_and_not_tried_again(api, telling, counts, log):
    api.plan("create", SHOP, status(422, "Event is invalid"))
    telling().offer(refusal())
    await eventually(settled(counts, 1))
    assert counts.of == {"failed": 1}
    assert log.of("events failed") == [{"error": "HTTP 422: Event is invalid"}]


async def test_an_event_of_a_namespace_that_goes_is_dropped_in_silence(api, telling, counts, log):
    events = telling()
    terminating, gone = json_answer(403, GOING), status(404, "not found")
    api.plan("create", SHOP, terminating, gone)
    for number in (1, 2):
        events.offer(refusal(str(number)))
        await eventually(settled(counts, number))
    assert counts.of == {"dropped": 2}
    assert log.lines == []


@pytest.mark.parametrize("fault", [status(500), status(503), status(429), cut])
async def test_what_passes_is_tried_again(api, telling, counts, fault):
    api.plan("create", SHOP, fault, fault)
    telling().offer(refusal())
    await eventually(settled(counts, 1))
    assert counts.of == {"sent": 1}
    assert sent(api, "create") == 3


async def test_what_does_not_pass_is_given_up_after_some_tries(api, telling, counts, log):
    api.plan("create", SHOP, *[status(500, "no leader")] * 9)
    telling(tries=3).offer(refusal())
    await eventually(settled(counts, 1))
    assert counts.of == {"failed": 1}
    assert sent(api, "create") == 3
    assert log.of("events failed") == [{"error": "HTTP 500: no leader"}]


async def test_a_rewrite_that_failed_is_told_by_the_next_pod(api, telling, counts):
    events = telling()
    api.plan("create", SHOP, status(403))
    events.offer(rewrite())
    await eventually(settled(counts, 1))
    events.offer(rewrite())
    await eventually(settled(counts, 2))
    assert counts.of == {"failed": 1, "sent": 1}


async def test_a_lost_answer_counts_at_least_once(api, telling, counts):
    async def lost(exchange):
        await exchange.truth()
        exchange.cut()

    api.plan("create", SHOP, lost)
    telling().offer(refusal())
    await eventually(settled(counts, 1))
    assert count_of(stored(api)[0]) >= 1
    assert len(stored(api)) == 1


async def test_a_full_queue_drops_and_counts(api, telling, counts):
    gate = Gate(status(503))
    api.plan("create", SHOP, gate)
    events = telling(queue=QueueLimits(waiting=8, remembered=8))
    events.offer(refusal("the one that is under way"))
    await eventually(lambda: gate.reached)
    many = [refusal(str(number), namespace=f"team{number}") for number in range(100)]
    for event in many:
        events.offer(event)
    assert counts.of == {"dropped": 92}
    assert len(events._queue) == 8
    gate.open()
    await eventually(settled(counts, 101))
    assert counts.of == {"dropped": 92, "sent": 9}


async def test_offering_never_waits_for_an_api_server_that_is_away(api, telling, counts):
    api.stop()
    events = telling()
    many = [refusal(str(n), namespace=f"team{n % 10}") for n in range(50)] * 40
    for event in many:
        events.offer(event)
    assert len(events._queue) <= 50
    api.start()
    await eventually(settled(counts, 2000))
    assert counts.of["sent"] > 0


async def test_offering_after_the_end_is_no_error(api, telling, running):
    events = telling()
    await running.end()
    events.offer(refusal())


async def test_an_answer_that_is_no_event_is_a_failure_and_the_task_lives(api, telling, counts):
    events = telling(tries=1)
    api.plan("create", SHOP, json_answer(201, ["odd"]))
    events.offer(refusal())
    await eventually(settled(counts, 1))
    events.offer(refusal("another"))
    await eventually(settled(counts, 2))
    assert counts.of == {"failed": 1, "sent": 1}


async def test_others_that_are_always_quicker_are_no_endless_loop(api, telling, counts):
    telling().offer(refusal())
    await eventually(settled(counts, 1))
    path = f"{SHOP}/{stored(api)[0]['metadata']['name']}"
    api.plan("patch", path, *[status(409, "modified")] * 1000)
    telling("late", tries=2).offer(refusal())
    await eventually(settled(counts, 2))
    assert counts.of == {"sent": 1, "failed": 1}
    assert sent(api, "patch") <= 16
