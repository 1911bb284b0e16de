"""The webhook as a process of this machine, with a certificate made on the spot."""

import contextlib
import functools
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from http.client import HTTPException, HTTPSConnection
from pathlib import Path
from typing import Final

from certs import pair

HOST: Final = "127.0.0.1"
READY: Final = 60.0  # seconds; a machine under load is slow, not wrong
LOOK: Final = 0.05


@dataclass(frozen=True, slots=True)
class LocalServer:
    """Where a local webhook answers, and the folder of its certificates and log."""

    port: int
    metrics_port: int
    folder: Path

    @property
    def ca(self) -> Path:
        """What verifies its certificate."""
        return self.folder / pair.AUTHORITY

    @property
    def cert(self) -> Path:
        """Its certificate."""
        return self.folder / pair.CERT

    @property
    def audit(self) -> Path:
        """What it wrote to standard output."""
        return self.folder / "audit.log"

    @property
    def log(self) -> Path:
        """What it wrote to standard error."""
        return self.folder / "webhook.log"

    def connect(self, timeout: float = READY) -> HTTPSConnection:
        """Return a connection that verifies the certificate; `timeout` is in seconds."""
        return TlsClient(self.port, ssl.create_default_context(cafile=self.ca), timeout)


class TlsClient(HTTPSConnection):
    """A client that leaves no socket open when a server resets it before the handshake."""

    def __init__(self, port: int, context: ssl.SSLContext, timeout: float) -> None:
        super().__init__(HOST, port, timeout=timeout, context=context)
        self._dial = functools.partial(dial, port, context, HOST, timeout)

    def connect(self) -> None:
        """Connect as `dial` does."""
        self.sock = self._dial()


def dial(port: int, context: ssl.SSLContext, name: str | None, timeout: float) -> ssl.SSLSocket:
    """Connect a socket that is wrapped already.

    `wrap_socket` of one that was connected and reset since does not close it (Python 3.11).
    """
    connection = context.wrap_socket(socket.socket(), server_hostname=name)
    try:
        connection.settimeout(timeout)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # as Go does
        connection.connect((HOST, port))
    except BaseException:
        connection.close()
        raise
    return connection


class NotStarted(Exception):  # noqa: N818 - what happened, in a word
    """The process ended or did not become ready; the message has the end of its log."""


@contextlib.contextmanager
def running(
    folder: Path,
    flags: Sequence[str],
    patience: float = READY,
    start: "Callable[..., subprocess.Popen[bytes]]" = subprocess.Popen,
) -> Iterator[LocalServer]:
    """Run `gpu-sharing serve` until the block ends; files go to `folder`.

    Raises:
        NotStarted: it did not become ready.
    """
    pair.write_pair(folder, [HOST], "wb")
    place = LocalServer(_free_port(), _free_port(), folder)
    command = [
        *(sys.executable, "-m", "webhook.cli.main", "serve"),
        *("--tls-cert", str(place.cert), "--tls-key", str(folder / pair.KEY)),
        *("--bind", f"{HOST}:{place.port}", "--metrics-bind", f"{HOST}:{place.metrics_port}"),
        *flags,
    ]
    with place.log.open("wb") as log, place.audit.open("wb") as audit:
        process = start(command, stdout=audit, stderr=log)
        try:
            _wait(process, place, patience)
            yield place
        finally:
            _end(process)


def _wait(process: "subprocess.Popen[bytes]", place: LocalServer, patience: float) -> None:
    end = time.monotonic() + patience
    while time.monotonic() < end and process.poll() is None:
        if _ready(place):
            return
        time.sleep(LOOK)
    lines = place.log.read_text(encoding="utf-8", errors="replace").splitlines()
    raise NotStarted("the webhook did not become ready:\n" + "\n".join(lines[-20:]))


def _ready(place: LocalServer) -> bool:
    connection = place.connect(timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200  # noqa: PLR2004 - HTTP's own number
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def _end(process: "subprocess.Popen[bytes]") -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(process.pid, signal.SIGQUIT)
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
