"""What a node gives, where its labels contradict each other or are not all there."""

import msgspec
import pytest
from casefiles import expand

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
NOTHING = [
    WHOLE | {"sharing": ""},
    WHOLE | {"sharing": "some"},
    WHOLE | {"replicas": 4},
    WHOLE | {"product": "Tesla-T4-SHARED"},
    WHOLE | {"product": "NVIDIA-A30-MIG-1g.6gb"},
    WHOLE | {"product": "NVIDIA-A30-MIG-INVALID", "sharing": "", "slices": 1},
    WHOLE | {"product": "NVIDIA-A30", "slices": 1},
    WHOLE | {"sharing": "mps", "slices": 1},
    WHOLE | {"sharing": "mps", "replicas": 0},
    WHOLE | {"allocatable": {"nvidia.com/gpu": 0}},
    WHOLE | {"allocatable": {"nvidia.com/gpu": "-1"}},
    WHOLE | {"allocatable": {"nvidia.com/gpu.shared": 4}},
    {"allocatable": {"nvidia.com/mig-1g.10gb": 7}},
    {"mig": {"1g.10gb": {"count": 7, "memory": 9856, "replicas": 4, "sharing": "none"}}},
    {"mig": {"1g.10gb": {"count": 7, "memory": 9856, "sharing": "mps"}}},
]


def node(name: str, short: dict[str, object]) -> Node:
    return msgspec.convert(expand(name, short), Node)


@pytest.mark.parametrize("short", NOTHING, ids=str)
def test_contradictions_offer_nothing(short: dict[str, object]) -> None:
    assert read_node(node("a", short)).offers == ()


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
