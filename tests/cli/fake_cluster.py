"""A stand-in for a cluster with the webhook: the fake API server, and dry runs by the real core.

It knows no controllers and no schemas; the real cluster comes with `make e2e`.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any

import msgspec

from tests.fake_apiserver.answers import StatusError, denied
from tests.fake_apiserver.api import Admitted, Request
from tests.fake_apiserver.paths import ResourcePath
from tests.fake_apiserver.rights import Allowed
from tests.fake_apiserver.rights import edits as edits_and_reads
from tests.fake_apiserver.rights import views as views_and_reads
from tests.fake_apiserver.server import FakeApiServer
from webhook.cli import loaders
from webhook.core import record
from webhook.core.api import names
from webhook.core.api.admission import AdmissionRequest, Mode, Side
from webhook.core.api.node import Node
from webhook.core.gpu import inventory
from webhook.core.gpu.values import Inventory
from webhook.core.policy.values import Policy
from webhook.core.simulate import simulate

Json = dict[str, Any]
POLICY = ("configmaps", "gpu-sharing")


def edits(own: str) -> Allowed:
    """What somebody with the ClusterRole `edit` in one namespace may, and reading the policy."""
    return edits_and_reads(own, POLICY)


def views(own: str) -> Allowed:
    """The same with the ClusterRole `view`."""
    return views_and_reads(own, POLICY)


def log_of(pod: str) -> str:
    """Where the log of a replica is."""
    return f"/api/v1/namespaces/gpu-sharing/pods/{pod}/log"


def metrics_of(pod: str, port: str = "8080") -> str:
    """Where the metrics of a replica are."""
    return f"/api/v1/namespaces/gpu-sharing/pods/{pod}:{port}/proxy/metrics"


@cache
def parsed(text: str) -> Policy:
    """The policy of a text, once."""
    return loaders.parse_policy(text)


@lru_cache(maxsize=8)
def offered(nodes: bytes, text: str) -> Inventory:
    """What nodes offer by a policy, read once for all pods of a cluster."""
    read, policy = msgspec.json.decode(nodes, type=list[Node]), parsed(text)
    return inventory.build_inventory(read, policy.pools, policy.momentary_taints)


class FakeCluster(FakeApiServer):
    """A FakeApiServer; `refuse` is said of every dry run, and a `deaf` one has no webhook."""

    def __init__(self) -> None:
        super().__init__()
        self.refuse = ""
        self.deaf = False
        self.tried: list[Json] = []
        self.admit = self._admit

    def put(self, resource: str, *objects: Json) -> None:
        """Add objects where their apiVersion (v1 if none) and namespace put them."""
        for each in objects:
            group, _, version = each.get("apiVersion", "v1").rpartition("/")
            wide = resource in ("nodes", "namespaces")
            namespace = "" if wide else each["metadata"].get("namespace", "")
            self.store.put(ResourcePath(group, version, namespace, resource).collection, each)

    def find(self, resource: str, namespace: str, name: str) -> Any:
        """An object, to be changed in place."""
        return self.store.find(resource, namespace, name)

    def drop(self, resource: str, namespace: str = "", name: str = "") -> None:
        """Delete what a resource has in a namespace, or of a name; of all where it is empty."""
        for path, _ in self.store.each():
            here = (path.resource, namespace and path.namespace, name and path.name)
            if here == (resource, namespace, name):
                self.store.remove(path.path)

    def create(self, pod: Json, namespace: str) -> Admitted:
        """Answer a dry run as both webhooks would have it answered; raise StatusError."""
        labels = self.find("namespaces", "", namespace)["metadata"].get("labels") or {}
        mode = labels.get(names.MODE)
        if mode is None or self.deaf:
            return Admitted(pod)
        request = AdmissionRequest(
            side=Side.MUTATE,
            mode=Mode(mode),
            uid="u",
            operation="CREATE",
            namespace=namespace,
            namespace_labels=labels,
        )
        policy = self._policy()
        nodes = [each for path, each in self.store.each() if path.resource == "nodes"]
        offers = offered(msgspec.json.encode(nodes), policy)
        seen = simulate(request, pod, parsed(policy), offers)
        if not seen.verdict.allowed:
            causes = record.to_status_causes(seen.verdict.short_record)
            raise denied("mutate.gpu-sharing.io", seen.verdict.message, *causes)
        after: Json = msgspec.to_builtins(seen.after)
        if names.EXPLAIN in (pod["metadata"].get("annotations") or {}):
            return Admitted(after, (record.to_json(seen.verdict.record, record.MOST_WARNED),))
        return Admitted(after, seen.verdict.shown_warnings)

    def _admit(self, request: Request) -> Admitted:
        assert request.dry_run, "the commands change nothing"
        self.tried.append(request.body)
        if self.refuse:
            raise StatusError(403, self.refuse)
        return self.create(request.body, request.resource.namespace)

    def _policy(self) -> str:
        """The policy that is installed, or the built-in one."""
        try:
            found: str = self.find("configmaps", "gpu-sharing", "gpu-sharing-policy")["data"][
                "policy.yaml"
            ]
        except KeyError:
            return loaders.default_policy_text()
        return found
