"""The small port of the process: metrics, and whether the loop is alive."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Final

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from webhook.process.flags import Address
from webhook.process.listen import listen

STOP_SECONDS: Final = 1.0


@asynccontextmanager
async def serve_status(
    address: Address, registry: CollectorRegistry, alive: Callable[[], bool]
) -> AsyncIterator[int]:
    """Answer /healthz by whether the loop is alive, and any other path with the metrics.

    Yields the port, which 0 lets the system choose.

    Raises:
        OSError: the address cannot be bound.
    """

    async def answer(request: web.BaseRequest) -> web.Response:
        if request.path == "/healthz":
            return _health(alive=alive())
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return web.Response(body=encode(registry), headers={"Content-Type": content_type})

    runner = web.ServerRunner(web.Server(answer, access_log=None), shutdown_timeout=STOP_SECONDS)
    await runner.setup()
    try:
        await web.SockSite(runner, listen(address)).start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


def _health(*, alive: bool) -> web.Response:
    if alive:
        return web.Response(text="ok\n")
    text = "the loop has not turned for too long\n"
    return web.Response(status=HTTPStatus.SERVICE_UNAVAILABLE, text=text)
