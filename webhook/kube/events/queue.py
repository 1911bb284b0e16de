"""Events that wait to be sent: bounded, and equal ones as one with their number."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from webhook.kube.events.lru import LruMap

if TYPE_CHECKING:
    from webhook.core.event import Event
    from webhook.kube.clock import Runtime

SHARE: Final = 4  # one namespace gets at most a quarter of the places: a flood is its own only


class Put(Enum):
    """What became of an event that was put in."""

    WAITS = auto()
    ALREADY_SENT = auto()
    FULL = auto()


class QueueLimits(Struct, frozen=True):
    """How many different events may wait, and how many sent ones are remembered."""

    waiting: int = 1000
    remembered: int = 2000


class Batch(Struct, frozen=True):
    """Equal events: their number and their first and last time, in Unix seconds."""

    event: Event
    count: int
    first: float
    last: float


class _Waiting(Struct, frozen=True):
    batch: Batch
    due: float


class EventQueue:
    """Takes events in microseconds, and gives each out when it is due."""

    def __init__(self, limits: QueueLimits, runtime: Runtime) -> None:
        self._limits = limits
        self._runtime = runtime
        self._news = asyncio.Event()
        self._waiting: dict[Event, _Waiting] = {}
        self._of_namespace: Counter[str] = Counter()
        self._rests: LruMap[Event, float] = LruMap(limits.remembered)
        self._done: LruMap[Event, float] = LruMap(limits.remembered)

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, event: Event) -> Put:
        """Take an event in, unless it is no news or there is no place.

        | the event | result |
        |---|---|
        | waits already | WAITS, and is counted |
        | is `done` | ALREADY_SENT |
        | else, and there is a place | WAITS; one that rests, until that is over |
        | else | FULL |
        """
        time = self._runtime.clock()
        found = self._waiting.get(event)
        if found is not None:
            batch = replace(found.batch, count=found.batch.count + 1, last=time)
            self._waiting[event] = replace(found, batch=batch)
            return Put.WAITS
        now = self._runtime.now()
        if (self._done.get(event) or now) > now:
            return Put.ALREADY_SENT
        if not self._has_place(event.namespace):
            return Put.FULL
        due = max(now, self._rests.get(event) or now)
        self._waiting[event] = _Waiting(Batch(event, 1, time, time), due)
        self._of_namespace[event.namespace] += 1
        self._news.set()
        return Put.WAITS

    def take(self, *, early: bool = False) -> Batch | None:
        """Return what has waited longest among what is due, or with `early` among all."""
        first = min(self._waiting.values(), key=lambda each: each.due, default=None)
        if first is None or (not early and first.due > self._runtime.now()):
            return None
        event = first.batch.event
        del self._waiting[event]
        self._of_namespace -= Counter([event.namespace])  # which leaves no zeros behind
        return first.batch

    def rest(self, event: Event, seconds: float) -> None:
        """Let equal events wait so long, from now on."""
        self._rests.put(event, self._runtime.now() + seconds)

    def done(self, event: Event, seconds: float) -> None:
        """Take no equal events in for so long."""
        self._done.put(event, self._runtime.now() + seconds)

    async def wait(self) -> None:
        """Return when something is due or was put in."""
        self._news.clear()
        due = min((each.due for each in self._waiting.values()), default=None)
        left = None if due is None else max(0.0, due - self._runtime.now())
        with suppress(TimeoutError):
            async with asyncio.timeout(left):
                await self._news.wait()

    def _has_place(self, namespace: str) -> bool:
        places = self._limits.waiting
        mine = self._of_namespace[namespace]
        return len(self._waiting) < places and mine < max(1, places // SHARE)
