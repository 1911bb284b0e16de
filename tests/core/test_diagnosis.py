"""What `pools` says is wrong with nodes: real ones, and one for each way to be wrong."""

import csv
import re
from pathlib import Path

import pytest

from webhook.cli.loaders import load_cluster
from webhook.cli.pool_data import load_catalog
from webhook.core.api.node import Node, NodeAnnotations, NodeMetadata, NodeStatus
from webhook.core.gpu.reading import read_node
from webhook.core.pools.catalog import find_model
from webhook.core.pools.diagnosis import diagnose
from webhook.core.pools.idle_slices import idle_slices
from webhook.core.pools.layouts import Layout
from webhook.core.pools.simulated import WHOLE, Sharing, simulate_node

NODES, ROOT = Path(__file__).parent / "nodes", Path(__file__).parents[2]
CATALOG = load_catalog()
H100, T4 = find_model(CATALOG, "NVIDIA-H100-80GB-HBM3"), find_model(CATALOG, "Tesla-T4")
CONFIG, STATE = "nvidia.com/mig.config", "nvidia.com/mig.config.state"
PLUGIN = "nvidia.com/device-plugin.config"

FOUND = {
    "a100-40-mixed-2g-gfd-2021": "strategy_label_missing slices_idle",
    "a100-40-mixed-capacity-differs-new-gfd": "slices_idle left_in_capacity",
    "a100-80-single-invalid": "invalid_mig",
    "a100-80-timeslicing-not-applied": "config_not_applied",
    "a100-80x8-mixed-two-cut": "",
    "a30-mig-enabled-empty": "mig_empty",
    "aks-a100-mig-single": "labels_missing",
    "aks-windows-t4": "",
    "gce-a100-single-7-old": "strategy_label_missing single_strategy",
    "gke-l4-time-sharing": "not_renamed",
    "h100-mig-pending": "mig_pending",
    "h100-mixed-balanced": "",
    "h100-single-1g.10gb": "single_strategy",
    "h100-whole-strategy-single": "",
    "h100nvl-timesliced-5": "not_renamed",
    "h100nvlx2-mixed-custom": "slices_idle",
    "h100x8-whole-cloud": "",
    "h100x8-whole-xe9680": "",
    "h200x8-mps-10": "not_renamed",
    "karpenter-g4dn-no-gfd": "nothing_advertised",
    "oke-a100-memory-with-unit": "strategy_label_missing memory_unreadable",
    "t4-openshift-memory-in-bytes": "strategy_label_missing not_renamed memory_unreadable",
    "t4x4-timesliced-old-gfd": "strategy_label_missing not_renamed",
    "t4x4-timesliced-rename": "",
    "vgpu-a100-40c": "virtual",
}


def codes(node: Node) -> list[str]:
    return list(dict.fromkeys(p.code for p in diagnose(node, read_node(node), CATALOG)))


@pytest.mark.parametrize("name", FOUND)
def test_real_nodes(name: str) -> None:
    [node] = load_cluster(str(NODES / f"{name}.yaml")).nodes
    assert codes(node) == FOUND[name].split()


def test_every_real_node_that_offers_nothing_has_an_error_with_a_mend() -> None:
    with (NODES / "index.tsv").open(encoding="utf-8") as file:
        names = [row["file"] for row in csv.DictReader(file, delimiter="\t")]
    assert len(names) == 34
    for name in set(names) - {"aks-windows-t4.yaml"}:
        [node] = load_cluster(str(NODES / name)).nodes
        found = read_node(node)
        problems = diagnose(node, found, CATALOG)
        assert found.offers or any(p.severity == "error" and p.mend for p in problems), name


def changed(node: Node, labels: dict[str, str], **amounts: str) -> Node:
    """A node with other labels, and amounts of nvidia.com/ in allocatable."""
    given = {f"nvidia.com/{key.replace('_', '-')}": value for key, value in amounts.items()}
    before = (node.status and node.status.allocatable) or {}
    return Node(
        metadata=NodeMetadata(name="gpu-1", labels={**(node.metadata.labels or {}), **labels}),
        status=NodeStatus(allocatable={**before, **given}, capacity=dict(before)),
    )


def h100(*layouts: Layout | None) -> Node:
    return simulate_node(H100, WHOLE, layouts)


def t4(sharing: Sharing = WHOLE) -> Node:
    return simulate_node(T4, sharing, [None])


SEVEN = "all-1g.10gb"
SHARED_SLICES = {
    "nvidia.com/mig-1g.10gb.replicas": "7",
    "nvidia.com/mig-1g.10gb.sharing-strategy": "time-slicing",
}
MOVING = NodeMetadata(name="gpu-1", annotations=NodeAnnotations(pool_move="unreadable"))
ONE, BALANCED = {"1g.10gb": 7}, dict(H100.balanced)


WRONG = [
    (changed(h100(ONE), {CONFIG: SEVEN, STATE: "failed"}), "mig_failed", "pools move gpu-1"),
    (changed(h100(ONE), {CONFIG: SEVEN, STATE: "rebooting"}), "mig_rebooting", "second"),
    (changed(h100(ONE), {CONFIG: SEVEN, STATE: "pending"}), "mig_pending", "wait"),
    (changed(h100(ONE), {CONFIG: SEVEN, STATE: "odd"}), "mig_state", "mig-manager's log"),
    (changed(h100(None), {CONFIG: "all-1g.10gb", STATE: "success"}), "mig_not_applied", "log"),
    (changed(h100(None), {CONFIG: "all-1g.10gb"}), "mig_not_applied", "mig-manager runs there"),
    (changed(h100(ONE), {CONFIG: "all-disabled", STATE: "success"}), "mig_not_applied", "log"),
    (changed(h100(ONE), {CONFIG: "all-3g.40gb", STATE: "success"}), "mig_not_applied", "log"),
    (changed(h100(None), {CONFIG: "mine", STATE: "success"}), "mig_not_applied", "log"),
    (changed(t4(), {CONFIG: "all-1g.10gb"}), "mig_not_applied", f"{CONFIG}-"),
    (changed(t4(), {PLUGIN: "t4-mps"}), "config_not_applied", "'t4-mps'"),
    (changed(t4(Sharing("mps", 10)), {PLUGIN: "dev-ts"}), "config_not_applied", "dev-ts"),
    (changed(t4(Sharing("mps", 10)), {PLUGIN: "whole"}), "config_not_applied", "whole"),
    (changed(h100(None), {PLUGIN: "mig"}), "config_not_applied", "all-balanced"),
    (changed(t4(), {PLUGIN: "gpu-sharing"}), "config_not_applied", "rollout restart"),
    (h100({"1g.10gb": 2}), "slices_idle", "pools plan"),
    (h100(ONE, {}), "slices_idle", "pools plan"),
    (
        changed(h100(ONE), {"nvidia.com/gpu.product": "NVIDIA-A100-SXM4-40GB"}),
        "products_differ", "one product",
    ),
    (t4(Sharing("time-slicing", 4, renamed=False)), "not_renamed", "renameByDefault"),
    (changed(h100(None, None), {}, gpu="1"), "fewer_than_labelled", "unhealthy"),
    (changed(h100(ONE), {}, **{"mig_1g.10gb": "5"}), "fewer_than_labelled", "unhealthy"),
    (changed(h100(None), {"nvidia.com/vgpu.present": "true"}), "virtual", "hypervisor"),
    (changed(h100(ONE), SHARED_SLICES), "slices_shared", "timeSlicing.resources"),
    (Node(metadata=MOVING), "moving", "pools move gpu-1 --to POOL"),
]  # fmt: skip


@pytest.mark.parametrize(("node", "code", "said"), WRONG)
def test_each_way_to_be_wrong(node: Node, code: str, said: str) -> None:
    problems = {p.code: p for p in diagnose(node, read_node(node), CATALOG)}
    assert code in problems
    assert said in problems[code].mend


def test_every_code_is_tried_and_on_its_page() -> None:
    tried = {code for _, code, _ in WRONG} | set(" ".join(FOUND.values()).split())
    page = (ROOT / "docs/pools.md").read_text(encoding="utf-8")
    sources = (ROOT / "webhook/core/pools/diagnosis").glob("*.py")
    text = "".join(each.read_text(encoding="utf-8") for each in sources)
    written = set(re.findall(r'(?:error|warning)\(\s*"([a-z_]+)"', text))
    assert [code for code in written if code not in tried or f"`{code}`" not in page] == []


@pytest.mark.parametrize(
    "node",
    [
        changed(h100(ONE), {CONFIG: "all-1g.10gb", STATE: "success", PLUGIN: "mig"}),
        changed(h100(BALANCED), {CONFIG: "all-balanced", STATE: "success", PLUGIN: "mig-mixed"}),
        changed(h100(None), {CONFIG: "all-disabled", STATE: "success", PLUGIN: "whole"}),
        changed(h100(ONE, None), {CONFIG: "half", STATE: "success", PLUGIN: "mig"}),
        changed(t4(Sharing("mps", 10)), {PLUGIN: "mps", CONFIG: "all-disabled"}),
        changed(t4(Sharing("time-slicing", 4)), {PLUGIN: "time-slicing"}),
        changed(t4(), {PLUGIN: "default"}),
        changed(t4(Sharing("mps", 10)), {PLUGIN: "shared-10"}),
        changed(h100(ONE), {PLUGIN: "mig-slices"}),
    ],
)
def test_nothing_is_wrong(node: Node) -> None:
    assert codes(node) == []


@pytest.mark.parametrize(
    ("devices", "gpus", "idle"),
    [
        ({"3g.40gb": 2}, 1, ""),  # one compute slice idle, and no slot for it
        ({"3g.40gb": 1, "4g.40gb": 1, "2g.20gb": 3, "1g.10gb": 1}, 2, ""),
        ({"1g.10gb": 2}, 1, "5 x 1g.10gb"),
        ({"3g.40gb": 1}, 1, "4 x 1g.10gb"),
        ({"1g.10gb": 7}, 2, "7 x 1g.10gb"),
        ({"1g.10gb": 6, "1g.10gb.me": 1}, 1, ""),
        ({"9g.10gb": 1}, 1, ""),
    ],
)
def test_idle_slices(devices: dict[str, int], gpus: int, idle: str) -> None:
    assert idle_slices(H100, devices, gpus) == idle


def test_the_mend_names_a_layout_of_the_product() -> None:
    [node] = load_cluster(str(NODES / "a30-mig-enabled-empty.yaml")).nodes
    [problem] = diagnose(node, read_node(node), CATALOG)
    assert "all-1g.6gb" in problem.mend
