"""A server of our own for tests: the worker under gunicorn, an echoing application, clients."""

import asyncio
import gc
import json
import logging
import os
import signal
import socket
import ssl
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from gunicorn.app.base import BaseApplication
from msgspec.structs import asdict

from examples.demo import local_server
from tests.forks import Fork
from webhook.server.http.connections import ServerLimits
from webhook.server.http.messages import HttpRequest, HttpResponse
from webhook.server.http.worker import Application, AsyncWorker
from webhook.server.tls import ServingCertificate

HEAD = b"POST /echo HTTP/1.1\r\nHost: webhook\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"

DEADLINE = 30.0  # seconds any condition may take; a machine under load is slow, not wrong


# Certificates.


def make_pair(
    directory: Path, common_name: str, *, end: datetime | None = None
) -> tuple[Path, Path]:
    """Write a self-signed P-256 pair `tls.crt`, `tls.key`, as a Kubernetes Secret names them."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    end = end or datetime.now(UTC) + timedelta(days=30)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(end - timedelta(days=60))
        .not_valid_after(end)
        .sign(key, hashes.SHA256())
    )
    directory.mkdir(parents=True, exist_ok=True)
    cert_path, key_path = directory / "tls.crt", directory / "tls.key"
    cert_path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return cert_path, key_path


# The server, as a process.


class Echo:
    """A handler that tells what reached it; counts the answers that were written."""

    def __init__(self) -> None:
        self.written = 0

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer by the path; any other path gives the body back."""
        if request.path == "/raise":
            raise ValueError("an application that fails")
        if request.path == "/slow":
            time.sleep(float(request.query))
        about = asdict(request) | {"body": str(len(request.body)), "client": sorted(request.client)}
        answers = {
            "/request": lambda: json.dumps(about).encode(),
            "/written": lambda: str(self.written).encode(),
            "/turns": lambda: str(sys.getswitchinterval()).encode(),
            "/frozen": lambda: str(gc.get_freeze_count()).encode(),
            "/big": lambda: b"x" * 1_000_000,
        }
        headers = [("Content-Type", "text/plain"), ("Connection", "X-Mine"), ("X-App", "echo")]
        if request.path == "/split":
            headers.append(("X-Bad", "a\r\nSet-Cookie: b"))
        status = "" if request.path == "/silent" else "200 OK"
        body = answers.get(request.path, lambda: request.body)()
        return HttpResponse(status, headers, body, self._count)

    def _count(self) -> None:
        self.written += 1


class Served(BaseApplication):
    """The smallest gunicorn application that has what the worker looks for."""

    def __init__(self, options: dict) -> None:
        self._options = options
        self.limits = ServerLimits(**options["limits"])
        self.certificate = None
        if options["pair"]:
            self.certificate = ServingCertificate(*options["pair"], told)
            self.certificate.load()
        super().__init__()

    def load_config(self) -> None:
        """Set what the tests need."""
        settings = {
            "bind": f"fd://{self._options['fd']}",
            "worker_class": AsyncWorker,
            "workers": 1,
            "control_socket_disable": True,
            "graceful_timeout": self._options["graceful_timeout"],
            "post_worker_init": lambda _worker: print("post_worker_init", flush=True),  # noqa: T201 - tests read it
        }
        for name, value in settings.items():
            self.cfg.set(name, value)

    def load(self) -> Application:
        """Give the application."""
        echo, later = Echo(), Later()

        def handle(request: HttpRequest) -> HttpResponse | Awaitable[HttpResponse]:
            return later(request) if request.path.startswith("/later") else echo(request)

        return Application(handle, later.background)


class Later:
    """Answers that wait: `/later` until `/later/now` comes, whose body they give back."""

    def __init__(self) -> None:
        self._released = asyncio.Event()
        self.waiting = self.cancelled = 0

    async def __call__(self, request: HttpRequest) -> HttpResponse:
        """Wait, or let go of those that wait, or tell how many do."""
        if request.path == "/later/counts":
            body = json.dumps([self.waiting, self.cancelled]).encode()
            return HttpResponse("200 OK", [], body)
        if request.path == "/later/fail":
            raise ValueError("an application that fails later")
        if request.path == "/later/now":
            self._released.set()
            self._released = asyncio.Event()
            return HttpResponse("200 OK", [], b"now")
        self.waiting += 1
        try:
            await self._released.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.waiting -= 1
        return HttpResponse("200 OK", [], request.body)

    async def background(self) -> None:
        """Say when it begins and ends, as any background work may."""
        print("background began", flush=True)  # noqa: T201 - tests read it
        try:
            await asyncio.Event().wait()
        finally:
            print("background ended", flush=True)  # noqa: T201 - tests read it


def told(event: str, **fields: object) -> None:
    """Write an event where tests can wait for it."""
    print(json.dumps({"event": event, **fields}), flush=True)  # noqa: T201 - tests read it


def serve(kind: type[Served], options: dict, listener: socket.socket) -> None:
    """Run a server in this process until a signal."""
    logging.captureWarnings(True)  # noqa: FBT003 - its only form
    kind(options | {"fd": listener.fileno()}).run()


@dataclass
class Server:
    """A running server: where it is and what it has said."""

    port: int
    process: Fork
    log: Path
    drain_file: Path
    clients: list[HTTPConnection] = field(default_factory=list)  # closed when the server ends

    def said(self, text: str) -> bool:
        """Whether a text is in what it wrote."""
        return text in self.log.read_text()

    def stop(self) -> None:
        """End it gently, without waiting."""
        self.process.send_signal(signal.SIGTERM)

    def ended(self) -> bool:
        """Whether the arbiter is gone."""
        return self.process.poll() is not None


@contextmanager
def serving(
    directory: Path,
    pair: tuple[Path, Path] | None,
    graceful_timeout: int = 20,
    kind: type[Served] = Served,
    **limits: float,
) -> Iterator[Server]:
    """Run a server on a free port; it is dead when this ends, however it ends."""
    options = {"pair": pair, "graceful_timeout": graceful_timeout, "limits": limits}
    log, drain_file = directory / "server.log", directory / "drain"
    told = {"GPU_SHARING_DRAIN_FILE": str(drain_file)}
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener, log.open("wb") as output:
        port = listener.getsockname()[1]
        process = Fork(serve, kind, options, listener, stdout=output, **told)
    server = Server(port, process, log, drain_file)
    try:
        yield server
        # What asyncio logs when a protocol of ours raises.
        assert not server.said("Exception in callback")
        assert not server.said("Fatal error")
    finally:
        with suppress(ProcessLookupError):  # a worker may outlive its arbiter, and the other way
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(DEADLINE)
        for client in server.clients:
            client.close()


# Clients.


def until(condition: Callable[[], object], seconds: float = DEADLINE) -> None:
    """Wait until a condition holds; fail when it never does."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"still not so after {seconds} s"
        time.sleep(0.02)


def client_context() -> ssl.SSLContext:
    """Trust anyone: what is tested here is the serving, not who signs."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def https(server: Server) -> HTTPSConnection:
    """Make a client that keeps its connection, and connects again when it has lost it."""
    client = local_server.TlsClient(server.port, client_context(), DEADLINE)
    server.clients.append(client)
    return client


def post(client: HTTPSConnection, body: bytes = b"review", path: str = "/echo") -> HTTPResponse:
    """Send one review; the caller reads the answer's body, which frees the connection."""
    client.request("POST", path, body)
    return client.getresponse()


def dial(
    server: Server, name: str | None = None, context: ssl.SSLContext | None = None
) -> ssl.SSLSocket:
    """Open one TLS connection, with a server name only if one is given."""
    return local_server.dial(server.port, context or client_context(), name, DEADLINE)


def common_name(connection: ssl.SSLSocket) -> str:
    """Name the certificate that a connection was opened with."""
    leaf = x509.load_der_x509_certificate(connection.getpeercert(binary_form=True))
    return leaf.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value


def everything(connection: socket.socket) -> bytes:
    """Read until the server closes."""
    parts = []
    while part := connection.recv(65536):
        parts.append(part)
    return b"".join(parts)


def with_length(body: bytes, extra: bytes = b"") -> bytes:
    """Give the bytes of one request with a body of known length."""
    return HEAD + b"Content-Length: %d\r\n%b\r\n%b" % (len(body), extra, body)


def read_answer(connection: socket.socket) -> tuple[HTTPResponse, bytes]:
    """Read one whole answer, and no byte of the next if it comes later."""
    answer = HTTPResponse(connection)
    answer.begin()
    return answer, answer.read()


def answer_to(server: Server, raw: bytes) -> tuple[HTTPResponse, bytes]:
    """Send raw bytes on a connection of their own; give the first answer."""
    with dial(server) as connection:
        connection.sendall(raw)
        return read_answer(connection)
