"""A connection with a token bucket before it: requests beyond a rate wait for their turn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping

    from webhook.kube.clock import Runtime
    from webhook.kube.connection import Connection

TIMEOUT = 10.0  # seconds of one request: nobody waits for it


@dataclass(frozen=True, slots=True)
class Rate:
    """How often something may happen: `burst` times at once, then so often a second."""

    per_second: float
    burst: int


class Metered:
    """A connection for one thread. Once `stop` is set no request waits for its turn."""

    def __init__(
        self, connection: Connection, rate: Rate, *, runtime: Runtime, stop: threading.Event
    ) -> None:
        self._connection = connection
        self._rate = rate
        self._runtime = runtime
        self._stop = stop
        self._tokens = float(rate.burst)
        self._counted = runtime.now()

    def get(self, path: str) -> bytes:
        """Return the body of `path`; raise ApiError."""
        self._wait()
        return self._connection.get(path, {}, timeout=TIMEOUT)

    def send(self, method: Literal["POST", "PATCH"], path: str, body: Mapping[str, Any]) -> bytes:
        """Create or merge, and return the object as it is now; raise ApiError."""
        self._wait()
        return self._connection.send(method, path, body, timeout=TIMEOUT).body

    def _wait(self) -> None:
        """Take a token; where there is none, first wait until there is."""
        now = self._runtime.now()
        grown = self._tokens + (now - self._counted) * self._rate.per_second
        self._tokens, self._counted = min(float(self._rate.burst), grown) - 1, now
        if self._tokens < 0:
            self._runtime.pause(self._stop, -self._tokens / self._rate.per_second)
