"""The HTTP API of Prometheus, as far as it is asked here."""

import asyncio
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import msgspec

from webhook.cli.cluster.client import Unavailable

if TYPE_CHECKING:
    import aiohttp

TIMEOUT: Final = 300.0  # seconds a query: a month of 5-minute means takes a while
AT_ONCE: Final = 4  # queries: Prometheus answers 20, and has others to answer
TOKEN: Final = "GPU_SHARING_PROMETHEUS_TOKEN"  # noqa: S105 - the name of a variable


class QueryTooLarge(Unavailable):
    """Prometheus began with a query and gave up: too many samples, or too much time."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One answer of an instant query."""

    labels: Mapping[str, str]
    value: float


class _Vector(msgspec.Struct):
    metric: dict[str, str]
    value: tuple[float, str]


class _Answer(msgspec.Struct):
    status: str = ""
    errorType: str = ""  # noqa: N815 - as Prometheus spells it
    error: str = ""
    data: msgspec.Raw = msgspec.Raw(b"null")


class _Result(msgspec.Struct):
    result: list[_Vector] = []


class Prometheus:
    """Asks one Prometheus. Every method raises Unavailable where it does not answer as asked."""

    def __init__(self, url: str, session: "aiohttp.ClientSession", loop: asyncio.Runner) -> None:
        self.url = url.rstrip("/")
        self._session, self._loop = session, loop

    def query(self, text: str, at: float) -> list[Sample]:
        """Return the samples of an instant query at a moment (Unix time)."""
        return self.query_all([text], at)[0]

    def query_all(self, texts: Sequence[str], at: float) -> list[list[Sample]]:
        """Return the samples of several, which are asked a few at once."""

        async def ask_all() -> list[bytes | BaseException]:
            free = asyncio.Semaphore(AT_ONCE)

            async def ask(text: str) -> bytes:
                async with free:  # the time limit of a query does not run before
                    params = {"query": text, "time": str(at)}
                    return await self._ask("POST", "/api/v1/query", params)

            return await asyncio.gather(*map(ask, texts), return_exceptions=True)

        return [_samples(each) for each in self._loop.run(ask_all())]

    def values_of(self, label: str, match: str, since: float, until: float) -> list[str]:
        """Return the values that a label of matching series had in a time."""
        params = {"match[]": match, "start": str(since), "end": str(until)}
        raw = self._loop.run(self._ask("GET", f"/api/v1/label/{label}/values", params))
        return msgspec.json.decode(raw, type=list[str])

    async def _ask(self, method: str, path: str, params: Mapping[str, str]) -> bytes:
        import aiohttp  # noqa: PLC0415 - 0.2 s, and no other command needs it

        sent: dict[str, Any] = {"params" if method == "GET" else "data": params}
        try:
            async with self._session.request(method, self.url + path, **sent) as answer:
                body = await answer.read()
                status = answer.status
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            text = str(error) or f"no answer within {TIMEOUT:.0f} s"
            raise Unavailable(f"Prometheus at {self.url} does not answer: {text}") from None
        return self._data(status, body)

    def _data(self, status: int, body: bytes) -> bytes:
        try:
            found = msgspec.json.decode(body, type=_Answer)
        except msgspec.DecodeError:
            found = _Answer()
        if found.status == "success":
            return bytes(found.data)
        why = found.error or f"HTTP {status}, no answer of Prometheus' API"
        if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            why += f"; put a bearer token into {TOKEN}"
        kind = QueryTooLarge if found.errorType in ("execution", "timeout") else Unavailable
        raise kind(f"{self.url} refuses a query: {why}")


def _samples(answer: bytes | BaseException) -> list[Sample]:
    if isinstance(answer, BaseException):
        raise answer
    found = msgspec.json.decode(answer, type=_Result).result
    return [Sample(each.metric, float(each.value[1])) for each in found]


@contextmanager
def open_prometheus(url: str) -> Iterator[Prometheus]:
    """Open a session, with the bearer token of the environment."""
    import aiohttp  # noqa: PLC0415 - the same

    token = os.environ.get(TOKEN)
    headers = {"Authorization": f"Bearer {token}"} if token else {}

    async def create() -> aiohttp.ClientSession:
        timeout = aiohttp.ClientTimeout(total=TIMEOUT, connect=10)
        return aiohttp.ClientSession(headers=headers, timeout=timeout)

    with asyncio.Runner() as loop:
        session = loop.run(create())
        try:
            yield Prometheus(url, session, loop)
        finally:
            loop.run(session.close())
