"""`gpu-sharing pools`: a table, JSON, exit codes, what is free, and pools for autoscalers."""

import json
from pathlib import Path

import pytest
import yaml
from command_line import Run

NODES = Path(__file__).parents[1] / "core/nodes"
POLICY = {
    "apiVersion": "gpu-sharing.io/v1",
    "kind": "Policy",
    "pools": [
        {
            "name": "slices",
            "labels": {
                "nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3",
                "nvidia.com/mig-1g.10gb.sharing-strategy": "none",
                "nvidia.com/mig-1g.10gb.memory": "9984",
                "nvidia.com/mig-1g.10gb.replicas": "1",
                "nvidia.com/mig-1g.10gb.count": "7",
            },
            "allocatable": {"nvidia.com/mig-1g.10gb": 7},
            "taints": [{"key": "nvidia.com/gpu", "effect": "NoSchedule", "value": "present"}],
        }
    ],
}


def test_a_file_of_nodes(run: Run) -> None:
    done = run("pools", "--inventory", str(NODES / "a100-80x8-mixed-two-cut.yaml"))
    assert done.code == 0
    rows = [line.split() for line in done.out.splitlines()]
    assert rows[1][:3] == ["exclusive", "exclusive", "NVIDIA-A100-SXM4-80GB"]
    assert [rows[3][i] for i in (1, 3, 4, 6)] == ["mig", "nvidia.com/mig-2g.20gb", "20096Mi", "3"]


def test_what_is_wrong_comes_with_its_mend_and_code_1(run: Run) -> None:
    text = (NODES / "a30-mig-enabled-empty.yaml").read_bytes()
    done = run("pools", "--inventory", "-", stdin=text)
    assert done.code == 1
    assert "gpu-node-40: error mig_empty" in done.out
    assert "what to do: cut them (nvidia.com/mig.config=all-1g.6gb)" in done.out
    done = run("pools", "--inventory", "-", "-o", "json", stdin=text)
    answer = json.loads(done.out)
    [problem] = answer["nodes"][0]["problems"]
    assert set(problem) == {"code", "severity", "what", "mend"}
    assert answer["problems"] == 1
    wide = run("pools", "--inventory", "-", "-o", "wide", stdin=text)
    assert "mig_empty" in wide.out.splitlines()[1]


def test_no_file_is_code_2(run: Run, tmp_path: Path) -> None:
    assert run("pools", "--inventory", str(tmp_path / "no.yaml")).code == 2


def test_the_cluster_tells_what_is_free(look: Run) -> None:
    answer = json.loads(look("pools", "-o", "json").out)
    assert answer["pools"]
    assert all(0 <= each["free"] <= each["total"] for each in answer["pools"])
    assert any(each["free"] < each["total"] for each in answer["pools"])


def printed_for(run: Run, tmp_path: Path, autoscaler: str) -> object:
    path = tmp_path / "policy.yaml"
    path.write_text(yaml.safe_dump(POLICY), encoding="utf-8")
    done = run("pools", "--for", autoscaler, "--policy", str(path))
    assert done.code == 0, done.err
    [pool] = yaml.safe_load(done.out)
    assert pool["pool"] == "slices"
    return pool[autoscaler]


def test_karpenter_gets_labels_and_an_overlay(run: Run, tmp_path: Path) -> None:
    pool, overlay = printed_for(run, tmp_path, "karpenter")
    template = pool["spec"]["template"]
    assert template["metadata"]["labels"] == POLICY["pools"][0]["labels"]
    assert template["spec"]["taints"] == [
        {"key": "nvidia.com/gpu", "effect": "NoSchedule", "value": "present"}
    ]
    assert overlay["kind"] == "NodeOverlay"
    assert overlay["spec"]["capacity"] == {"nvidia.com/mig-1g.10gb": "7"}


@pytest.mark.parametrize(
    ("autoscaler", "key", "value"),
    [
        (
            "cluster-autoscaler-aws",
            "k8s.io/cluster-autoscaler/node-template/resources/nvidia.com/mig-1g.10gb",
            "7",
        ),
        (
            "cluster-autoscaler-aws",
            "k8s.io/cluster-autoscaler/node-template/taint/nvidia.com/gpu",
            "present:NoSchedule",
        ),
        (
            "azure",
            "k8s.io_cluster-autoscaler_node-template_label_nvidia.com_mig-1g.10gb.sharing-strategy",
            "none",
        ),
        ("capi", "capacity.cluster-autoscaler.kubernetes.io/gpu-count", "7"),
        (
            "capi",
            "capacity.cluster-autoscaler.kubernetes.io/taints",
            "nvidia.com/gpu=present:NoSchedule",
        ),
    ],
)
def test_tags_and_annotations(
    run: Run, tmp_path: Path, autoscaler: str, key: str, value: str
) -> None:
    assert printed_for(run, tmp_path, autoscaler)[key] == value  # type: ignore[index]


def test_gke_flags(run: Run, tmp_path: Path) -> None:
    flags = printed_for(run, tmp_path, "gke")
    assert "--node-taints=nvidia.com/gpu=present:NoSchedule" in flags  # type: ignore[operator]
