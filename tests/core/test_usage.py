"""How much of a physical GPU each kind of offer is, and what a pod takes before and after."""

import msgspec
import pytest

from webhook.cli import loaders
from webhook.cli.inspect import usage
from webhook.core.admit import admit
from webhook.core.api.admission import AdmissionRequest, Mode, Side
from webhook.core.api.node import Node
from webhook.core.api.pod import Pod
from webhook.core.decision import classify
from webhook.core.gpu import inventory, reading


def node(name: str, labels: dict[str, str], allocatable: dict[str, int]) -> Node:
    return msgspec.convert(
        {
            "metadata": {"name": name, "labels": {f"nvidia.com/{k}": v for k, v in labels.items()}},
            "status": {"allocatable": {f"nvidia.com/{k}": v for k, v in allocatable.items()}},
        },
        Node,
    )


A100 = {"gpu.product": "NVIDIA-A100-SXM4-40GB", "gpu.memory": "40960"}
WHOLE = node("whole", {**A100, "gpu.sharing-strategy": "none"}, {"gpu": 8})
SMALL = {"mig-1g.5gb.sharing-strategy": "none", "mig-1g.5gb.memory": "4864"}
WIDE = {"mig-1g.10gb.sharing-strategy": "none", "mig-1g.10gb.memory": "9856"}
A30 = {"gpu.product": "NVIDIA-A30", "gpu.memory": "24576"}
A30_SLICE = {"mig-2g.12gb.sharing-strategy": "none", "mig-2g.12gb.memory": "11968"}
T4 = {"gpu.product": "Tesla-T4", "gpu.memory": "15360", "gpu.replicas": "10"}
SINGLE = {
    "gpu.product": "NVIDIA-A100-SXM4-40GB-MIG-3g.20gb",
    "gpu.memory": "19968",
    "gpu.slices.gi": "3",
    "gpu.sharing-strategy": "none",
}


@pytest.mark.parametrize(
    ("labels", "resource", "part"),
    [
        ({**A100, "gpu.sharing-strategy": "none"}, "gpu", 1),
        ({**A100, **SMALL}, "mig-1g.5gb", 1 / 7),
        ({**A100, **WIDE}, "mig-1g.10gb", 9856 / 40960),  # one slice of compute, two of memory
        ({**A30, **A30_SLICE}, "mig-2g.12gb", 1 / 2),
        ({**T4, "gpu.sharing-strategy": "mps"}, "gpu.shared", 1 / 10),
        ({**T4, "gpu.sharing-strategy": "time-slicing"}, "gpu", 1 / 10),
        (SINGLE, "gpu", 3 / 7),
        (
            {
                **A100,
                **SMALL,
                "mig-1g.5gb.sharing-strategy": "time-slicing",
                "mig-1g.5gb.replicas": "2",
            },
            "mig-1g.5gb",
            1 / 14,
        ),
    ],
)
def test_the_part_of_a_gpu(labels: dict[str, str], resource: str, part: float) -> None:
    made = node("n", labels, {resource: 20})
    (offer,) = reading.read_node(made).offers
    assert usage.fraction(offer) == pytest.approx(part)


def pod(*containers: tuple[str, int], init: tuple[tuple[str, int], ...] = ()) -> Pod:
    def listed(asks: tuple[tuple[str, int], ...]) -> list[object]:
        return [
            {"name": f"c{i}", "resources": {"limits": {f"nvidia.com/{resource}": count}}}
            for i, (resource, count) in enumerate(asks)
        ]

    spec = {"containers": listed(containers), "initContainers": listed(init)}
    labels = {"gpu-sharing.io/workload": "inference"}
    return msgspec.convert({"metadata": {"labels": labels}, "spec": spec}, Pod)


def test_before_is_what_the_pod_holds_on_its_node_and_else_what_it_asks_for() -> None:
    asks = classify.requests_of(pod(("gpu.shared", 1), ("gpu.shared", 1)))
    shared = node("t4", {**T4, "gpu.sharing-strategy": "mps"}, {"gpu.shared": 40})
    held = usage.held(asks, reading.read_node(shared).offers)
    assert held == pytest.approx(0.2)
    assert usage.held(asks, reading.read_node(WHOLE).offers) == 2
    assert usage.requested_gpus(asks) == 2


def test_an_init_container_counts_only_where_it_takes_more() -> None:
    assert usage.requested_gpus(classify.requests_of(pod(("gpu", 1), init=(("gpu", 4),)))) == 4
    assert usage.requested_gpus(classify.requests_of(pod(("gpu", 2), init=(("gpu", 1),)))) == 2


def test_after_is_what_the_decision_gives_and_nothing_where_it_refuses() -> None:
    nodes = (node("mig", {**A100, **SMALL}, {"mig-1g.5gb": 7}),)
    policy, seen = loaders.load_policy(None), inventory.build_inventory(nodes)

    def decided(subject: Pod) -> usage.Usage:
        asked = AdmissionRequest(Side.MUTATE, Mode.ENFORCE, "u", "CREATE", "ns", pod=subject)
        return usage.after(admit(asked, policy, seen))

    two = decided(pod(("gpu", 1), ("gpu", 1)))
    assert two.devices == {"mig": 2}
    assert two.gpus == pytest.approx(2 / 7)
    assert decided(pod(("gpu", 9))) == usage.Usage()
