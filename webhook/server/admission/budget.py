"""The share of a process's time that one kind of work may take."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Final

SHARE: Final = 0.1
"""Of the time, for advice, and for policies: reviews must not wait for either."""
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
        self._under_way = False

    def is_left(self) -> bool:
        """Return whether work may begin: one after the other."""
        now = self._clock()
        self._left = min(self._most, self._left + self._share * (now - self._counted))
        self._counted = now
        return self._left > 0 and not self._under_way

    @contextmanager
    def spend(self) -> Iterator[None]:
        """Count the time that the block takes."""
        began, self._under_way = self._clock(), True
        try:
            yield
        finally:
            self._under_way = False
            self._left -= self._clock() - began
