"""What stands in for log, clock and patience in the cluster tests; no server."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from webhook.kube.clock import Intervals
from webhook.kube.retry import Backoff

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.fake_apiserver.api import FakeApi

NODES = "/api/v1/nodes"
NAMESPACES = "/api/v1/namespaces"
DEADLINE = 30.0  # seconds any condition may take; a machine under load is slow, not wrong

FAST = Intervals(
    settle=0.01,
    tick=0.05,
    watch=30,
    list=5,
    healthy=0,
    backoff=Backoff(first=0.01, most=0.05),
)


class Log:
    """Keeps what was told."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, dict[str, object]]] = []

    def __call__(self, event: str, /, **fields: object) -> None:
        """Keep an event."""
        self.lines.append((event, fields))

    def of(self, event: str) -> list[dict[str, object]]:
        """Return the fields of each event of that name."""
        return [fields for name, fields in self.lines if name == event]


class Clock:
    """Stands still until told to go on."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        """Return the time, in seconds."""
        return self.seconds


class Published:
    """Keeps every distinct publication."""

    def __init__(self):
        self.all = []

    async def __call__(self, items):
        """Take a publication."""
        if not self.all or self.all[-1] is not items:
            self.all.append(items)

    @property
    def names(self):
        """Return the names of the last one, if any."""
        return set(self.all[-1]) if self.all else None


def asked(api: FakeApi, verb: str, path: str) -> list[dict[str, str]]:
    """Return the parameters of the requests of a verb so far."""
    return [each.params for each in api.seen(verb, path)]


def until(condition: Callable[[], object]) -> None:
    """Return once the condition holds in another process; fail if it never does."""
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline, f"it did not happen within {DEADLINE} s"
        time.sleep(0.02)


async def eventually(condition: Callable[[], object]) -> None:
    """Return once the condition holds; fail if it never does."""
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline, f"it did not happen within {DEADLINE} s"
        await asyncio.sleep(0.005)
