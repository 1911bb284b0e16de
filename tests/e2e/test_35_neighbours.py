"""Pods that other projects' webhooks change too, called before ours and after it.

The API server calls configurations by name: `aa-…` comes before `gpu-sharing`, `zz-…` after it.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.neighbour_webhook import BEHAVIOURS
from tests.e2e.user import MODE, User, limits, pod

PROGRAM = Path(__file__).parent / "neighbour_webhook.py"
ORDERS = {"before": "aa-neighbours", "after": "zz-neighbours"}
SLICE = "nvidia.com/mig-1g.5gb"
PORT = 9443
RULE = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}
MARKS = {  # what shows that the neighbour's change is in the pod that is stored
    "strip": None,
    "istio": "istio-proxy",
    "kueue": "kueue.x-k8s.io/admission",
    "kai": "kai-scheduler",
    "hami": None,
    "engine": "128Mi",
    "overwriting": "128Mi",
    "vpa": "vpaUpdates",
}


def configuration(order: str, url: str, bundle: str) -> dict[str, Any]:
    """A webhook for each behaviour, called for the pods that are labelled so."""
    webhooks = [
        {
            "name": f"{name}.example.com",
            "clientConfig": {"url": f"{url}/{name}", "caBundle": bundle},
            "rules": [RULE],
            "objectSelector": {"matchLabels": {"neighbour": name, "order": order}},
            "failurePolicy": "Fail",
            "sideEffects": "None",
            "admissionReviewVersions": ["v1"],
            "reinvocationPolicy": "Never",
        }
        for name in BEHAVIOURS
    ]
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": ORDERS[order]},
        "webhooks": webhooks,
    }


@pytest.fixture(scope="module")
def shop(installed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[User, str]]:
    """Somebody with a namespace that opted in, beside all neighbours."""
    user, folder = installed.user, tmp_path_factory.mktemp("neighbours")
    command = [sys.executable, PROGRAM, "{address}", str(PORT), folder]
    address = user.cluster.run_server(command, PORT)
    bundle = (folder / "ca.b64").read_text(encoding="ascii")
    for order in ORDERS:
        user.cluster.apply(configuration(order, f"https://{address}:{PORT}", bundle))
    yield user, user.namespace("neighbours", {MODE: "enforce"})
    user.kubectl("delete", "mutatingwebhookconfiguration", *ORDERS.values())
    user.kubectl("delete", "namespace", "neighbours", "--wait=false")
    user.cluster.stop_server(address)


def created(user: User, namespace: str, wish: dict[str, Any]) -> dict[str, Any]:
    """The pod as the API server would store it."""
    let_in, printed = user.create(namespace, wish, "--dry-run=server", "-o", "json")
    assert let_in, printed
    found, _ = json.JSONDecoder().raw_decode(printed[printed.index("{") :])
    return dict(found)


def holds(found: dict[str, Any]) -> None:
    """The pod has the slice, is kept to nodes where it is one, and nothing else sees a GPU."""
    spec = found["spec"]
    [main] = [each for each in spec["containers"] if each["name"] == "main"]
    gpus = {k: v for k, v in main["resources"]["limits"].items() if k.startswith("nvidia.com/")}
    assert gpus == {SLICE: "1"}
    assert f"{SLICE}.sharing-strategy" in json.dumps(spec["affinity"])
    for each in (*spec.get("initContainers", ()), *spec["containers"]):
        if each["name"] != "main":
            assert {"name": "NVIDIA_VISIBLE_DEVICES", "value": "void"} in each["env"], each["name"]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("name", BEHAVIOURS)
def test_both_changes_are_in_the_pod(name: str, order: str, shop: tuple[User, str]) -> None:
    user, namespace = shop
    wish = pod("app", "inference")
    wish["metadata"]["labels"] |= {"neighbour": name, "order": order}
    found = created(user, namespace, wish)
    holds(found)
    assert MARKS[name] is None or MARKS[name] in json.dumps(found)


def limit_range(user: User, namespace: str, **limits: dict[str, str]) -> None:
    """Set what containers of a namespace get where they say nothing, or may have at most."""
    metadata = {"name": "limits", "namespace": namespace}
    spec = {"limits": [{"type": "Container", **limits}]}
    user.cluster.apply(
        {"apiVersion": "v1", "kind": "LimitRange", "metadata": metadata, "spec": spec}
    )


def test_a_limit_range_sets_what_pods_leave_out(user: User, team: str) -> None:
    limit_range(user, team, default={"memory": "256Mi"}, defaultRequest={"cpu": "50m"})
    found = created(user, team, pod("app", "inference"))
    holds(found)
    assert limits(found)["memory"] == "256Mi"


def test_a_limit_range_that_names_gpus_is_told(user: User, team: str) -> None:
    """Kubernetes makes a `max` the default too, and adds it again once the pod asks a slice."""
    limit_range(user, team, max={"nvidia.com/gpu": "1"})
    let_in, printed = user.create(team, pod("app", "inference"), "--dry-run=server")
    assert not let_in
    assert "[several_resources]" in printed
    assert "LimitRange" in printed
