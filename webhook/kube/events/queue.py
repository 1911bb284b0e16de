"""Events that wait to be sent: bounded, equal ones as one with their number; sends nothing."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from webhook.kube.events.lru import Recent

if TYPE_CHECKING:
    from webhook.core.event import Event
    from webhook.kube.clock import Runtime

SHARE: Final = 4  # one namespace gets at most a quarter of the places: a flood is its own only


class Put(Enum):
    """What became of an event that was put in."""

    WAITS = auto()
    TOLD = auto()
    FULL = auto()


@dataclass(frozen=True, slots=True)
class Places:
    """How many different events may wait, and of how many it is remembered that they were sent."""

    waiting: int = 1000
    remembered: int = 2000


@dataclass(frozen=True, slots=True)
class Batch:
    """Equal events: how many, and when the first and the last of them came, in Unix seconds."""

    event: Event
    count: int
    first: float
    last: float


@dataclass(frozen=True, slots=True)
class _Waiting:
    batch: Batch
    due: float


class Outbox:
    """Threads may share it; `put` costs microseconds and never waits for a request."""

    def __init__(self, places: Places, runtime: Runtime) -> None:
        self._places = places
        self._runtime = runtime
        self._lock = threading.Lock()
        self._news = threading.Event()
        self._waiting: dict[Event, _Waiting] = {}
        self._of_namespace: Counter[str] = Counter()
        self._rests: Recent[Event, float] = Recent(places.remembered)
        self._done: Recent[Event, float] = Recent(places.remembered)
        self._closed = False

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, event: Event) -> Put:
        """Take an event in, unless it is no news or there is no place.

        | the event | result |
        |---|---|
        | waits already | WAITS, and is counted |
        | is `done` | TOLD |
        | else, and there is a place | WAITS; one that rests, until that is over |
        | else | FULL |
        """
        with self._lock:
            found = self._waiting.get(event)
            if found is not None:
                self._waiting[event] = replace(found, batch=self._more(found.batch))
                return Put.WAITS
            now = self._runtime.now()
            if (self._done.get(event) or now) > now:
                return Put.TOLD
            if not self._has_place(event.namespace):
                return Put.FULL
            time, due = self._runtime.clock(), max(now, self._rests.get(event) or now)
            self._waiting[event] = _Waiting(Batch(event, 1, time, time), due)
            self._of_namespace[event.namespace] += 1
        self._news.set()
        return Put.WAITS

    def take(self, *, early: bool = False) -> Batch | None:
        """Return what has waited longest among what is due, or with `early` among all."""
        with self._lock:
            first = min(self._waiting.values(), key=lambda each: each.due, default=None)
            if first is None or (not early and first.due > self._runtime.now()):
                return None
            event = first.batch.event
            del self._waiting[event]
            self._of_namespace -= Counter([event.namespace])  # which leaves no zeros behind
            return first.batch

    def rest(self, event: Event, seconds: float) -> None:
        """Let equal events wait so long, from now on."""
        with self._lock:
            self._rests.put(event, self._runtime.now() + seconds)

    def done(self, event: Event, seconds: float) -> None:
        """Take no equal events in for so long: they are told."""
        with self._lock:
            self._done.put(event, self._runtime.now() + seconds)

    def wait(self) -> None:
        """Return when something is due or was put in; after `close`, at once."""
        with self._lock:
            if not self._closed:
                self._news.clear()
            due = min((each.due for each in self._waiting.values()), default=None)
            left = None if due is None else max(0.0, due - self._runtime.now())
        self._news.wait(left)

    def close(self) -> None:
        """Let nobody `wait` any more."""
        with self._lock:
            self._closed = True
        self._news.set()

    def _more(self, batch: Batch) -> Batch:
        return replace(batch, count=batch.count + 1, last=self._runtime.clock())

    def _has_place(self, namespace: str) -> bool:
        places = self._places.waiting
        mine = self._of_namespace[namespace]
        return len(self._waiting) < places and mine < max(1, places // SHARE)
