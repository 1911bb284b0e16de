"""What still has to be sent when a worker ends is sent."""

import asyncio

import pytest

from webhook.server.http.worker import end_tasks

CHILDREN, TURNS = 50, 5


async def send_at_the_end(sent: list[int], number: int) -> None:
    """Wait for ever; take a few turns of the loop to send when that ends."""
    try:
        await asyncio.Event().wait()
    finally:
        for _ in range(TURNS):
            await asyncio.sleep(0)
        sent.append(number)


async def senders(sent: list[int]) -> None:
    """A group of tasks, as background work is, which cancels its own a turn after it must end."""
    async with asyncio.TaskGroup() as group:
        for number in range(CHILDREN):
            group.create_task(send_at_the_end(sent, number))
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)


async def ended_with(background: asyncio.Task[None]) -> None:
    """Let all tasks begin, end them, and find none that runs on."""
    for _ in range(3):
        await asyncio.sleep(0)
    await end_tasks(background)
    assert asyncio.all_tasks() == {asyncio.current_task()}


def test_every_task_of_the_background_sends_what_it_has():
    sent: list[int] = []

    async def end() -> None:
        await ended_with(asyncio.create_task(senders(sent)))

    asyncio.run(end())
    assert sorted(sent) == list(range(CHILDREN))


@pytest.mark.parametrize("failing", [False, True], ids=["done", "failed"])
def test_other_tasks_send_what_they_have_when_the_background_has_ended(failing):
    sent: list[int] = []

    async def work() -> None:
        if failing:
            raise RuntimeError("no more")

    async def end() -> None:
        background = asyncio.create_task(work())
        waiting = [asyncio.create_task(send_at_the_end(sent, n)) for n in range(CHILDREN)]
        await ended_with(background)
        assert all(map(asyncio.Task.cancelled, waiting))
        assert (background.exception() is not None) is failing

    asyncio.run(end())
    assert sorted(sent) == list(range(CHILDREN))
