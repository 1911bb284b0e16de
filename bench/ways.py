"""What may stand in the way of a pod that is created: nothing, ours, a Go webhook, a policy.

Each way has a namespace of its own on one cluster, so that they can be measured in turn.
"""

import base64
import tempfile
from pathlib import Path
from typing import Any

from bench.servers import build_go
from certs.pair import AUTHORITY, write_pair
from tests.e2e.cluster import Cluster
from tests.e2e.cluster.settings import cache_directory
from tests.e2e.cluster.toolchain import find_go
from tests.e2e.user import MODE, User

NOTHING, OURS, GO, POLICY = "nothing", "ours", "one Go webhook", "a MutatingAdmissionPolicy"
NAMESPACES = {NOTHING: "bench-nothing", OURS: "bench-ours", GO: "bench-go", POLICY: "bench-policy"}
LABELS = {OURS: {MODE: "enforce"}, GO: {"bench": "go"}, POLICY: {"bench": "policy"}}
PORT = 9444
GPU, SLICE = "nvidia.com~1gpu", "nvidia.com~1mig-1g.5gb"
LIMITS = "/spec/containers/0/resources/limits/"
REQUESTS = "/spec/containers/0/resources/requests/"
RULE = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}
ASKS = "object.spec.containers.exists(c, 'nvidia.com/gpu' in c.?resources.?limits.orValue({}))"
"""What a webhook or policy that only renames would be asked about."""


def named(kind: str, name: str) -> dict[str, Any]:
    """The head of an object of admissionregistration.k8s.io."""
    version = "admissionregistration.k8s.io/v1"
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name}}


def selector(label: str) -> dict[str, Any]:
    """The namespaces of a way."""
    return {"namespaceSelector": {"matchLabels": {"bench": label}}}


def add_go(cluster: Cluster, folder: Path) -> None:
    """Start the Go webhook, as a process behind a Service, and register it."""
    build_go(find_go(cache_directory()), folder)
    write_pair(folder, ["bench-go.bench-go.svc"], "wb")
    command = [folder / "fulltypes", f"{{address}}:{PORT}", folder]
    ready = {cluster.run_server(command, PORT): True}
    cluster.expose("bench-go", "bench-go", (443, PORT), ready)
    service = {"namespace": "bench-go", "name": "bench-go", "path": "/mutate"}
    bundle = base64.b64encode((folder / AUTHORITY).read_bytes()).decode()
    webhook = {
        "name": "go.bench.example.com",
        "clientConfig": {"service": service, "caBundle": bundle},
        "rules": [RULE],
        **selector("go"),
        "matchConditions": [{"name": "asks", "expression": ASKS}],
        "failurePolicy": "Fail",
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
    }
    cluster.apply(named("MutatingWebhookConfiguration", "bench-go") | {"webhooks": [webhook]})


def add_policy(cluster: Cluster) -> None:
    """Register a policy that renames in the first container."""
    operations = ", ".join(
        f"JSONPatch{{op: '{op}', path: '{place}{name}'{value}}}"
        for place in (LIMITS, REQUESTS)
        for op, name, value in (("remove", GPU, ""), ("add", SLICE, ", value: '1'"))
    )
    patch = {"patchType": "JSONPatch", "jsonPatch": {"expression": f"[{operations}]"}}
    spec = {
        "failurePolicy": "Fail",
        "reinvocationPolicy": "Never",
        "matchConstraints": {"resourceRules": [RULE]},
        "matchConditions": [{"name": "asks", "expression": ASKS}],
        "mutations": [patch],
    }
    bound = {"policyName": "bench", "matchResources": selector("policy")}
    cluster.apply(named("MutatingAdmissionPolicy", "bench") | {"spec": spec})
    cluster.apply(named("MutatingAdmissionPolicyBinding", "bench") | {"spec": bound})


def lay_all(user: User) -> None:
    """Make every way there is."""
    for way, name in NAMESPACES.items():
        user.namespace(name, LABELS.get(way))
    add_go(user.cluster, Path(tempfile.mkdtemp(dir=user.cluster.logs.parent)))
    add_policy(user.cluster)
