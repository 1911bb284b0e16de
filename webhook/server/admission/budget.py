"""The share of a process's time that one kind of work may take."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Final

SHARE: Final = 0.1
"""Of the time, for advice: reviews take turns in one loop, and must not wait for it."""
SAVED: Final = 0.5
"""Seconds of work that may come at once after a pause."""


class TimeBudget:
    """Counts the seconds that work takes against a share of the time that passes."""

    def __init__(
        self,
        share: float = SHARE,
        saved: float = SAVED,
        clock: Callable[[], float] = perf_counter,
    ) -> None:
        self._share, self._most, self._clock = share, saved, clock
        self._left, self._counted = saved, clock()

    def is_left(self) -> bool:
        """Return whether work may begin."""
        now = self._clock()
        self._left = min(self._most, self._left + self._share * (now - self._counted))
        self._counted = now
        return self._left > 0

    @contextmanager
    def spend(self) -> Iterator[None]:
        """Count the time that the block takes."""
        began = self._clock()
        try:
            yield
        finally:
            self._left -= self._clock() - began
