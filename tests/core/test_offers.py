"""What a node gives, where its labels contradict each other or are not all there."""

import casefiles
import msgspec
import pytest
from casefiles import Case, expand

from webhook.core.api.node import Node
from webhook.core.gpu import inventory
from webhook.core.gpu.reading import read_node
from webhook.core.gpu.unusable import UnusableReason

WHOLE = {
    "product": "Tesla-T4",
    "memory": 15360,
    "sharing": "none",
    "allocatable": {"nvidia.com/gpu": 1},
}
BESIDE = WHOLE | {"allocatable": {"nvidia.com/gpu": 1, "nvidia.com/gpu.shared": 4}}
SLICES = {"count": 7, "memory": 9856}
NOTHING = [
    (WHOLE | {"sharing": ""}, "unknown_strategy"),
    (WHOLE | {"sharing": "some"}, "unknown_strategy"),
    (WHOLE | {"replicas": 4}, "replicas_differ"),
    (WHOLE | {"replicas": 0}, "devices_gone"),
    (WHOLE | {"product": "Tesla-T4-SHARED"}, "product_differs"),
    (WHOLE | {"product": "NVIDIA-A30-MIG-1g.6gb"}, "product_differs"),
    (WHOLE | {"product": "NVIDIA-A30-MIG-INVALID", "sharing": "", "slices": 1}, "invalid_mig"),
    (WHOLE | {"product": "NVIDIA-A30", "slices": 1}, "unknown_strategy"),
    (WHOLE | {"sharing": "mps", "slices": 1}, "mps_on_slices"),
    (WHOLE | {"sharing": "mps", "replicas": 0}, "replicas_differ"),
    (WHOLE | {"allocatable": {"nvidia.com/gpu": 0}}, "nothing_advertised"),
    (WHOLE | {"capable": True, "replicas": 0, "allocatable": {"nvidia.com/gpu": 0}}, "mig_empty"),
    (WHOLE | {"allocatable": {"nvidia.com/gpu": "-1"}}, "malformed_quantity"),
    (WHOLE | {"allocatable": {"nvidia.com/gpu.shared": 4}}, "unknown_strategy"),
    (BESIDE, "whole_beside_shares"),
    ({"allocatable": {"nvidia.com/mig-1g.10gb": 7}}, "labels_missing"),
    ({"mig": {"1g.10gb": SLICES | {"replicas": 4, "sharing": "none"}}}, "replicas_differ"),
    ({"mig": {"1g.10gb": SLICES | {"sharing": "mps"}}}, "replicas_differ"),
]
EXCLUSIVE = {"name": "b", "selector": {"pool": "a"}, "strategy": "exclusive"}
SHARED = {"name": "a", "selector": {"pool": "a"}, "strategy": "time-slicing", "replicas": 4}
DECLARED = [([SHARED, EXCLUSIVE], "declared_twice"), ([SHARED], "declared_otherwise")]


def node(name: str, short: dict[str, object]) -> Node:
    return msgspec.convert(expand(name, short), Node)


@pytest.mark.parametrize(("short", "reason"), NOTHING, ids=str)
def test_contradictions_offer_nothing(short: dict[str, object], reason: str) -> None:
    found = read_node(node("a", short))
    assert found.offers == ()
    assert reason in {each.reason for each in found.unusable}


@pytest.mark.parametrize(("pools", "reason"), DECLARED, ids=str)
def test_pools_that_contradict_a_node_offer_nothing(pools: list[Case], reason: str) -> None:
    node = WHOLE | {"name": "a", "bare": True, "labels": {"pool": "a"}}
    [found] = casefiles.cluster({"nodes": [node], "policy": {"pools": pools}}).unusable["a"]
    assert found.reason == reason


def test_every_reason_is_that_of_some_node() -> None:
    made = casefiles.read(casefiles.CASES.parent / "core/made-nodes.yaml")
    read = " ".join(text for each in made for text in each["read"]).split()
    tried = {*read, *(reason for _, reason in (*NOTHING, *DECLARED))}
    assert {each.value for each in UnusableReason} - tried == set()


def test_equal_nodes_make_one_shape() -> None:
    made = inventory.build_inventory(node(f"n{index}", WHOLE) for index in range(5000))
    assert len(made.groups) == 1
    assert len(made.groups[0].nodes) == 5000


def test_nodes_without_labels_are_kept_with_the_reason() -> None:
    made = inventory.build_inventory(
        [node("a", {"allocatable": {"nvidia.com/gpu": 8}}), node("b", WHOLE)]
    )
    assert [each.reason for each in made.unusable["a"]] == [UnusableReason.LABELS_MISSING]
    assert (len(made.unusable), made.nodes, len(made.groups)) == (1, 2, 1)
