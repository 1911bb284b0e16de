"""Large requests are answered one in a turn of the loop, after what is small."""

import asyncio

import pytest

from webhook.server.admission.turns import SMALL, take_turns
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
