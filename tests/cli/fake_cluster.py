"""A stand-in for a cluster: real HTTP on a loopback port, canned objects, rights, and dry runs.

A dry run is answered by the real core, with the nodes that are there. It knows no controllers and
no schemas; the real cluster comes with `make e2e`.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec
import yaml

from webhook.cli import loaders
from webhook.cli.manifests import Manifest
from webhook.core import record
from webhook.core.api import names
from webhook.core.api.admission import AdmissionRequest, Mode, Side
from webhook.core.gpu import inventory
from webhook.core.policy.values import Policy
from webhook.core.policy.yaml_text import Document
from webhook.core.simulate import simulate

Json = dict[str, Any]
Allowed = Callable[[str, str, str], bool]
"""Verb, resource, namespace (empty for none) -> whether the caller may."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request: what is wanted, by its path."""

    verb: str
    resource: str
    namespace: str
    name: str
    below: str

    @property
    def right(self) -> tuple[str, str, str]:
        """As rights are named."""
        sub = self.below.split("/")[0]
        return self.verb, f"{self.resource}/{sub}" if sub else self.resource, self.namespace


def read_path(method: str, path: str) -> Asked:
    """Take a path of the API server apart."""
    parts = path.strip("/").split("/")
    parts = parts[2:] if parts[0] == "api" else parts[3:]
    namespace = ""
    if parts[0] == "namespaces" and len(parts) > 2:
        namespace, parts = parts[1], parts[2:]
    resource, name, *below = [*parts, ""][: max(len(parts), 2)]
    verb = "create" if method == "POST" else "get" if name else "list"
    return Asked(verb, resource, namespace, name, "/".join(below))


def anything(verb: str, resource: str, namespace: str) -> bool:
    """What an administrator may."""
    return True


def edits(own: str) -> Allowed:
    """What somebody with the ClusterRole `edit` in one namespace may, and reading the policy."""

    def allowed(verb: str, resource: str, namespace: str) -> bool:
        if (verb, resource) == ("get", "configmaps") and namespace == "gpu-sharing":
            return True
        return namespace == own and resource not in ("secrets",)

    return allowed


def views(own: str) -> Allowed:
    """The same with the ClusterRole `view`."""
    return lambda verb, *rest: verb in ("get", "list") and edits(own)(verb, *rest)


@dataclass
class FakeCluster:
    """Objects by resource, namespace and name; `refuse` is said of every dry run, `lost` too."""

    objects: dict[tuple[str, str, str], Json] = field(default_factory=dict)
    allowed: Allowed = anything
    logs: dict[str, str | int] = field(default_factory=dict)
    metrics: dict[str, str] = field(default_factory=dict)
    metrics_port: str = "8080"
    groups: set[str] = field(default_factory=set)
    refuse: str = ""
    deaf: bool = False
    requests: list[Asked] = field(default_factory=list)
    tried: list[Json] = field(default_factory=list)
    port: int = 0

    def put(self, resource: str, *objects: Json) -> None:
        """Add objects."""
        for each in objects:
            metadata = each["metadata"]
            where = "" if resource in ("nodes", "namespaces") else metadata.get("namespace", "")
            self.objects[resource, where, metadata["name"]] = each

    def page(self, asked: Asked, params: dict[str, str]) -> Json:
        """A page of a list."""
        found = [
            each
            for (resource, namespace, _), each in self.objects.items()
            if resource == asked.resource
            and asked.namespace in ("", namespace)
            and _selected(each, params.get("labelSelector", ""))
        ]
        start, limit = int(params.get("continue", 0)), int(params.get("limit", 500))
        metadata = {"resourceVersion": "1"}
        if start + limit < len(found):
            metadata["continue"] = str(start + limit)
        return {"metadata": metadata, "items": found[start : start + limit] or None}

    @property
    def policy(self) -> Policy:
        """The policy that is installed, or the built-in one."""
        found = self.objects.get(("configmaps", "gpu-sharing", "gpu-sharing-policy"))
        return (
            loaders.parse_policy(found["data"]["policy.yaml"])
            if found
            else loaders.load_policy(None)
        )

    def create(self, pod: Json, namespace: str) -> tuple[int, Json, tuple[str, ...]]:
        """Answer a dry run as both webhooks would have it answered."""
        self.tried.append(pod)
        if self.refuse:
            return 403, _status(403, self.refuse), ()
        labels = self.objects["namespaces", "", namespace]["metadata"].get("labels") or {}
        mode = labels.get(names.MODE)
        if mode is None or self.deaf:
            return 201, pod, ()
        request = AdmissionRequest(
            side=Side.MUTATE,
            mode=Mode(mode),
            uid="u",
            operation="CREATE",
            namespace=namespace,
            namespace_labels=labels,
        )
        nodes = [each for (kind, _, _), each in self.objects.items() if kind == "nodes"]
        read = loaders.of_objects(Manifest("", each, Document(each, None)) for each in nodes).nodes
        offers = inventory.build_inventory(read, self.policy.pools, self.policy.momentary_taints)
        seen = simulate(request, pod, self.policy, offers)
        if not seen.verdict.allowed:
            webhook = 'admission webhook "mutate.gpu-sharing.io" denied the request: '
            causes = record.to_status_causes(seen.verdict.record)
            return 403, _status(403, webhook + seen.verdict.message, causes), ()
        after: Json = msgspec.to_builtins(seen.after)
        if names.EXPLAIN in (pod["metadata"].get("annotations") or {}):
            return 201, after, (record.to_json(seen.verdict.record, record.MOST_WARNED),)
        return 201, after, seen.verdict.shown_warnings


def _selected(subject: Json, selector: str) -> bool:
    labels = subject["metadata"].get("labels") or {}
    for each in filter(None, selector.split(",")):
        key, equals, value = each.partition("=")
        if key not in labels or (equals and labels[key] != value):
            return False
    return True


def _status(code: int, message: str, causes: Sequence[Json] = ()) -> Json:
    details = {"causes": list(causes)}
    return {"kind": "Status", "code": code, "message": message, "details": details}


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or each answer waits 40 ms for an acknowledgement
    server: Server

    def handle(self) -> None:
        """Serve until either side has enough."""
        with suppress(OSError):
            super().handle()

    def log_message(self, *args: object) -> None:
        """Keep quiet."""

    def do_GET(self) -> None:
        """Answer with what is there, if the caller may see it."""
        url = urlsplit(self.path)
        cluster = self.server.cluster
        if url.path.count("/") == 2 and url.path.startswith("/apis/"):
            group = url.path.split("/")[2]
            found = {"preferredVersion": {"version": "v1"}}
            self.send(*((200, found) if group in cluster.groups else (404, _status(404, "no"))))
            return
        asked = read_path("GET", url.path)
        if self._may(asked):
            self._answer(asked, dict(parse_qsl(url.query)))

    def _may(self, asked: Asked) -> bool:
        cluster = self.server.cluster
        cluster.requests.append(asked)
        name = asked.name if asked.resource == "namespaces" else ""
        verb, resource, namespace = asked.right
        if cluster.allowed(verb, resource, namespace or name):
            return True
        text = f'{resource} is forbidden: User "jane" cannot {verb} resource "{resource}"'
        self.send(403, _status(403, text))
        return False

    def _answer(self, asked: Asked, params: dict[str, str]) -> None:
        cluster = self.server.cluster
        if asked.verb == "list":
            self.send(200, cluster.page(asked, params))
        elif asked.below == "log":
            self._text(cluster.logs.get(asked.name, ""))
        elif asked.below == "proxy/metrics":
            pod, _, port = asked.name.partition(":")
            self._text(cluster.metrics.get(pod, 503) if port == cluster.metrics_port else 503)
        else:
            found = cluster.objects.get((asked.resource, asked.namespace, asked.name))
            missing = _status(404, f'{asked.resource} "{asked.name}" not found')
            self.send(*((200, found) if found else (404, missing)))

    def do_POST(self) -> None:
        """Answer a dry run; anything else would change the cluster."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        url = urlsplit(self.path)
        assert url.query == "dryRun=All", "the commands change nothing"
        asked = read_path("POST", url.path)
        if self._may(asked):
            status, made, warnings = self.server.cluster.create(body, asked.namespace)
            self.send(status, made, warnings)

    def _text(self, found: str | int) -> None:
        if isinstance(found, int):
            self.send(found, _status(found, "the pod does not answer"))
        else:
            self._body(200, found.encode())

    def send(self, status: int, body: object, warnings: tuple[str, ...] = ()) -> None:
        """Send JSON."""
        self._body(status, json.dumps(body).encode(), warnings)

    def _body(self, status: int, data: bytes, warnings: tuple[str, ...] = ()) -> None:
        self.send_response(status)
        for text in warnings:
            quoted = text.replace("\\", "\\\\").replace('"', '\\"')
            self.send_header("Warning", f'299 - "{quoted}"')
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


class Server(ThreadingHTTPServer):
    """The listening socket."""

    daemon_threads = True

    def __init__(self, cluster: FakeCluster) -> None:
        self.cluster = cluster
        super().__init__(("127.0.0.1", 0), Handler)


@contextmanager
def serving(cluster: FakeCluster) -> Iterator[FakeCluster]:
    """Let a cluster answer until the block ends."""
    server = Server(cluster)
    cluster.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield cluster
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def kubeconfig(folder: Path, port: int, namespace: str = "shop") -> Path:
    """Write a kubeconfig for the cluster at a port, whose context names a namespace."""
    path = folder / "kubeconfig"
    context = {"cluster": "fake", "user": "jane", "namespace": namespace}
    whole = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "fake",
        "clusters": [{"name": "fake", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
        "users": [{"name": "jane", "user": {"token": "t"}}],
        "contexts": [{"name": "fake", "context": context}],
    }
    path.write_text(yaml.safe_dump(whole))
    return path
