"""What waits to be sent: equal events as one, within bounds, each in its time."""

import asyncio

import pytest
from cluster_doubles import FAST
from event_doubles import refusal

from webhook.kube.clock import Runtime
from webhook.kube.events.lru import LruMap
from webhook.kube.events.queue import EventQueue, Put, QueueLimits


@pytest.fixture
def outbox(log, clock):
    return EventQueue(
        QueueLimits(waiting=8, remembered=2), Runtime(log, FAST, now=clock, clock=clock)
    )


def test_equal_events_are_one_with_their_number_and_times(outbox, clock):
    for _ in range(3):
        assert outbox.put(refusal()) is Put.WAITS
        clock.seconds += 1
    batch = outbox.take()
    assert (batch.event, batch.count) == (refusal(), 3)
    assert (batch.first, batch.last) == (1000.0, 1002.0)
    assert outbox.take() is None


def test_one_that_rests_waits_until_that_is_over(outbox, clock):
    outbox.rest(refusal(), 10)
    outbox.put(refusal())
    outbox.put(refusal("other"))
    assert outbox.take().event.note == "other"
    assert outbox.take() is None
    clock.seconds += 10
    assert outbox.take().event.note == "no"


def test_at_the_end_nothing_waits_for_its_time(outbox):
    outbox.rest(refusal(), 10)
    outbox.put(refusal())
    assert outbox.take(early=True).event == refusal()


def test_what_is_done_is_told_until_its_time_is_over(outbox, clock):
    outbox.done(refusal(), 10)
    assert outbox.put(refusal()) is Put.ALREADY_SENT
    clock.seconds += 10
    assert outbox.put(refusal()) is Put.WAITS


def test_the_first_that_is_due_comes_first(outbox, clock):
    for note in "abc":
        outbox.put(refusal(note, namespace=note))
        clock.seconds += 1
    assert [outbox.take().event.note for _ in "abc"] == ["a", "b", "c"]


def test_a_full_outbox_takes_nothing_new_but_counts_on(outbox):
    for number in range(8):
        outbox.put(refusal(namespace=f"team{number}"))
    assert outbox.put(refusal(namespace="late")) is Put.FULL
    assert outbox.put(refusal(namespace="team0")) is Put.WAITS
    assert len(outbox) == 8
    outbox.take()
    assert outbox.put(refusal(namespace="late")) is Put.WAITS


def test_one_namespace_cannot_take_the_places_of_others(outbox):
    assert [outbox.put(refusal(note)) for note in "abc"] == [Put.WAITS, Put.WAITS, Put.FULL]
    assert outbox.put(refusal(namespace="other")) is Put.WAITS
    outbox.take()
    assert outbox.put(refusal("c")) is Put.WAITS


async def test_waiting_ends_with_news(runner, outbox):
    waiting = asyncio.create_task(outbox.wait())
    await asyncio.sleep(0)
    assert not waiting.done()
    outbox.put(refusal())
    await waiting


async def test_waiting_ends_when_something_is_due(runner, outbox, clock):
    outbox.rest(refusal(), 0.01)
    outbox.put(refusal())
    assert outbox.take() is None
    await outbox.wait()
    await outbox.wait()
    clock.seconds += 1
    assert outbox.take().event == refusal()


def test_what_was_used_longest_ago_is_forgotten():
    recent = LruMap(2)
    recent.put("a", 1)
    recent.put("b", 2)
    assert recent.get("a") == 1
    recent.put("c", 3)
    assert [recent.get(key) for key in "abc"] == [1, None, 3]
    recent.drop("a")
    assert len(recent) == 1
