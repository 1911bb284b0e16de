"""An asynchronous client of one API server: authenticated bytes in and out, without models.

    async with open_client() as client:            # or open_client(kubeconfig, context)
        body = await client.get("/api/v1/nodes", {"limit": "500"}, timeout=30)
        answer = await client.send("PATCH", path, {"metadata": …}, timeout=10)  # merge patch
        answer = await client.send("PATCH", path, [{"op": …}], timeout=10)      # JSON patch
        async with client.stream(path, {"watch": "true"}, timeout=330) as lines:
            async for line in lines: …

Nothing is sent, and no running loop is needed, before the first request; all requests must then
be made in one loop, which for a command without a loop of its own is an `asyncio.Runner`'s. All
methods raise ApiError and nothing else. Paths are percent-encoded by the caller and sent as they
are.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

import aiohttp
import msgspec
from multidict import CIMultiDict
from yarl import URL

from webhook.kube.api_failure import status_error, warning_text
from webhook.kube.api_request import JSON, ApiAnswer, ApiRequest, Body, Method
from webhook.kube.clock import ahead_of_ours
from webhook.kube.cluster_config import load_cluster_config
from webhook.kube.errors import ApiError, library_errors_as_api_errors
from webhook.kube.sockets import create_socket

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from types import TracebackType
    from typing import Self

    from webhook.kube.cluster_config import ClusterConfig

USER_AGENT: Final = "gpu-sharing"
CONNECT_SECONDS: Final = 5.0
HEADER_SIZE: Final = 64 * 1024  # bytes of one header: a Warning can be long


def open_client(
    kubeconfig: str | None = None,
    context: str | None = None,
    *,
    user_agent: str = USER_AGENT,
    at_once: int | None = None,
) -> ApiClient:
    """Return a client of a kubeconfig's cluster or the one around us, or raise ApiError.

    `at_once` limits the bytes that the loop receives before others have their turn. Lists over a
    long line take longer with it.
    """
    cluster = load_cluster_config(kubeconfig, context)
    return ApiClient(cluster, user_agent=user_agent, at_once=at_once)


class ApiClient:
    """Sends requests to one API server, whose clock is `ahead` of ours.

    Tasks may share it. It is closed in the loop that used it.
    """

    def __init__(
        self,
        cluster: ClusterConfig,
        *,
        user_agent: str = USER_AGENT,
        at_once: int | None = None,
    ) -> None:
        self._cluster = cluster
        self._user_agent, self.at_once = user_agent, at_once
        self._session: aiohttp.ClientSession | None = None
        self._closed = False
        self.ahead = timedelta()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections: requests under way fail, and so do later ones."""
        self._closed = True
        if self._session is not None:
            await self._session.close()

    async def get(
        self, path: str, params: Mapping[str, str] | None = None, *, timeout: float
    ) -> bytes:
        """Return the whole body of `path`, within `timeout` seconds in all."""
        request = ApiRequest("GET", path, params)
        async with _deadline(timeout), self._response(request) as response:
            return await response.read()

    async def send(self, method: Method, path: str, body: Body, *, timeout: float) -> ApiAnswer:
        """Create with POST, replace with PUT, or change with PATCH, within `timeout` seconds.

        The body of a PATCH is an object for a merge patch (RFC 7386), or a list of operations for
        a JSON patch (RFC 6902). With DRY_RUN at the end of the path nothing is stored.
        """
        request = ApiRequest(method, path, body=body)
        async with _deadline(timeout), self._response(request) as response:
            headers = response.headers.getall("Warning", [])
            warnings = tuple(filter(None, map(warning_text, headers)))
            return ApiAnswer(await response.read(), warnings)

    @asynccontextmanager
    async def stream(
        self, path: str, params: Mapping[str, str] | None = None, *, timeout: float
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """Open `path` and yield its lines as they come, without the empty ones.

        `timeout` is the longest silence in seconds. A stream that breaks off is an ApiError.
        """
        request = ApiRequest("GET", path, params)
        async with AsyncExitStack() as opened:
            with library_errors_as_api_errors():
                response = await opened.enter_async_context(
                    self._response(request, silence=timeout)
                )
            yield _lines(response)  # outside: an error of the caller is none of ours

    @asynccontextmanager
    async def _response(
        self, request: ApiRequest, *, silence: float | None = None
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Send a request and open its answer, which is a success."""
        # Asked for with each request: the tokens of service accounts are renewed hourly.
        authorization = await self._cluster.authorization()
        headers = CIMultiDict(self._cluster.impersonation)
        if authorization:
            headers["Authorization"] = authorization
        if request.body is not None:
            headers["Content-Type"] = request.content_type
        async with self._opened_session().request(
            request.method,
            # Encoded by us: `..` in the place of a name must not become another path.
            URL(f"{self._cluster.server}{request.target}", encoded=True),
            headers=headers,
            data=None if request.body is None else msgspec.json.encode(request.body),
            timeout=aiohttp.ClientTimeout(sock_connect=CONNECT_SECONDS, sock_read=silence),
            allow_redirects=False,
            server_hostname=self._cluster.server_name,
            proxy=self._cluster.proxy,
        ) as response:
            self.ahead = ahead_of_ours(response.headers.get("Date", ""))
            if response.status not in (HTTPStatus.OK, HTTPStatus.CREATED):
                raise await status_error(response)
            yield response

    def _opened_session(self) -> aiohttp.ClientSession:
        if self._closed:  # a task that outlived the rest would open one that nobody closes
            raise ApiError(None, "the client is closed")
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    ssl=self._cluster.tls, socket_factory=partial(create_socket, self.at_once)
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={
                    "Accept": JSON,
                    "Accept-Encoding": "identity",  # else the API server packs large lists
                    "User-Agent": self._user_agent,
                },
                max_line_size=HEADER_SIZE,
                max_field_size=HEADER_SIZE,
            )
        return self._session


async def _lines(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    with library_errors_as_api_errors():
        async for line in split_lines(response.content.iter_any()):
            yield line


async def split_lines(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Yield the lines of bytes that come in any pieces, without the empty ones."""
    rest = b""
    async for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        for line in filter(None, whole):
            yield line
    if rest:
        yield rest


@asynccontextmanager
async def _deadline(seconds: float) -> AsyncIterator[None]:
    with library_errors_as_api_errors():
        try:
            async with asyncio.timeout(seconds):
                yield
        except TimeoutError:
            raise ApiError(None, f"no whole answer within {seconds:g} s") from None
