"""The webhook as a process of this machine, with a certificate made on the spot."""

import contextlib
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.client import HTTPException, HTTPSConnection
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HOST: Final = "127.0.0.1"
READY: Final = 60.0  # seconds; a machine under load is slow, not wrong
LOOK: Final = 0.05


@dataclass(frozen=True, slots=True)
class LocalServer:
    """Where a local webhook answers; `ca` is the file to verify it with."""

    port: int
    metrics_port: int
    ca: Path
    log: Path

    def connect(self, timeout: float = READY) -> HTTPSConnection:
        """Return a connection that verifies the certificate; `timeout` is in seconds."""
        context = ssl.create_default_context(cafile=str(self.ca))
        return HTTPSConnection(HOST, self.port, timeout=timeout, context=context)


class NotStarted(Exception):  # noqa: N818 - what happened, in a word
    """The process ended or did not become ready; the message has the end of its log."""


@contextlib.contextmanager
def running(folder: Path, flags: Sequence[str]) -> Iterator[LocalServer]:
    """Run `gpu-sharing serve` until the block ends; files go to `folder`.

    Raises:
        NotStarted: it did not become ready.
    """
    cert, key = make_pair(folder)
    place = LocalServer(_free_port(), _free_port(), cert, folder / "webhook.log")
    command = [
        *(sys.executable, "-m", "webhook.cli.main", "serve"),
        *("--tls-cert", str(cert), "--tls-key", str(key)),
        *("--bind", f"{HOST}:{place.port}", "--metrics-bind", f"{HOST}:{place.metrics_port}"),
        *flags,
    ]
    with place.log.open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            _wait(process, place)
            yield place
        finally:
            _end(process)


def _wait(process: "subprocess.Popen[bytes]", place: LocalServer) -> None:
    end = time.monotonic() + READY
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


def make_pair(folder: Path, address: str = HOST) -> tuple[Path, Path]:
    """Write a self-signed P-256 certificate for an address, good for a day, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "gpu-sharing on this machine")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))]), False)  # noqa: FBT003 - `critical` is positional here
        .sign(key, hashes.SHA256())
    )
    cert_path, key_path = folder / "tls.crt", folder / "tls.key"
    cert_path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    key_path.write_bytes(key.private_bytes(pem, pkcs8, serialization.NoEncryption()))
    return cert_path, key_path
