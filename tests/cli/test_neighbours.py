"""Who shares with whom: each path, tenants first, and where it is not certain."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from command_line import Run
from fake_cluster import FakeCluster
from small_cluster import made

from webhook.cli import loaders, manifests
from webhook.cli.verbs.neighbours.find import Neighbours, Running, SharedBy, find_neighbours
from webhook.core.api.node import Node
from webhook.core.gpu.reading import read_node
from webhook.core.rightsizing.values import Device, DeviceKey, DeviceUse, PodName

Json = dict[str, Any]
INVENTORY = str(Path(__file__).parents[2] / "examples" / "inventory.yaml")
NODES = {
    n.metadata.name: n
    for n in loaders.parse_cluster(INVENTORY, manifests.read_text(INVENTORY)).nodes
}
TENANTS = {"acme": {"gpu-sharing.io/tenant": "acme"}}


def shared_node(strategy: str) -> tuple[Node, str]:
    for node in NODES.values():
        for offer in read_node(node).offers:
            if offer.replicas > 1 and offer.strategy == strategy:
                return node, offer.resource
    raise AssertionError(strategy)


def pod(name: str, node: Node, resource: str = "", **more: Any) -> Json:
    limits = {resource: "1"} if resource else {}
    container = {"name": "main", "resources": {"limits": limits}} | more.pop("container", {})
    namespace, _, name = name.partition("/")
    spec = {"containers": [container], "nodeName": node.metadata.name} | more
    return made("Pod", "v1", name, namespace, spec=spec, status={"phase": "Running"})


def found(*pods: Json, devices: tuple[Device, ...] = ()) -> tuple[Neighbours, ...]:
    return find_neighbours(Running(pods, NODES, TENANTS, devices))


def names(each: Neighbours) -> list[str]:
    return [f"{pod.name.namespace}/{pod.name.name}" for pod in each.pods]


@pytest.mark.parametrize(
    ("strategy", "path"), [("time-slicing", SharedBy.REPLICA), ("mps", SharedBy.MPS)]
)
def test_replicas_of_one_node_share_tenants_first(strategy: str, path: SharedBy) -> None:
    node, resource = shared_node(strategy)
    one = found(pod("lab/a", node, resource), pod("acme/b", node, resource))
    assert [(each.path, names(each)) for each in one] == [(path, ["acme/b", "lab/a"])]
    assert one[0].crosses_tenants
    assert found(pod("lab/a", node, resource)) == ()


def test_an_exporter_that_names_pods_makes_it_certain() -> None:
    node, resource = shared_node("time-slicing")
    use, key = DeviceUse(points=3), DeviceKey(node.metadata.name, "GPU-1")
    pods = {PodName("lab", "a"): use, PodName("lab", "b"): use, PodName("lab", "gone"): use}
    device = Device(key, "Tesla-T4", None, None, use, pods)
    all_of_them = [pod(f"lab/{name}", node, resource) for name in "ab"]
    (one,) = found(*all_of_them, devices=(device,))
    assert (one.device, names(one), one.certain) == ("GPU-1", ["lab/a", "lab/b"], True)


def test_claims_and_privileged_containers_are_paths_too() -> None:
    node, resource = shared_node("time-slicing")
    claim = {"resourceClaims": [{"name": "gpu", "resourceClaimName": "one"}]}
    by_claim = found(pod("lab/a", node, **claim), pod("lab/b", node, **copy.deepcopy(claim)))
    assert [(each.path, each.device) for each in by_claim] == [(SharedBy.CLAIM, "lab/one")]
    rooted = pod("lab/root", node, container={"securityContext": {"privileged": True}})
    (one,) = found(rooted, pod("acme/b", node, resource))
    assert (one.path, names(one)) == (SharedBy.PRIVILEGED, ["acme/b", "lab/root"])


def test_what_crosses_tenants_comes_first_and_gives_the_exit_code(
    look: Run, cluster: FakeCluster
) -> None:
    done = look("neighbours", "-o", "json")
    assert done.code == 0, done.err
    record = json.loads(done.out)
    assert record["notKnown"]
    node, resource = shared_node("time-slicing")
    tenant = pod("shop/t", node, resource)
    tenant["metadata"]["labels"] = {"gpu-sharing.io/tenant": "acme"}
    cluster.put("pods", pod("shop/a", node, resource), tenant)
    done = look("neighbours", "-o", "json")
    assert done.code == 1
    assert json.loads(done.out)["neighbours"][0]["crossesTenants"] is True
    assert "tenant acme" in look("neighbours").out
