"""`python -m certs`: joins settings, client, keeper, loop and log; decides nothing."""

import os
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from queue import Empty, SimpleQueue
from typing import Final

import msgspec
import structlog

from certs import settings, status
from certs.client import ApiError, connect
from certs.flip import Flipper
from certs.keeper import Keeper, Told
from certs.loop import Loop, Voice
from certs.settings import Settings, SettingsError
from certs.status import Metrics

NOT_IN_PLACE: Final = 1
WRONG_SETTINGS: Final = 2


def main(arguments: Sequence[str]) -> int:
    """Run the keeper; returns the exit code."""
    try:
        chosen = settings.parse(arguments, os.environ)
        metrics = status.create_metrics()
        loop = create_loop(chosen, metrics)
        if chosen.once:
            return 0 if loop.turn() else NOT_IN_PLACE
        with ExitStack() as stack:
            if chosen.bind is not None:
                app = status.create_app(metrics.registry, loop.alive)
                stack.enter_context(status.serving(chosen.bind, app))
            loop.run(stop_signal(), chosen.interval)
    except (SettingsError, ApiError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201 - the command's output
        return WRONG_SETTINGS
    return 0


def stop_signal() -> Callable[[float], bool]:
    """Return what waits some seconds for SIGTERM or SIGINT, and tells whether one came.

    A look that is under way ends first. A SimpleQueue may be put to within a signal handler; an
    Event may not: its lock is perhaps held by the very code that the handler interrupts.
    """
    signals: SimpleQueue[int] = SimpleQueue()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda came, _frame: signals.put(came))

    def wait(seconds: float) -> bool:
        try:
            signals.get(timeout=seconds)
        except Empty:
            return False
        return True

    return wait


def create_loop(chosen: Settings, metrics: Metrics) -> Loop:
    """Join the parts; raises ApiError when no cluster is configured."""
    log = create_log(chosen.log_level)
    api = connect(chosen.kubeconfig)

    def changed(event: str, /, **fields: object) -> None:
        metrics.changes.labels(fields["reason"]).inc()
        log.info(event, **fields)

    return Loop(
        Keeper(api, chosen.place, chosen.rules, changed),
        Flipper(api, chosen.probing, changed),
        Voice(_told(log.info), _told(log.warning), _told(log.debug), metrics),
        lambda: datetime.now(UTC),
    )


def create_log(level: str) -> structlog.typing.FilteringBoundLogger:
    """Return a logger that writes one JSON object a line to stdout, with the time in UTC."""
    log: structlog.typing.FilteringBoundLogger = structlog.wrap_logger(
        structlog.BytesLogger(sys.stdout.buffer),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(serializer=_to_json),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    )
    return log


def _told(write: Callable[..., object]) -> Told:
    def told(event: str, /, **fields: object) -> None:
        write(event, **fields)

    return told


def _to_json(event: object, **_: object) -> bytes:
    return msgspec.json.encode(event, enc_hook=str)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
