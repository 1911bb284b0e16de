"""Waiting for something to become true, with a deadline and a reason; and telling of progress."""

import sys
import time
from collections.abc import Callable

from tests.e2e.cluster.errors import NotReadyError

PAUSE = 0.1
"""Seconds between two looks."""


def until(condition: Callable[[], bool], *, seconds: float, what: str) -> None:
    """Return as soon as the condition holds; raise NotReadyError at the deadline."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise NotReadyError(f"{what}: not within {seconds:g} s")
        time.sleep(PAUSE)


def tell(line: str) -> None:
    """A progress line for the person who waits."""
    print(f"cluster: {line}", file=sys.stderr, flush=True)  # noqa: T201 - this is its purpose
