"""What the threads of this room get from outside: rhythm, clock, chance and whom to tell."""

from __future__ import annotations

import random
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from webhook.kube.retry import Backoff

if TYPE_CHECKING:
    from collections.abc import Callable


class Told(Protocol):
    """Whoever writes the log: a constant event and its variable fields."""

    def __call__(self, event: str, /, **fields: object) -> None:
        """Take one event."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Every duration of a watcher, in seconds.

    settle: the least time between two publications; a burst of events becomes one.
    tick: the most time between two publications, so that time alone can change something.
    watch: how long the server keeps a watch open; a silent stream is dead at `watch + margin`.
    list: the limit of one page.
    healthy: a watch that ended sooner than this counts as failed, whatever its end was like: it
        would be asked again at once, and for ever.
    """

    settle: float = 0.2
    tick: float = 5.0
    watch: int = 300
    margin: float = 30.0
    list: float = 30.0
    healthy: float = 1.0
    backoff: Backoff = field(default_factory=Backoff)


@dataclass(frozen=True, slots=True)
class Runtime:
    """The outside of a thread. `now` is monotonic seconds; `chance` draws from [0, 1).

    `pause(stop, seconds)` sleeps and returns early once `stop` is set; `clock` is Unix seconds.
    """

    told: Told
    pace: Pace = field(default_factory=Pace)
    now: Callable[[], float] = time.monotonic
    chance: Callable[[], float] = random.random
    pause: Callable[[threading.Event, float], bool] = threading.Event.wait
    clock: Callable[[], float] = time.time
