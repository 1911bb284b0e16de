"""A stand-in for an API server: objects with resourceVersions, directly or over real HTTP.

It knows get, create, update, JSON patch, conflicts and planned faults; nothing of authorization,
admission or schemas. The real cluster comes with `make e2e`.
"""

from __future__ import annotations

import copy
import json
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

import jsonpatch

from certs import client, names
from certs.client import Api, Json, Request

NAMESPACE, SERVICE = "gpu-sharing-system", "gpu-sharing"
SECRETS = names.secrets_path(NAMESPACE)
AUTHORITY = f"{SECRETS}/gpu-sharing-authority"
SERVING = f"{SECRETS}/gpu-sharing-tls"
MUTATING = f"{names.MUTATING}/gpu-sharing"
VALIDATING = f"{names.VALIDATING}/gpu-sharing"
CONFIGURATIONS = (MUTATING, VALIDATING)

Answer = tuple[int, Json]


def webhook(name: str, *, service: str = SERVICE, policy: str = "Ignore") -> Json:
    """One webhook of a configuration, with fields that nobody here knows."""
    called = {"namespace": NAMESPACE, "name": service, "path": "/mutate", "port": 443}
    return {
        "name": name,
        "clientConfig": {"service": called},
        "failurePolicy": policy,
        "timeoutSeconds": 3,
    }


def configuration(*webhooks: Json, policies: str | None = None) -> Json:
    """A webhook configuration as the chart installs it."""
    annotations = {} if policies is None else {names.FAILURE_POLICIES: policies}
    return {"metadata": {"name": "gpu-sharing", "annotations": annotations}, "webhooks": webhooks}


class ObjectStore:
    """Objects by path. `faults` come before the truth, one a request; `pods` answers dry runs."""

    def __init__(self) -> None:
        self.objects: dict[str, Json] = {}
        self.requests: list[tuple[str, str]] = []
        self.faults: dict[tuple[str, str], deque[Answer]] = defaultdict(deque)
        self.pods: Callable[[Json], Answer] = lambda pod: (201, pod)
        self.written: Callable[[str, Json], None] = lambda _path, _item: None
        self._version = 100
        self._lock = threading.Lock()

    def install(self) -> None:
        """Create both configurations: one webhook of ours in each, and one of others."""
        self.put(MUTATING, configuration(webhook("mutate.example.io")))
        others = webhook("other.example.io", service="other")
        self.put(VALIDATING, configuration(others, webhook("validate.example.io")))

    def put(self, path: str, item: Json) -> None:
        """Create or replace an object, as someone else would."""
        self._version += 1
        self.objects[path] = copy.deepcopy(item)
        self.objects[path]["metadata"]["resourceVersion"] = str(self._version)

    def edit(self, path: str, change: Callable[[Json], object]) -> None:
        """Change an object, as someone else would."""
        item = copy.deepcopy(self.objects[path])
        change(item)
        self.put(path, item)

    def plan(self, method: str, path: str, *answers: Answer) -> None:
        """Let the next requests run into these."""
        self.faults[method, path].extend(answers)

    def answer(self, request: Request) -> Answer:
        """Answer one request, and write down that it came."""
        with self._lock:
            self.requests.append((request.method, request.path))
            faults = self.faults[request.method, request.path]
            if faults:
                return faults.popleft()
            if request.path.endswith("/pods"):
                assert request.dry_run
                return self.pods(request.body)
            return getattr(self, f"_{request.method.lower()}")(request.path, request.body)

    def writes(self) -> list[tuple[str, str]]:
        """The requests so far that wanted to change something."""
        return [each for each in self.requests if each[0] != "GET"]

    def _get(self, path: str, _: object) -> Answer:
        found = self.objects.get(path)
        return (404, status(f"{path} not found")) if found is None else (200, copy.deepcopy(found))

    def _post(self, path: str, body: Json) -> Answer:
        full = f"{path}/{body['metadata']['name']}"
        if full in self.objects:
            return 409, status(f"{full} already exists")
        return 201, self._store(full, body)

    def _put(self, path: str, body: Json) -> Answer:
        return self._replaced(path, body, 200)

    def _patch(self, path: str, operations: list[Json]) -> Answer:
        if path not in self.objects:
            return 404, status(f"{path} not found")
        return self._replaced(path, jsonpatch.apply_patch(self.objects[path], operations), 200)

    def _replaced(self, path: str, body: Json, code: int) -> Answer:
        if path not in self.objects:
            return 404, status(f"{path} not found")
        asked, now = (each["metadata"]["resourceVersion"] for each in (body, self.objects[path]))
        if asked != now:
            return 409, status(f"{path}: the object has been modified")
        return code, self._store(path, body)

    def _store(self, path: str, body: Json) -> Json:
        self.put(path, body)
        self.written(path, self.objects[path])
        return copy.deepcopy(self.objects[path])


def status(message: str) -> Json:
    """The body of an error."""
    return {"kind": "Status", "status": "Failure", "message": message}


def direct(store: ObjectStore) -> Api:
    """An Api without HTTP."""

    def call(request: Request) -> Json:
        code, body = store.answer(request)
        if code >= 300:
            raise client.failure(code, json.dumps(body).encode())
        return body

    return call


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args: object) -> None:
        """Keep quiet."""

    def do_GET(self) -> None:
        """Decode, answer, encode."""
        url = urlsplit(self.path)
        length = int(self.headers.get("Content-Length", "0"))
        body = json.loads(self.rfile.read(length)) if length else None
        if self.command == "PATCH":
            assert self.headers["Content-Type"] == client.JSON_PATCH
        dry_run = dict(parse_qsl(url.query)) == {"dryRun": "All"}
        code, answer = self.server.store.answer(Request(self.command, url.path, body, dry_run))
        data = json.dumps(answer).encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(data)
        self.close_connection = True

    do_POST = do_PUT = do_PATCH = do_GET  # noqa: N815 - the names that http.server calls


@contextmanager
def listening(store: ObjectStore) -> Iterator[str]:
    """Serve a store on a free loopback port; yields its URL."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.store = store
    server.daemon_threads = False
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
