"""`python -m certs`: joins settings, client, loop and log."""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Final

from certs import pair
from certs.failure_policy import FailurePolicies
from certs.loop import Loop
from certs.reconciler import Reconciler
from certs.reporter import Reporter
from certs.settings import CertSettings, parse_settings
from certs.status_server import serve_status
from webhook.kube.client import open_client
from webhook.kube.errors import ApiError
from webhook.process.flags import WRONG_SETTINGS, SettingsError
from webhook.process.listen import refuse_taken
from webhook.process.log import Log
from webhook.process.version import version

NOT_IN_PLACE: Final = 1
USER_AGENT: Final = "gpu-sharing-certs"


def main(arguments: Sequence[str]) -> int:
    """Run until a signal, or once.

    Return the exit code.
    """
    if arguments[:1] == ["pair"]:
        return pair.run_pair(arguments[1:])
    if "--version" in arguments:
        print(f"gpu-sharing certs {version()}")  # noqa: T201 - the command's output
        return 0
    try:
        return asyncio.run(run(parse_settings(arguments, os.environ)))
    except (SettingsError, ApiError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201 - the command's output
        return WRONG_SETTINGS


async def run(settings: CertSettings) -> int:
    """Return the exit code.

    Raise ApiError where no cluster is configured.
    """
    reporter = Reporter(Log(sys.stdout.buffer, settings.log_level))
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(
            open_client(settings.kubeconfig, user_agent=USER_AGENT)
        )
        loop = Loop(
            Reconciler(client, settings.objects, settings.rules, reporter),
            FailurePolicies(client, settings.probing, reporter),
            reporter,
            lambda: datetime.now(UTC),
        )
        if settings.once:
            return 0 if await loop.reconcile_once() else NOT_IN_PLACE
        refuse_taken({"--bind": settings.bind})
        if settings.bind is not None:
            await stack.enter_async_context(
                serve_status(settings.bind, reporter.registry, loop.alive)
            )
        await loop.run(_stop_signal(), settings.interval)
    return 0


def _stop_signal() -> Callable[[float], Awaitable[bool]]:
    """Return what waits some seconds for SIGTERM or SIGINT and returns whether one came.

    A reconciliation that is under way ends first.
    """
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)

    async def wait(seconds: float) -> bool:
        try:
            return await asyncio.wait_for(stop.wait(), seconds)
        except TimeoutError:
            return False

    return wait


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
