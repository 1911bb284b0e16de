"""The log of a process: JSON lines with UTC times."""

import logging
import os
import select
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import BinaryIO, Final

import msgspec
from msgspec import Struct

LEVELS: Final = ("debug", "info", "warning", "error")
_ENCODER: Final = msgspec.json.Encoder(enc_hook=str)
_OF_EVERY_RECORD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "taskName"}


class PatientPipe:
    """Writes whole lines to a pipe, and leaves out those without space.

    A write would wait, and every review with it, while the node's disk is full or slow. Once there
    is space again a line tells how many were left out. It may be a file too.
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
            try:  # a pipe that is ready takes so many bytes at once
                written = os.write(self._descriptor, self._rest[: select.PIPE_BUF])
            except OSError:  # the reader is gone, or a file's disk full: the next line tries again
                return
            self._rest = self._rest[written:]


class Log:
    """Writes lines to a stream, but for those below a level."""

    def __init__(self, stream: BinaryIO | PatientPipe, level: str = "info") -> None:
        self._stream, self._least = stream, LEVELS.index(level)

    def write(self, level: str, event: str, fields: Mapping[str, object]) -> None:
        """Write one line, at once."""
        if LEVELS.index(level) >= self._least:
            self._stream.write(_line(level, event, fields) + b"\n")
            self._stream.flush()

    def debug(self, event: str, /, **fields: object) -> None:
        """Write what only a search for a mistake needs."""
        self.write("debug", event, fields)

    def info(self, event: str, /, **fields: object) -> None:
        """Write what happens."""
        self.write("info", event, fields)

    def warning(self, event: str, /, **fields: object) -> None:
        """Write what somebody should look at."""
        self.write("warning", event, fields)

    def error(self, event: str, /, **fields: object) -> None:
        """Write what somebody has to mend."""
        self.write("error", event, fields)


class Logs(Struct, frozen=True):
    """What a server writes: the audit log on standard output, all else on standard error."""

    audit: Log
    process: Log


def create_logs() -> Logs:
    """Return the loggers of a server, which never wait for who reads them."""
    out, err = (PatientPipe(each.fileno()) for each in (sys.stdout, sys.stderr))
    return Logs(Log(out), Log(err))


class JsonFormatter(logging.Formatter):
    """Writes what the server's libraries log as lines of the same form."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record, with its extra fields and its traceback."""
        fields = {k: v for k, v in vars(record).items() if k not in _OF_EVERY_RECORD}
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info)
        return _line(record.levelname.lower(), record.getMessage(), fields).decode()


def _line(level: str, event: str, fields: Mapping[str, object]) -> bytes:
    at = datetime.now(UTC)
    return _ENCODER.encode({**fields, "event": event, "level": level, "timestamp": at})
