"""What the tasks of this package get from outside: intervals, clocks, chance and a log."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

from msgspec import Struct, field

from webhook.kube.retry import Backoff

ANSWER: Final = timedelta(minutes=1)

Logger = Callable[..., object]
"""Writes a log line: a constant event, and its fields as keywords."""


class Intervals(Struct, frozen=True):
    """Every duration of a reflector, in seconds.

    settle: the least time between two publications, so that a burst of events becomes one.
    tick: the most time between two publications, so that time alone can change something.
    watch: how long the server keeps a watch open. A silent stream is dead at `watch + margin`.
    list: the limit of one page.
    healthy: a watch that ended sooner than this counts as failed, whatever its end was like: it
        would be asked again at once, and for ever.
    """

    settle: float = 1.0
    tick: float = 5.0
    watch: int = 300
    margin: float = 30.0
    list: float = 30.0
    healthy: float = 1.0
    backoff: Backoff = field(default_factory=Backoff)


class Runtime(Struct, frozen=True):
    """The outside of a task. `now` is monotonic seconds, `clock` Unix seconds.

    `chance` draws from [0, 1). `pause(seconds)` is awaited.
    """

    log: Logger
    intervals: Intervals = field(default_factory=Intervals)
    now: Callable[[], float] = time.monotonic
    chance: Callable[[], float] = random.random
    pause: Callable[[float], Awaitable[object]] = asyncio.sleep
    clock: Callable[[], float] = time.time


def ahead_of_ours(date: str) -> timedelta:
    """How far a Date header is ahead of our clock, 0 within an answer's time."""
    try:
        found = parsedate_to_datetime(date) - datetime.now(UTC)
    except (TypeError, ValueError):
        return timedelta()
    return found if abs(found) > ANSWER else timedelta()
