"""How long to wait after a failure."""

import pytest

from webhook.kube.errors import ApiError
from webhook.kube.retry import Backoff, delay

BACKOFF = Backoff(first=1, most=60)


def wait(
    status: int | None, attempt: int, chance: float = 1.0, after: float | None = None
) -> float:
    failure = ApiError(status, "no", retry_after=after)
    return delay(failure, attempt, chance=chance, backoff=BACKOFF)


@pytest.mark.parametrize("status", [None, 401, 403, 404, 429, 500, 503])
def test_the_wait_doubles_up_to_the_most(status: int | None):
    waits = [wait(status, attempt) for attempt in (0, 1, 2, 5, 6, 7, 10_000)]
    assert waits == [1, 2, 4, 32, 60, 60, 60]


def test_half_of_the_wait_is_drawn():
    assert wait(503, 3, chance=0) == 4
    assert wait(503, 3, chance=0.5) == 6


def test_the_first_410_waits_for_nothing_and_the_second_does():
    assert wait(410, 0) == 0
    assert wait(410, 1, chance=0) == 1


def test_retry_after_is_honoured_when_the_server_is_busy():
    assert wait(429, 0, after=20) == 20
    assert wait(503, 0, after=20) == 20
    assert wait(404, 0, after=20) == 1


def test_retry_after_never_makes_the_wait_shorter_nor_absurd():
    assert wait(429, 5, after=1) == 32
    assert wait(429, 0, after=86_400) == 300


def test_a_long_message_is_cut_to_one_line():
    failure = ApiError(502, "<html>\n" + "x" * 5000)
    assert len(failure.message) == 4096
    assert failure.message.startswith("<html> xxx")
    assert str(ApiError(None, "refused")) == "refused"
