"""`gpu-sharing audit` as a whole: screens, records, rights, notes."""

import json
from pathlib import Path

import pytest
import yaml
from command_line import INVENTORY, Json, Run
from fake_cluster import FakeCluster, edits
from small_cluster import made, template, workload

KEYS = {
    *("namespace", "policy", "nodes", "summary", "namespaces", "workloads", "untouched", "notes"),
    "turnOn",
}
ROW = {
    *("namespace", "kind", "name", "template", "pods", "workload", "tenant", "outcome"),
    *("strategy", "reason", "message", "warnings", "gpus"),
}


def test_the_whole_cluster_is_a_line_a_namespace(look: Run) -> None:
    done = look("audit")
    assert (done.code, done.err) == (1, "")
    [shop] = [line for line in done.out.splitlines() if line.startswith("shop ")]
    assert shop.split()[:7] == ["shop", "enforce", "6", "1", "1", "0", "1"]
    assert "several_gpus_not_allowed" in done.out
    assert "shop/Deployment/chat" in done.out
    assert "2 requested" not in done.out  # in full only where it is asked for
    assert "gpu-sharing audit -n NAME" in done.out


def test_wide_has_every_workload_and_every_reason(look: Run) -> None:
    out = look("audit", "-o", "wide").out
    assert "Deployment/recommender" in out
    assert "2 requested" in out


def test_one_namespace_is_a_line_a_workload_and_ends_with_what_to_do(look: Run) -> None:
    done = look("audit", "-n", "lab")
    [line] = [line for line in done.out.splitlines() if line.startswith("StatefulSet/nb ")]
    assert line.split() == [
        *("StatefulSet/nb", "1", "dev", "1", "gpu", "1", "gpu.shared", "(15360Mi)"),
        "time-slicing",
    ]
    turn_on = "kubectl label --overwrite namespace lab gpu-sharing.io/mode=enforce"
    assert done.out.rstrip().endswith(turn_on)
    assert done.code == 0


def test_a_namespace_that_enforces_needs_no_command(look: Run) -> None:
    out = look("audit", "-n", "shop").out
    assert "is enforcing already" in out
    assert "kubectl label" not in out


def test_the_record_has_stable_keys(look: Run) -> None:
    made: Json = json.loads(look("audit", "-o", "json").out)
    assert made.keys() == KEYS
    assert all(row.keys() == ROW for row in made["workloads"])
    assert (made["namespace"], made["turnOn"]) == (None, None)
    assert yaml.safe_load(look("audit", "-o", "yaml").out) == made
    [chat] = [row for row in made["workloads"] if row["name"] == "chat"]
    assert (chat["outcome"], chat["reason"]) == ("refused", "several_gpus_not_allowed")
    assert chat["gpus"] == {"before": 4, "waiting": 4, "after": 0}
    assert made["summary"]["gpus"]["refused"] == 4


def test_namespaces_that_the_webhook_never_touches_are_left_out(
    look: Run, cluster: FakeCluster
) -> None:
    for name in ("kube-system", "gpu-sharing", "gpu-operator"):
        cluster.put("pods", made("Pod", "v1", "gpu", name, spec=template("dev")["spec"]))
    found = json.loads(look("audit", "-o", "json").out)
    assert {each["name"] for each in found["namespaces"]} == {"shop", "team-blue", "lab", "legacy"}


def test_of_the_whole_cluster_only_namespaces_that_use_gpus_are_shown(
    look: Run, cluster: FakeCluster
) -> None:
    host = template(None, 0, volumes=[{"name": "dev", "hostPath": {"path": "/dev"}}])
    cluster.put("namespaces", made("Namespace", "v1", "infra", ""))
    cluster.put(
        "daemonsets", made("DaemonSet", "apps/v1", "agent", "infra", spec={"template": host})
    )
    assert "infra" not in look("audit").out
    assert "host_path" in look("audit", "-n", "infra").out


def test_a_namespace_without_gpus_says_so(look: Run, cluster: FakeCluster) -> None:
    cluster.put("namespaces", made("Namespace", "v1", "empty", ""))
    done = look("audit", "-n", "empty")
    assert done.code == 0
    assert "no pod requests a GPU" in done.out


def test_the_installed_policy_decides_and_another_may_be_tried(
    look: Run, cluster: FakeCluster, tmp_path: Path
) -> None:
    assert "ConfigMap gpu-sharing/gpu-sharing-policy" in look("audit").out
    text = "apiVersion: gpu-sharing.io/v1\nkind: Policy\nmatrix: {dev: {severalGpus: share}}\n"
    (tmp_path / "mine.yaml").write_text(text, encoding="utf-8")
    done = look("audit", "--policy", str(tmp_path / "mine.yaml"))
    assert "several_gpus_not_allowed" not in done.out
    assert "mine.yaml" in done.out


def test_a_wrong_policy_in_the_cluster_is_said_with_where(look: Run, cluster: FakeCluster) -> None:
    policy = made("ConfigMap", "v1", "gpu-sharing-policy", "gpu-sharing")
    cluster.put("configmaps", policy | {"data": {"policy.yaml": "kind: Policy\n"}})
    done = look("audit")
    assert done.code == 2
    assert "ConfigMap gpu-sharing/gpu-sharing-policy: line 1" in done.err


def test_a_quota_that_would_count_no_more_is_a_note(look: Run, cluster: FakeCluster) -> None:
    hard = {"hard": {"requests.nvidia.com/gpu": "4"}}
    cluster.put("resourcequotas", made("ResourceQuota", "v1", "gpus", "shop", spec=hard))
    assert "note: ResourceQuota shop/gpus" in look("audit", "-n", "shop").out


def test_a_mistyped_key_of_a_namespace_is_a_note(look: Run, cluster: FakeCluster) -> None:
    labels = cluster.find("namespaces", "", "shop")["metadata"]["labels"]
    labels["gpu-sharing.io/tennant"] = "blue"
    said = "note: namespace shop: label gpu-sharing.io/tennant: unknown; did you mean"
    assert said in " ".join(look("audit", "-n", "shop").out.split())


def test_a_workload_that_cannot_be_read_is_a_note_and_the_rest_is_told(
    look: Run, cluster: FakeCluster
) -> None:
    broken = {"containers": [{"name": 7}]}
    workload(cluster, "broken", "shop", {"template": {"metadata": {"labels": {}}, "spec": broken}})
    done = look("audit", "-n", "shop")
    assert "note: " in done.out
    assert "broken" in done.out
    assert "Deployment/recommender" in done.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("-n", "nowhere"), "there is no namespace/nowhere"),
        (("--policy", "/nonexistent"), "No such file"),
        (("--inventory", "/nonexistent"), "No such file"),
    ],
)
def test_what_cannot_be_read_is_said(look: Run, words: tuple[str, ...], said: str) -> None:
    done = look("audit", *words)
    assert (done.code, done.out) == (2, "")
    assert said in done.err


def test_a_member_of_a_namespace_is_told_the_right_and_the_way_without_it(
    look: Run, cluster: FakeCluster
) -> None:
    cluster.allowed = edits("shop")
    done = look("audit", "-n", "shop")
    assert done.code == 2
    assert "list nodes" in done.err
    assert "--inventory" in done.err
    done = look("audit", "-n", "shop", "--inventory", INVENTORY)
    assert done.code == 1
    assert "Deployment/chat" in done.out
