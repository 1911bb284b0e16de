"""Who shares with whom: each path, tenants first, and where it is not certain."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from command_line import Run
from fake_cluster import FakeCluster
from msgspec.structs import replace
from small_cluster import made

from webhook.cli import loaders, manifests
from webhook.cli.measure.devices import nodes_with_unnamed
from webhook.cli.verbs.neighbours.allocations import Allocated, read_allocated
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


def found(*pods: Json, exported: Allocated | None = None) -> tuple[Neighbours, ...]:
    return find_neighbours(Running(pods, NODES, TENANTS, exported or {}))


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
    pods = frozenset(PodName("lab", name) for name in ("a", "b", "gone"))
    all_of_them = [pod(f"lab/{name}", node, resource) for name in "ab"]
    (one,) = found(*all_of_them, exported={DeviceKey(node.metadata.name, "GPU-1"): pods})
    assert (one.device, names(one), one.certain) == ("GPU-1", ["lab/a", "lab/b"], True)


def checkpoint(resource: str, **devices: str) -> Json:
    """What the kubelet keeps: pods by UID, also of one that is gone, replicas as UUID::NUMBER."""
    entries = [
        {
            "PodUID": uid,
            "ContainerName": "main",
            "ResourceName": name,
            "DeviceIDs": {"-1": [device]},
        }
        for uid, device in devices.items()
        for name, device in ((resource, f"{device}::1"), ("example.com/nic", "nic-1"))
    ]
    return {"Data": {"PodDeviceEntries": entries, "RegisteredDevices": {}}, "Checksum": 1}


def pod_resources(resource: str, **devices: str) -> Json:
    def given(name: str, device: str) -> Json:
        return {"resourceName": name, "deviceIds": [device], "topology": {}}

    return {
        "podResources": [
            {
                "namespace": "lab",
                "name": name,
                "containers": [{"name": "main", "devices": [given(resource, f"{device}::0")]}],
            }
            for name, device in devices.items()
        ]
    }


@pytest.mark.parametrize("kubelet", [checkpoint, pod_resources])
def test_what_a_kubelet_gave_is_certain_also_of_who_is_alone(
    kubelet: Callable[..., Json], tmp_path: Path
) -> None:
    """Three pods on a node of several GPUs: two are on one, and one has the other for itself."""
    node, resource = shared_node("time-slicing")
    offer = next(each for each in read_node(node).offers if each.resource == resource)
    amount = str(2 * offer.replicas)
    status = replace(node.status, allocatable={**node.status.allocatable, resource: amount})
    labels = {**node.metadata.labels, "nvidia.com/gpu.count": "2"}
    node = replace(node, status=status, metadata=replace(node.metadata, labels=labels))
    nodes = {node.metadata.name: node}
    pods = [pod(f"lab/{name}", node, resource) for name in "abc"]
    for each in pods:
        each["metadata"]["uid"] = each["metadata"]["name"]
    (uncertain,) = find_neighbours(Running(tuple(pods), nodes, TENANTS))
    assert (names(uncertain), uncertain.certain) == (["lab/a", "lab/b", "lab/c"], False)
    file = tmp_path / "node.json"
    file.write_text(json.dumps(kubelet(resource, a="GPU-1", b="GPU-1", c="GPU-2", gone="GPU-2")))
    allocated = read_allocated([str(file)], pods, nodes)
    (one,) = find_neighbours(Running(tuple(pods), nodes, TENANTS, allocated=allocated))
    assert (one.device, names(one), one.certain) == ("GPU-1", ["lab/a", "lab/b"], True)


@pytest.mark.parametrize("text", ["{}", "[]", "x", '{"podResources": [{"name": 1}]}'])
def test_a_file_of_no_kubelet_is_told(text: str, look: Run, tmp_path: Path) -> None:
    file = tmp_path / "node.json"
    file.write_text(text)
    done = look("neighbours", "--pod-resources", str(file))
    assert (done.code, "node.json: " in done.err) == (2, True)


def test_a_node_with_a_holder_that_no_device_names_has_no_free_gpu() -> None:
    """An exporter that names nobody on shares leaves it unknown who is where."""
    node, resource = shared_node("time-slicing")
    name = PodName("lab", "a")
    live = {name: pod("lab/a", node, resource), PodName("lab", "b"): pod("lab/b", node)}
    assert nodes_with_unnamed((), live, NODES) == {node.metadata.name}
    key = DeviceKey(node.metadata.name, "GPU-1")
    device = Device(key, "Tesla-T4", None, None, DeviceUse(), {name: DeviceUse()})
    assert nodes_with_unnamed((device,), live, NODES) == frozenset()


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
