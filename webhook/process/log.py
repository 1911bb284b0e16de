"""The log of a process: JSON lines on stdout, with UTC times."""

import sys
from typing import BinaryIO, Final

import msgspec
import structlog
from structlog.typing import FilteringBoundLogger

LEVELS: Final = ("debug", "info", "warning", "error")


def create_log(level: str = "info", stream: BinaryIO | None = None) -> FilteringBoundLogger:
    """Return a logger that leaves out what is below a level."""
    log: FilteringBoundLogger = structlog.wrap_logger(
        structlog.BytesLogger(stream or sys.stdout.buffer),
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


def _to_json(event: object, **_: object) -> bytes:
    return msgspec.json.encode(event, enc_hook=str)
