"""What keeps a pod from nodes is named whatever else it asks for, and at a bounded cost."""

import casefiles
import msgspec
import pytest
from casefiles import expand

from webhook.core.admit import admit
from webhook.core.api.node import Node
from webhook.core.gpu.inventory import build_inventory
from webhook.core.policy import load

POLICY = load.parse_policy(casefiles.DEFAULT_POLICY, casefiles.DEFAULT_POLICY)
WHOLE = {
    "sharing": "none",
    "allocatable": {"nvidia.com/gpu": 8},
    "product": "NVIDIA-A100-SXM4-80GB",
    "memory": 81920,
}


@pytest.mark.parametrize("nodes", [1, 300])
@pytest.mark.parametrize("held", [0, 60])
def test_the_label_that_no_node_has_is_named_after_many_that_all_have(nodes, held) -> None:
    labels = {f"have-{index}": "x" for index in range(held)}
    made = [
        expand(f"node-{n}", WHOLE | {"labels": {**labels, "own": str(n)}}) for n in range(nodes)
    ]
    pod = {
        "metadata": {"labels": {"gpu-sharing.io/workload": "training"}},
        "spec": {
            "containers": [{"name": "main", "resources": {"limits": {"nvidia.com/gpu": 1}}}],
            "nodeSelector": labels | {"own": "none", "zone": "mars"},
        },
    }
    inventory = build_inventory([msgspec.convert(each, Node) for each in made])
    verdict = admit(casefiles.request({"side": "mutate"}, pod), POLICY, inventory)
    assert not verdict.allowed
    assert "nodeSelector zone=mars" in verdict.message
    assert "does not tolerate" not in verdict.message
