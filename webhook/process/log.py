"""The log of a process: JSON lines with UTC times."""

import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import BinaryIO, Final

import msgspec
import structlog
from structlog.typing import EventDict, FilteringBoundLogger

LEVELS: Final = ("debug", "info", "warning", "error")


@dataclass(frozen=True, slots=True)
class Logs:
    """What a server writes: the audit log on standard output, all else on standard error."""

    audit: FilteringBoundLogger
    process: FilteringBoundLogger


def create_logs() -> Logs:
    """Return the loggers of a server."""
    return Logs(create_log(), create_log(stream=sys.stderr.buffer))


def create_log(level: str = "info", stream: BinaryIO | None = None) -> FilteringBoundLogger:
    """Return a logger that leaves out what is below a level."""
    log: FilteringBoundLogger = structlog.wrap_logger(
        structlog.BytesLogger(stream or sys.stdout.buffer),
        processors=[structlog.processors.format_exc_info, _to_json],
        wrapper_class=structlog.make_filtering_bound_logger(level),
    ).bind()  # else each line would make a logger of its own
    return log


def _to_json(_logger: object, level: str, event: EventDict) -> bytes:
    event["level"] = level
    event["timestamp"] = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    return msgspec.json.encode(event, enc_hook=str)
