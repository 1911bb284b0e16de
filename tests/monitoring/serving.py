"""An exporter that serves pages, and a real Prometheus and Alertmanager on free ports."""

import json
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

import yaml

from tests.monitoring import tools

ROOT = Path(__file__).parents[2]
RULES = ROOT / "deploy/monitoring/rules.yaml"
PAGES = {path.stem: path.read_text() for path in sorted(Path(__file__).parent.glob("pages/*.prom"))}
PATIENCE = 60.0


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def wait_for(condition: Callable[[], Any], what: str) -> Any:
    """Return what a condition gives as soon as it gives something."""
    ends = time.monotonic() + PATIENCE
    while time.monotonic() < ends:
        try:
            if found := condition():
                return found
        except OSError:
            pass
        time.sleep(0.2)
    raise AssertionError(f"{what}: not within {PATIENCE:.0f} s")


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        page = self.server.pages.get(self.path.strip("/"))  # type: ignore[attr-defined]
        body = (page or "").encode()
        self.send_response(200 if page is not None else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Keep quiet."""


@contextmanager
def exporter(pages: dict[str, str]) -> Iterator[int]:
    """Serve each page at /NAME; yields the port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    server.pages = pages  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def process(command: list[str], log: Path) -> Iterator[None]:
    with log.open("wb") as out:
        running = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
        try:
            yield
        finally:
            running.terminate()
            running.wait(20)


@dataclass(frozen=True)
class Api:
    """The HTTP API of a Prometheus or an Alertmanager."""

    url: str

    def get(self, path: str, **params: str) -> Any:
        with urlopen(f"{self.url}{path}?{urlencode(params)}", timeout=30) as answer:  # noqa: S310
            return json.load(answer)

    def query(self, text: str) -> list[dict[str, Any]]:
        """Return the samples of an instant query."""
        found: list[dict[str, Any]] = self.get("/api/v1/query", query=text)["data"]["result"]
        return found

    def ready(self) -> bool:
        with urlopen(f"{self.url}/-/ready", timeout=5) as answer:  # noqa: S310
            return bool(answer.status == 200)


@contextmanager
def prometheus(
    folder: Path, config: dict[str, Any], data: Path | None = None, *flags: str
) -> Iterator[Api]:
    """Run Prometheus with a configuration; `data` may hold blocks, which are never merged."""
    path = folder / "prometheus.yaml"
    path.write_text(yaml.safe_dump(config))
    port = free_port()
    command = [
        tools.find("prometheus"), f"--config.file={path}",
        f"--web.listen-address=127.0.0.1:{port}",
        f"--storage.tsdb.path={data or folder / 'data'}", "--storage.tsdb.retention.time=10y",
        "--storage.tsdb.min-block-duration=2h", "--storage.tsdb.max-block-duration=2h", *flags,
    ]  # fmt: skip
    api = Api(f"http://127.0.0.1:{port}")
    with process([str(each) for each in command], folder / "prometheus.log"):
        wait_for(api.ready, "Prometheus is ready")
        yield api


@contextmanager
def alertmanager(folder: Path) -> Iterator[Api]:
    """Run Alertmanager that sends to nobody.

    Debian's reads its templates from /usr/share, where they are only in a mount namespace of ours.
    """
    path = folder / "alertmanager.yaml"
    path.write_text(
        yaml.safe_dump({"route": {"receiver": "none"}, "receivers": [{"name": "none"}]})
    )
    port = free_port()
    program = str(tools.find("prometheus-alertmanager"))
    command = [
        program, f"--config.file={path}", f"--storage.path={folder / 'alerts'}",
        f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address=",
    ]  # fmt: skip
    if program.startswith(str(tools.CACHE)):
        mount = f'mount --bind {tools.CACHE}/usr/share /usr/share && exec "$@"'
        command = ["unshare", "--map-root-user", "--mount", "sh", "-c", mount, "sh", *command]
    api = Api(f"http://127.0.0.1:{port}")
    with process(command, folder / "alertmanager.log"):
        wait_for(api.ready, "Alertmanager is ready")
        yield api
