"""The log of a process: JSON lines with UTC times."""

import os
import select
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import BinaryIO, Final, cast

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
    """Return the loggers of a server, which never wait for who reads them."""
    out, err = (PatientPipe(each.fileno()) for each in (sys.stdout, sys.stderr))
    return Logs(create_log(stream=out), create_log(stream=err))


class PatientPipe:
    """Writes whole lines to a pipe, and leaves out those without space.

    A write would wait, and every review with it, while the node's disk is full or slow. Once there
    is space again a line tells how many were left out.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor, self._rest, self._left_out = descriptor, b"", 0
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLOUT)

    def write(self, line: bytes) -> int:
        """Take a line, if those before it are written."""
        self.flush()
        if self._rest:
            self._left_out += 1
            return 0
        told = b'{"event":"log_lines_left_out","lines":%d}\n' % self._left_out
        self._rest = told + line if self._left_out else line
        self._left_out = 0
        self.flush()
        return len(line)

    def flush(self) -> None:
        """Write what there is space for."""
        while self._rest and self._poll.poll(0):
            # A pipe that is ready takes so many bytes at once.
            written = os.write(self._descriptor, self._rest[: select.PIPE_BUF])
            self._rest = self._rest[written:]


def create_log(
    level: str = "info", stream: BinaryIO | PatientPipe | None = None
) -> FilteringBoundLogger:
    """Return a logger that leaves out what is below a level."""
    log: FilteringBoundLogger = structlog.wrap_logger(
        structlog.BytesLogger(cast("BinaryIO", stream or sys.stdout.buffer)),
        processors=[structlog.processors.format_exc_info, _to_json],
        wrapper_class=structlog.make_filtering_bound_logger(level),
    ).bind()  # else each line would make a logger of its own
    return log


def _to_json(_logger: object, level: str, event: EventDict) -> bytes:
    event["level"] = level
    event["timestamp"] = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    return msgspec.json.encode(event, enc_hook=str)
