"""A live pod is taken back to what its author wrote: decided again it comes out the same."""

import copy
from typing import Any

import msgspec
import pytest
import strategies
from casefiles import rules
from hypothesis import event
from worlds import ask, everything, examples, patched, world

from webhook.cli.inspect import decision_annotation, reconstruct
from webhook.core import pod_annotation
from webhook.core.admit import admit
from webhook.core.api.node import Node
from webhook.core.api.pod import Pod
from webhook.core.gpu import inventory
from webhook.core.gpu.values import Inventory
from webhook.core.policy.values import Policy
from webhook.core.verdict import Verdict

Json = dict[str, Any]
many = examples(150)


def lived(pod: Json, verdict: Verdict) -> Json:
    """The pod as the API server has it once it runs."""
    made = patched(pod, verdict)
    metadata = {"name": "a-1", "namespace": "n", "uid": "1", "resourceVersion": "7"}
    made["metadata"] = (made.get("metadata") or {}) | metadata
    made["spec"]["nodeName"] = "node-0"
    token = {"name": "kube-api-access-x2x4k", "projected": {}}
    made["spec"]["volumes"] = [*(made["spec"].get("volumes") or ()), token]
    for container in made["spec"]["containers"]:
        mount = {"name": token["name"], "mountPath": "/var/run/secrets"}
        container["volumeMounts"] = [*(container.get("volumeMounts") or ()), mount]
    return made | {"status": {"phase": "Running"}}


@many
@everything
def test_what_was_decided_is_decided_again(
    pod: Json, nodes: list[Json], namespace: dict[str, str], policy: Policy
) -> None:
    offers = world(nodes, policy)
    first = admit(ask(pod, namespace), policy, offers)
    if not first.allocations:
        return
    event(first.reason.code)

    back = reconstruct.from_live_pod(lived(pod, first))

    again = admit(ask(back, namespace), policy, offers)
    assert (again.allowed, again.reason, again.strategy) == (True, first.reason, first.strategy)
    assert [g.offer.resource for g in again.allocations] == [
        g.offer.resource for g in first.allocations
    ]


PLAIN: Json = {
    "metadata": {"labels": {"gpu-sharing.io/workload": "inference"}},
    "spec": {
        "containers": [
            {"name": "main", "resources": {"limits": {"nvidia.com/gpu": 1, "cpu": "1"}}},
            {"name": "proxy", "env": [{"name": "A", "value": "b"}]},
        ]
    },
}


def offers(*shorts: Json) -> Inventory:
    expanded = [strategies.expand(f"n{i}", short) for i, short in enumerate(shorts)]
    return inventory.build_inventory([msgspec.convert(each, Node) for each in expanded])


A100 = {
    "product": "NVIDIA-A100-SXM4-40GB",
    "memory": 40960,
    "sharing": "none",
    "mig": {"1g.5gb": {"count": 7, "memory": 4864}},
}
T4 = {
    "product": "Tesla-T4",
    "memory": 15360,
    "sharing": "mps",
    "replicas": 4,
    "capable": False,
    "allocatable": {"nvidia.com/gpu.shared": 4},
}
SINGLE = {
    "product": "NVIDIA-A30-MIG-1g.6gb",
    "memory": 5952,
    "sharing": "none",
    "slices": 1,
    "allocatable": {"nvidia.com/gpu": 4},
}


DECLARED: Json = {
    "name": "a",
    "selector": {"pool": "a"},
    "strategy": "mig",
    "profile": "3g.40gb",
    "product": "A100",
    "memory": "40Gi",
    "amount": 2,
}


def built_in() -> Policy:
    return rules({})


@pytest.mark.parametrize("node", [A100, T4, SINGLE], ids=["mig", "mps", "single"])
@pytest.mark.parametrize("annotations", [{}, {"gpu-sharing.io/gpu-memory": "2Gi"}])
def test_a_plain_pod_comes_back_as_it_was(node: Json, annotations: dict[str, str]) -> None:
    pod = copy.deepcopy(PLAIN)
    if annotations:
        pod["metadata"]["annotations"] = annotations
    first = admit(ask(pod, {}), built_in(), offers(node))
    assert first.allocations

    back = reconstruct.from_live_pod(lived(pod, first))

    metadata = pod["metadata"] | {"generateName": "a-1-"}
    assert back == {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": pod["spec"]}


def test_what_the_author_asked_of_nodes_stays() -> None:
    pod = copy.deepcopy(PLAIN)
    product = {"key": "nvidia.com/gpu.product", "operator": "In", "values": [A100["product"]]}
    memory = {"key": "nvidia.com/gpu.memory", "operator": "Gt", "values": ["20000"]}
    required = {"nodeSelectorTerms": [{"matchExpressions": [product, memory]}, {}]}
    name = "requiredDuringSchedulingIgnoredDuringExecution"
    pod["spec"]["affinity"] = {"nodeAffinity": {name: required}}
    first = admit(ask(pod, {}), built_in(), offers(A100))
    assert first.allocations
    assert reconstruct.from_live_pod(lived(pod, first))["spec"] == pod["spec"]


GARBAGE = [
    "",
    "null",
    "[]",
    "{}",
    '{"workload":"dev","containers":[]}',
    '{"workload":"\\u001b[31m","tenant":null,"containers":[{"name":"a"}]}',
    '{"workload":"dev","tenant":3,"containers":[{"name":"main","from":{"nvidia.com/gpu":1},'
    '"to":{"nvidia.com/gpu":1},"strategy":"mig","reason":"mig_slice"}]}',
    '{"workload":"dev","tenant":null,"containers":[{"name":"main","from":{"nvidia.com/gpu":1},'
    '"to":{"cpu":1},"strategy":"mig","reason":"mig_slice"}]}',
    '{"workload":"dev","tenant":null,"containers":[{"name":"main","from":{"nvidia.com/gpu":0},'
    '"to":{"nvidia.com/gpu":1},"strategy":"mig","reason":"mig_slice"}]}',
    "[" * 100_000,
    "\ud800",
    '{"workload":"' + "a" * 100_000,
]


@pytest.mark.parametrize("text", [None, *GARBAGE], ids=range(len(GARBAGE) + 1))
def test_garbage_in_the_annotation_is_no_decision(text: str | None) -> None:
    assert pod_annotation.read(text) is None


@pytest.mark.parametrize("text", GARBAGE[:-2], ids=range(len(GARBAGE) - 2))
def test_a_pod_with_garbage_in_its_annotation_is_left_as_it_asks(text: str) -> None:
    pod = copy.deepcopy(PLAIN)
    pod["metadata"]["annotations"] = {"gpu-sharing.io/decision": text}
    back = reconstruct.from_live_pod(lived(pod, Verdict(allowed=True, reason="safe")))  # type: ignore[arg-type]
    assert back["spec"] == PLAIN["spec"]
    assert "annotations" not in back["metadata"]


def test_an_annotation_that_contradicts_the_pod_restores_nothing() -> None:
    told = (
        '{"workload":"dev","tenant":null,"containers":[{"name":"main",'
        '"from":{"nvidia.com/gpu":1},"to":{"nvidia.com/mig-1g.5gb":1},'
        '"strategy":"mig","reason":"mig_slice"}]}'
    )
    read = pod_annotation.read(told)
    assert read is not None
    assert read.strategy == "mig"
    assert not decision_annotation.agrees(read, msgspec.convert(PLAIN, Pod))


def test_a_controllers_template_wins_and_its_pod_adds_what_only_the_controller_knows() -> None:
    template = {
        "metadata": {"labels": {"app": "web", "gpu-sharing.io/workload": "dev"}},
        "spec": {"containers": [{"name": "main"}], "volumes": [{"name": "tmp"}]},
    }
    term = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n1"]}]}
    name = "requiredDuringSchedulingIgnoredDuringExecution"
    live = {
        "metadata": {
            "name": "web-0",
            "generateName": "web-",
            "labels": {"app": "old", "controller-revision-hash": "1", "gpu-sharing.io/tenant": "x"},
        },
        "spec": {
            "containers": [{"name": "main"}],
            "volumes": [{"name": "tmp"}, {"name": "data"}, {"name": "kube-api-access-1"}],
            "affinity": {"nodeAffinity": {name: {"nodeSelectorTerms": [term]}}},
        },
    }
    made = reconstruct.from_template(template, live)
    assert made["metadata"] == {
        "generateName": "web-",
        "labels": {
            "app": "web",
            "controller-revision-hash": "1",
            "gpu-sharing.io/workload": "dev",
        },
    }
    assert [volume["name"] for volume in made["spec"]["volumes"]] == ["tmp", "data"]
    assert made["spec"]["affinity"]["nodeAffinity"][name] == {"nodeSelectorTerms": [term]}
    assert template["spec"] == {"containers": [{"name": "main"}], "volumes": [{"name": "tmp"}]}


def test_a_template_without_a_pod_suffices() -> None:
    made = reconstruct.from_template({"spec": {"containers": [{"name": "main"}]}})
    assert made["metadata"] == {"generateName": "pod-"}


def test_of_equal_requirements_the_last_are_the_webhooks() -> None:
    own = {"key": "nvidia.com/gpu.memory", "operator": "Gt", "values": ["1"]}
    added = [own | {"values": ["4"]}, {"key": "pool", "operator": "In", "values": ["a"]}]
    other = {"key": "zone", "operator": "Exists"}
    told = [("nvidia.com/gpu.memory", "Gt"), ("pool", "In")]
    split = decision_annotation.split_affinity
    assert split([own, *added, other], told) == ([own, other], added)
    assert split([own, *added], ()) == ([own, *added], [])


def test_the_node_affinity_of_a_declared_pool_goes_and_its_authors_stays() -> None:
    policy = rules({"policy": {"pools": [DECLARED]}})
    node = {"metadata": {"name": "n", "labels": {"pool": "a", "zone": "b"}}}
    node |= {"status": {"allocatable": {"nvidia.com/gpu": 2}}}
    there = inventory.build_inventory([msgspec.convert(node, Node)], policy.pools)
    pod = copy.deepcopy(PLAIN)
    terms = [{"matchExpressions": [{"key": "zone", "operator": "In", "values": ["b"]}]}]
    name = "requiredDuringSchedulingIgnoredDuringExecution"
    pod["spec"]["affinity"] = {"nodeAffinity": {name: {"nodeSelectorTerms": terms}}}
    first = admit(ask(pod, {}), policy, there)
    assert first.allocations

    live = lived(pod, first)

    added = live["spec"]["affinity"]["nodeAffinity"][name]["nodeSelectorTerms"][0]
    assert [each["key"] for each in added["matchExpressions"]] == ["zone", "pool"]
    assert reconstruct.from_live_pod(live)["spec"] == pod["spec"]
    again = admit(ask(live, {}), policy, there)
    assert patched(live, again)["metadata"]["annotations"] == live["metadata"]["annotations"]
