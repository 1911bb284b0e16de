"""A client whose requests beyond a rate wait, by a token bucket."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Mapping

    from webhook.kube.client import ApiClient
    from webhook.kube.clock import Runtime

TIMEOUT: Final = 10.0  # seconds of one request: nobody waits for it


class Rate(Struct, frozen=True):
    """How often something may happen: `burst` times at once, then so often a second."""

    per_second: float
    burst: int


class RateLimitedClient:
    """Requests of one task. After `hurry` none waits for its turn any more."""

    def __init__(self, client: ApiClient, rate: Rate, *, runtime: Runtime) -> None:
        self._client = client
        self._rate = rate
        self._runtime = runtime
        self._tokens = float(rate.burst)
        self._counted = runtime.now()
        self._hurry = False

    def hurry(self) -> None:
        """Let no request wait any more."""
        self._hurry = True

    async def get(self, path: str) -> bytes:
        """Return the body of `path`.

        Raises ApiError.
        """
        await self._take_token()
        return await self._client.get(path, timeout=TIMEOUT)

    async def send(
        self, method: Literal["POST", "PATCH"], path: str, body: Mapping[str, Any]
    ) -> bytes:
        """Create or merge, and return the object as it is now.

        Raises ApiError.
        """
        await self._take_token()
        answer = await self._client.send(method, path, body, timeout=TIMEOUT)
        return answer.body

    async def _take_token(self) -> None:
        now = self._runtime.now()
        grown = self._tokens + (now - self._counted) * self._rate.per_second
        self._tokens, self._counted = min(float(self._rate.burst), grown) - 1, now
        if self._tokens < 0 and not self._hurry:
            await self._runtime.pause(-self._tokens / self._rate.per_second)
