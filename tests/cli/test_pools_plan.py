"""`gpu-sharing pools plan`: the form that others rely on, errors, and what it writes."""

import json
from collections import Counter
from pathlib import Path

import pytest
import yaml
from command_line import Run
from fake_cluster import FakeCluster
from small_cluster import made

from webhook.core.pools.planner import OPTIMAL

H100, T4 = "NVIDIA-H100-80GB-HBM3", "Tesla-T4"
PLAN = {
    "stock": [
        {"product": H100, "gpus": 2, "gpusPerNode": 2},
        {"product": T4, "gpus": 2, "gpusPerNode": 1},
    ],
    "workloads": [
        {"name": "serve", "workload": "inference", "replicas": 2, "memory": "38000Mi"},
        {"name": "notebooks", "workload": "dev", "replicas": 4},
        {"name": "large", "workload": "training", "replicas": 1, "gpus": 16},
    ],
    "prices": {H100: 7, T4: 0.5},
}


pytest.importorskip("highspy", reason="the extra `plan` is not installed")


def plan_file(tmp_path: Path, plan: object) -> str:
    path = tmp_path / "plan.yaml"
    path.write_text(yaml.safe_dump(plan), encoding="utf-8")
    return str(path)


def test_the_answer_has_the_form_that_others_rely_on(run: Run, tmp_path: Path) -> None:
    done = run("pools", "plan", "-f", plan_file(tmp_path, PLAN), "-o", "json")
    assert done.code == 1  # the large one has no place
    answer = json.loads(done.out)
    assert answer["gpus"][0] == {
        "node": f"{H100}-0",
        "index": 0,
        "product": H100,
        "strategy": "mig",
        "layout": {"3g.40gb": 2},
        "serves": {"serve": 2},
    }
    assert [(each["strategy"], each["serves"]) for each in answer["gpus"][1:]] == [
        ("free", {}), ("time-slicing", {"notebooks": 4}), ("free", {}),
    ]  # fmt: skip
    [left] = answer["unplaced"]
    assert (left["name"], left["replicas"]) == ("large", 1)
    assert "16 GPUs on one node" in left["reason"]
    assert answer["summary"]["used"] == 2
    assert answer["summary"]["free"] == 2
    assert answer["summary"]["price"] == 7.5
    assert any("10 pods share a GPU under MPS" in each for each in answer["assumptions"])


CASES = sorted((Path(__file__).parent / "plans").glob("*.yaml"))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_plan_is_the_best_of_its_stock(run: Run, tmp_path: Path, path: Path) -> None:
    case = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
    done = run("pools", "plan", "-f", plan_file(tmp_path, case["plan"]), "-o", "json")
    answer, expect = json.loads(done.out), case["expect"]
    assert set(expect) <= {"price", "left", "gpus", "says"}
    left = {each["name"]: each["replicas"] for each in answer["unplaced"]}
    assert left == expect.get("left", {})
    assert done.code == bool(left)
    assert answer["summary"]["price"] == expect["price"]
    assert answer["summary"]["how"] == OPTIMAL
    said = json.dumps([answer["assumptions"], answer["unplaced"]])
    assert [part for part in expect.get("says", ()) if part not in said] == []
    if "gpus" in expect:
        assert sorted(map(shown, answer["gpus"])) == sorted(expect["gpus"])
    served = sum((Counter(each["serves"]) for each in answer["gpus"]), Counter())
    for each in case["plan"]["workloads"]:
        placed = each["replicas"] - left.get(each["name"], 0)
        assert served[each["name"]] == placed * each.get("gpus", 1)


def shown(gpu: dict) -> str:
    """`mig 2x3g.40gb: 2 chat`."""
    layout = "".join(f" {n}x{profile}" for profile, n in sorted(gpu["layout"].items()))
    serves = ", ".join(sorted(f"{n} {name}" for name, n in gpu["serves"].items()))
    return f"{gpu['strategy']}{layout}" + (f": {serves}" if serves else "")


def test_a_table_for_people(run: Run, tmp_path: Path) -> None:
    done = run("pools", "plan", "-f", plan_file(tmp_path, PLAN))
    assert f"{H100}-0  0     {H100}  mig           2x3g.40gb  2 serve" in done.out
    assert "2 of 4 GPUs in use, 7.50 USD an hour" in done.out


def test_the_configuration_is_written_and_read_back(run: Run, tmp_path: Path) -> None:
    done = run("pools", "plan", "-f", plan_file(tmp_path, PLAN), "--write", str(tmp_path / "out"))
    assert "3 nodes as planned" in done.err
    values = yaml.load((tmp_path / "out/values.yaml").read_text(encoding="utf-8"), yaml.CSafeLoader)
    layouts = yaml.load(values["migManager"]["config"]["data"]["config.yaml"], yaml.CSafeLoader)[
        "mig-configs"
    ]
    assert set(layouts) > {"all-disabled"}
    moves = (tmp_path / "out/moves.sh").read_text(encoding="utf-8")
    assert f"gpu-sharing pools move {T4}-0 --to time-slicing --yes" in moves


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"workloads": [PLAN["workloads"][0]] * 2}, "several workloads are named serve"),
        ({"stok": []}, "unknown field `stok`"),
        ({"workloads": [{"name": "a", "workload": "batch", "replicas": 1}]}, "batch"),
        ({"workloads": [{"name": "a", "workload": "dev", "replicas": -1}]}, ">= 0"),
        ({"workloads": [{**PLAN["workloads"][0], "memory": "20"}]}, "less than 1Mi"),
        ({"mpsReplicas": 49}, "<= 48"),
        ({"timeSlicingReplicas": 1}, ">= 2"),
        ({"stock": [{"product": "x", "gpus": 1}]}, "gpusPerNode"),
    ],
)  # fmt: skip
def test_a_wrong_file_says_where(run: Run, tmp_path: Path, change: dict, said: str) -> None:
    done = run("pools", "plan", "-f", plan_file(tmp_path, PLAN | change))
    assert done.code == 2
    assert said in done.err


def test_without_a_solver_it_says_its_distance(run: Run, tmp_path: Path) -> None:
    small = PLAN | {"workloads": PLAN["workloads"][:2]}
    done = run("pools", "plan", "-f", plan_file(tmp_path, small), "-o", "json", "--greedy")
    assert "7.50 USD an hour, and none is under" in json.loads(done.out)["summary"]["how"]


def test_the_cluster_is_stock_and_workloads_where_the_file_says_nothing(look: Run) -> None:
    done = look("pools", "plan", "-o", "json")
    answer = json.loads(done.out)
    served = {name for gpu in answer["gpus"] for name in gpu["serves"]}
    assert answer["gpus"]
    assert served
    moves = {each["node"]: each["to"] for each in answer["moves"]}
    assert all({"pool", "migConfig"} == set(each) for each in moves.values())
    summary = answer["summary"]
    assert summary["frees"]["gpus"] == summary["usedToday"] - summary["used"]
    assert "Nodes that move" in look("pools", "plan").out


def test_pods_of_an_owner_with_several_templates_are_judged_each(
    look: Run, cluster: FakeCluster
) -> None:
    """A Volcano job has a template for each task; a ReplicaSet has one."""
    job = {"apiVersion": "batch.volcano.sh/v1alpha1", "kind": "Job",
           "metadata": {"name": "tasks", "uid": "u"}}  # fmt: skip
    for name, gpus in (("a", 1), ("b", 16)):
        container = {"name": "main", "resources": {"limits": {"nvidia.com/gpu": gpus}}}
        labels = {"gpu-sharing.io/workload": "training"}
        spec = {"containers": [container]}
        cluster.put("pods", made("Pod", "v1", name, "shop", owner=job, labels=labels, spec=spec))
    answer = json.loads(look("pools", "plan", "-o", "json").out)
    left = {e["reason"]: e["replicas"] for e in answer["unplaced"] if e["name"] == "shop/tasks"}
    assert [n for reason, n in left.items() if reason.startswith("16 GPUs on one node")] == [1]
