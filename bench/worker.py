"""Our gunicorn worker beside gthread: the server's CPU for a review, in one run.

`python bench/worker.py` prints the median of interleaved rounds and their ratio. The client is
Python too and slower than either server, so reviews a second would say little; the CPU that the
kernel counts for the server process does.
"""

import http.client
import json
import os
import signal
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gunicorn.app.base import BaseApplication

from certs.pair import write_pair
from examples.demo.api_server import review
from webhook.server.http.messages import HttpResponse
from webhook.server.http.worker import Application, AsyncWorker
from webhook.server.tls import ServingCertificate

HOST = "127.0.0.1"
CONNECTIONS, REVIEWS, ROUNDS = 16, 4000, 5
POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "a", "annotations": {f"note-{n}": "x" * 60 for n in range(40)}},
    "spec": {"containers": [{"name": "main", "resources": {"limits": {"nvidia.com/gpu": "1"}}}]},
}
BODY = json.dumps(review(POD, "bench")).encode()


class Server(BaseApplication):
    """gunicorn with one worker of either kind, and an application that answers at once."""

    def __init__(self, kind: str, port: str, folder: str) -> None:
        self.kind, self.port = kind, port
        self.cert, self.key = f"{folder}/tls.crt", f"{folder}/tls.key"
        pair = Path(self.cert), Path(self.key)
        self.certificate = ServingCertificate(*pair, lambda *_, **__: None)
        self.certificate.load()
        super().__init__()

    def load_config(self) -> None:
        """One worker; gthread with its settings for the API server's parked connections."""
        self.cfg.set("bind", [f"{HOST}:{self.port}"])
        self.cfg.set("certfile", self.cert)
        self.cfg.set("keyfile", self.key)
        self.cfg.set("loglevel", "error")
        if self.kind == "async":
            self.cfg.set("worker_class", AsyncWorker)
        else:
            self.cfg.set("worker_class", "gthread")
            self.cfg.set("threads", 64)
            self.cfg.set("keepalive", 120)
            self.cfg.set("ssl_context", lambda _conf, _default: self.certificate.front)

    def load(self):
        """The application."""
        if self.kind == "async":
            return Application(lambda request: HttpResponse("200 OK", [], request.body))

        def app(environ, start_response):
            body = environ["wsgi.input"].read()
            start_response("200 OK", [("Content-Length", str(len(body)))])
            return [body]

        return app


@contextmanager
def running(kind: str, folder: str) -> Iterator[tuple[int, int]]:
    """A server of a kind: its port and the process that works."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen([sys.executable, __file__, kind, str(port), folder])
    try:
        for _ in range(600):
            with socket.socket() as probe:
                if probe.connect_ex((HOST, port)) == 0:
                    break
            time.sleep(0.05)
        send(port, folder, 50)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
        yield port, int(children.split()[0])
    finally:
        process.send_signal(signal.SIGQUIT)
        process.wait()


def send(port: int, folder: str, count: int) -> None:
    """Send reviews over one kept-alive connection."""
    context = ssl.create_default_context(cafile=f"{folder}/ca.crt")
    connection = http.client.HTTPSConnection(HOST, port, context=context, timeout=60)
    for _ in range(count):
        connection.request("POST", "/", BODY, {"Content-Type": "application/json"})
        if connection.getresponse().read() != BODY:
            raise RuntimeError("a wrong answer")
    connection.close()


def cpu(pid: int) -> float:
    """User and system seconds of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def milliseconds(kind: str, folder: str) -> float:
    """The server's CPU for a review, in milliseconds."""
    with running(kind, folder) as (port, pid):
        before = cpu(pid)
        each = REVIEWS // CONNECTIONS
        threads = [
            threading.Thread(target=send, args=(port, folder, each)) for _ in range(CONNECTIONS)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return (cpu(pid) - before) / (each * CONNECTIONS) * 1000


def main() -> None:
    """Measure both, turn by turn."""
    with tempfile.TemporaryDirectory() as folder:
        write_pair(Path(folder), ["127.0.0.1"])
        found: dict[str, list[float]] = {"gthread": [], "async": []}
        for _ in range(ROUNDS):
            for kind, values in found.items():
                values.append(milliseconds(kind, folder))
    for kind, values in found.items():
        spread = f"{min(values):.3f} to {max(values):.3f}"
        sys.stdout.write(f"{kind}: {statistics.median(values):.3f} ms CPU a review ({spread})\n")
    ratios = [a / b for a, b in zip(found["gthread"], found["async"], strict=True)]
    sys.stdout.write(
        f"gthread / async: {statistics.median(ratios):.2f} "
        f"({min(ratios):.2f} to {max(ratios):.2f}); {len(BODY)} bytes, {CONNECTIONS} connections\n"
    )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        Server(*sys.argv[1:]).run()
    else:
        main()
