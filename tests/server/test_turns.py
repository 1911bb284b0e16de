"""Large requests are answered one in a turn of the loop, after what is small."""

import asyncio

import pytest

from webhook.server.admission.turns import HUGE, SMALL, OncePerPause, malloc_trim, take_turns
from webhook.server.http.messages import HttpRequest, HttpResponse, plain_response

ANSWER = plain_response("200 OK", "")


def request(size: int) -> HttpRequest:
    return HttpRequest("POST", "/validate", "", "1.1", {}, b" " * size, keep_alive=True)


def test_of_many_large_ones_each_turn_of_the_loop_answers_one() -> None:
    answered: list[int] = []

    def answer(asked: HttpRequest) -> HttpResponse:
        answered.append(len(asked.body))
        return ANSWER

    handle = take_turns(answer)

    async def ask() -> list[int]:
        large = [asyncio.ensure_future(handle(request(SMALL + 1))) for _ in range(8)]  # type: ignore[arg-type]
        at_each_turn = []
        while len(answered) < len(large):
            before = len(answered)
            await asyncio.sleep(0)
            at_each_turn.append(len(answered) - before)
        assert handle(request(SMALL)) == ANSWER  # at once
        assert await asyncio.gather(*large) == [ANSWER] * 8
        return at_each_turn

    assert max(asyncio.run(ask())) == 1
    assert answered == [SMALL + 1] * 8 + [SMALL]


@pytest.mark.parametrize("later", [False, True])
def test_what_fails_or_waits_leaves_the_turn_to_the_next(later: bool) -> None:  # noqa: FBT001
    async def answer_later() -> HttpResponse:
        await asyncio.sleep(0)
        return ANSWER

    def answer(asked: HttpRequest) -> object:
        if len(asked.body) == SMALL + 2:
            raise ValueError
        return answer_later() if later else ANSWER

    handle = take_turns(answer)  # type: ignore[arg-type]

    async def ask() -> list[object]:
        sizes = (SMALL + 2, SMALL + 1)
        asked = [handle(request(size)) for size in sizes]
        return await asyncio.gather(*asked, return_exceptions=True)  # type: ignore[arg-type]

    failed, answered = asyncio.run(ask())
    assert isinstance(failed, ValueError)
    assert answered == ANSWER


def test_after_huge_ones_memory_is_given_back() -> None:
    given: list[int] = []
    handle = take_turns(lambda _: ANSWER, lambda: given.append(1))

    async def ask() -> list[int]:
        counts = []
        for size in (SMALL, HUGE, HUGE + 1):
            answer = handle(request(size))
            assert answer == ANSWER if size == SMALL else await answer == ANSWER  # type: ignore[misc]
            counts.append(len(given))
        return counts

    assert asyncio.run(ask()) == [0, 0, 1]


def test_who_asks_within_a_pause_is_served_by_one_call() -> None:
    async def ask() -> None:
        called, calls = asyncio.Event(), []
        once = OncePerPause(lambda: (calls.append(1), called.set()), 0.001)
        for most in (1, 2):
            called.clear()
            for _ in range(3):
                once.soon()
            await called.wait()
            assert len(calls) == most

    asyncio.run(ask())


def test_the_c_library_can_be_asked() -> None:
    assert malloc_trim()() in {0, 1, None}
