"""What can go wrong with a request, for `FakeApi.plan`, beside any Answer.

A fault gets the exchange; it returns what is to be answered, or None if it did that itself.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable

from tests.fake_apiserver.answers import Answer
from tests.fake_apiserver.api import PATIENCE
from tests.fake_apiserver.exchange import Exchange

Fault = Callable[[Exchange], Awaitable[Answer | None]]


async def silent(exchange: Exchange) -> None:
    """Answer nothing until the server stops."""
    await exchange.pause()
    exchange.cut()


async def silent_stream(exchange: Exchange) -> None:
    """Open a stream, and send nothing until the server stops."""
    await exchange.open_stream()
    await exchange.pause()


async def dripping(exchange: Exchange) -> None:
    """Send the body of an answer in drops, each of them in time."""
    await exchange.open_stream()
    while exchange.open:
        await exchange.send(b" ")
        await exchange.pause(0.05)


async def cut(exchange: Exchange) -> None:
    """End the connection without an answer."""
    exchange.cut()


def stream(*events: tuple[str, object], end: bytes = b"0\r\n\r\n") -> Fault:
    """Send events and then raw bytes: by default those of a clean end."""

    async def fault(exchange: Exchange) -> None:
        await exchange.open_stream()
        for kind, item in events:
            await exchange.send_event(kind, item)
        exchange.send_raw(end)

    return fault


def instead(answer: Callable[[Exchange], Answer | None]) -> Fault:
    """Call a function at that moment, which answers, or (None) leaves the truth to be answered."""

    async def fault(exchange: Exchange) -> Answer:
        return answer(exchange) or await exchange.truth()

    return fault


class Gate:
    """Holds requests until it is opened; then they get the truth, or `answer`."""

    def __init__(self, answer: Answer | None = None) -> None:
        self._answer = answer
        self._reached = threading.Event()
        self._opened = False
        self._held: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []
        self._lock = threading.Lock()

    async def __call__(self, exchange: Exchange) -> Answer:
        """Hold a request, but not beyond the end of the server."""
        opened = asyncio.Event()
        with self._lock:
            if self._opened:
                opened.set()
            self._held.append((asyncio.get_running_loop(), opened))
        self._reached.set()
        await exchange.news(opened)
        return self._answer or await exchange.truth()

    @property
    def reached(self) -> bool:
        """Whether a request came."""
        return self._reached.is_set()

    def wait_reached(self) -> None:
        """Return once a request is held; fail if none comes."""
        assert self._reached.wait(PATIENCE), "no request came"

    def open(self) -> None:
        """Let the requests go on."""
        with self._lock:
            self._opened = True
            for loop, opened in self._held:
                loop.call_soon_threadsafe(opened.set)
