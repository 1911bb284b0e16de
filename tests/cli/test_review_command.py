"""`gpu-sharing review`: what it prints, its exit codes and its settings."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from command_line import EXAMPLES, INVENTORY, Json, Run, command
from reviewing import made, pod_of, reviewed, spec

KEYS = {
    *("source", "kind", "namespace", "name", "template", "workload", "tenant", "allowed"),
    *("strategy", "reason", "message", "warnings", "containers", "violations", "patch"),
}
PROMISES: Json = yaml.safe_load((EXAMPLES / "promises.yaml").read_text())


# What it prints.


def test_the_examples_come_out_as_promised(run: Run) -> None:
    done, records = reviewed(run, EXAMPLES)
    assert (done.code, done.err) == (1, f"note: skipped {without_kind()}\n")
    found = {Path(record["source"]).name: record for record in records}
    assert found.keys() == PROMISES.keys()
    for name, promise in PROMISES.items():
        record = found[name]
        assert record["reason"] == promise["reason"]
        assert record["allowed"] is not promise.get("refused", False)
        assert record["strategy"] == promise.get("strategy")
        if "gets" in promise:
            assert promise["gets"] in record["containers"][0]["to"]


def without_kind() -> str:
    """What is said of promises.yaml, the one file of the folder that holds no objects."""
    return (
        f"{EXAMPLES / 'promises.yaml'}: document 1: expected a Kubernetes object with apiVersion "
        "and kind, got a mapping without kind"
    )


def test_json_has_exactly_the_promised_keys_for_every_outcome(run: Run) -> None:
    _, records = reviewed(run, EXAMPLES)
    assert {frozenset(record) for record in records} == {frozenset(KEYS)}
    by_allowed = {record["allowed"] for record in records}
    assert by_allowed == {True, False}
    for record in records:
        assert all(
            each.keys() == {"name", "from", "to", "strategy", "reason"}
            for each in record["containers"]
        )
        assert record["allowed"] or (record["patch"], record["strategy"]) == ([], None)
        assert record["message"]


def test_one_record_in_full(run: Run, file: Callable[..., Path]) -> None:
    path = file(
        made(
            "Job",
            "batch/v1",
            {
                "template": {
                    "metadata": {"labels": {"gpu-sharing.io/workload": "training"}},
                    "spec": spec(2),
                }
            },
        )
    )
    [record] = reviewed(run, path)[1]
    assert record | {"patch": [], "message": "", "warnings": []} == {
        "source": str(path),
        "kind": "Job",
        "namespace": "default",
        "name": "thing",
        "template": "spec.template",
        "workload": "training",
        "tenant": None,
        "allowed": True,
        "strategy": "exclusive",
        "reason": "whole_gpu",
        "message": "",
        "warnings": [],
        "violations": [],
        "containers": [
            {
                "name": "main",
                "from": {"nvidia.com/gpu": 2},
                "to": {"nvidia.com/gpu": 2},
                "strategy": "exclusive",
                "reason": "whole_gpu",
            },
        ],
        "patch": [],
    }
    assert all(each["op"] in {"add", "remove"} for each in record["patch"])


def test_yaml_says_the_same_as_json(run: Run) -> None:
    _, records = reviewed(run, EXAMPLES / "inference.yaml")
    done = run(
        "review", "-f", str(EXAMPLES / "inference.yaml"), "--inventory", INVENTORY, "-o", "yaml"
    )
    assert yaml.safe_load(done.out) == records


def test_nodes_whose_gpus_are_not_offered_are_told_beside_the_result(
    run: Run, file: Callable[..., Path], tmp_path: Path
) -> None:
    node: Json = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "bad"}}
    node["status"] = {"allocatable": {"nvidia.com/gpu": "1"}}
    nodes = tmp_path / "nodes.json"
    nodes.write_text(json.dumps(node))
    done = run("review", "-f", str(file(pod_of())), "--inventory", str(nodes))
    assert done.code == 1
    assert "not offered: node bad: nvidia.com/gpu: no label says" in done.err


def test_a_diff_shows_what_is_added_to_the_pod(run: Run) -> None:
    done = run(
        "review", "-f", str(EXAMPLES / "inference.yaml"), "--inventory", INVENTORY, "-o", "diff"
    )
    added = [line.strip() for line in done.out.splitlines() if line.startswith("+")]
    removed = [line.strip() for line in done.out.splitlines() if line.startswith("-")]
    assert any("nvidia.com/mig-3g.20gb: 1" in line for line in added)
    assert any("nvidia.com/gpu: 1" in line for line in removed)
    assert "# Deployment/recommender spec.template: mig_slice" in done.out


def test_a_diff_of_a_refusal_says_why(run: Run) -> None:
    done = run(
        "review", "-f", str(EXAMPLES / "tenant-shared.yaml"), "--inventory", INVENTORY, "-o", "diff"
    )
    assert done.code == 1
    assert "[tenant_needs_isolation]" in done.out


def test_the_table_names_each_pod_what_it_asks_and_what_it_gets(run: Run) -> None:
    done = run(
        "review",
        "-f",
        str(EXAMPLES / "dev.yaml"),
        "-f",
        str(EXAMPLES / "tenant-shared.yaml"),
        "-f",
        str(EXAMPLES / "no-gpu.yaml"),
        "--inventory",
        INVENTORY,
    )
    rows = {line.split()[0]: line for line in done.out.splitlines() if line.startswith("Pod/")}
    assert rows.keys() == {"Pod/notebook", "Pod/blue-cheap", "Pod/web"}
    assert "gpu.shared (15360Mi)" in rows["Pod/notebook"]
    assert "time-slicing" in rows["Pod/notebook"]
    assert "refused" in rows["Pod/blue-cheap"]
    assert "no GPU" in rows["Pod/web"]


def test_what_is_piped_has_no_colours(run: Run) -> None:
    for output in ("table", "diff"):
        done = run(
            "review", "-f", str(EXAMPLES / "dev.yaml"), "--inventory", INVENTORY, "-o", output
        )
        assert "\x1b" not in done.out


# Exit codes.


@pytest.mark.parametrize(
    ("names", "code"),
    [
        pytest.param(["dev.yaml"], 0, id="allowed"),
        pytest.param(["no-gpu.yaml"], 0, id="unchanged"),
        pytest.param(["dev.yaml", "tenant-shared.yaml"], 1, id="one-refused"),
        pytest.param(["tenant-shared.yaml", "promises.yaml"], 2, id="refused-and-unreadable"),
        pytest.param(["dev.yaml", "missing.yaml"], 2, id="missing"),
    ],
)
def test_the_exit_code_tells_the_worst(run: Run, names: list[str], code: int) -> None:
    done, records = reviewed(run, *(EXAMPLES / name for name in names))
    assert done.code == code
    readable = [name for name in names if name not in {"promises.yaml", "missing.yaml"}]
    assert len(records) == len(readable), "the rest is still shown"


def test_the_command_as_a_process_prints_json_and_nothing_else(tmp_path: Path) -> None:
    body = (EXAMPLES / "tenant-shared.yaml").read_bytes()
    done = command("review", "-f", "-", "--inventory", INVENTORY, "-o", "json", stdin=body)
    [record] = json.loads(done.out)
    assert (done.code, done.err, record["source"]) == (1, "", "standard input")


# Settings.


def test_a_label_of_the_namespace_can_be_given(run: Run, file: Callable[..., Path]) -> None:
    path = file(pod_of("inference"))
    flags = ("--namespace-label", "gpu-sharing.io/tenant=blue")
    [record] = reviewed(run, path, flags=flags)[1]
    assert (record["tenant"], record["strategy"]) == ("blue", "mig")


def test_several_labels_may_be_given_and_come_over_the_known_ones(run: Run) -> None:
    flags = ("--namespace-label", "gpu-sharing.io/tenant=red")
    flags += ("--namespace-label", "gpu-sharing.io/mode=audit")
    done, [record] = reviewed(run, EXAMPLES / "tenant-shared.yaml", flags=flags)
    assert (done.code, record["tenant"], record["allowed"]) == (0, "red", True)
    assert record["warnings"][0] == "audit: would be refused (tenant_needs_isolation)"


@pytest.mark.parametrize("label", ["tenant", "=blue", ""])
def test_a_label_that_is_none_is_refused(run: Run, label: str) -> None:
    done = run("review", "-f", "a", "--namespace-label", label)
    assert (done.code, "expected KEY=VALUE" in done.err) == (2, True)


def test_a_namespace_beside_the_pods_counts(run: Run, file: Callable[..., Path]) -> None:
    labels = {"gpu-sharing.io/tenant": "green"}
    namespace = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": "n", "labels": labels},
    }
    [record] = reviewed(run, file(pod_of("dev", namespace="n"), namespace))[1]
    assert (record["namespace"], record["tenant"]) == ("n", "green")


def test_a_policy_of_ones_own_is_used(run: Run, file: Callable[..., Path]) -> None:
    policy = file(
        "apiVersion: gpu-sharing.io/v1\nkind: Policy\nmatrix: {dev: {strategies: [mps]}}\n",
        name="policy.yaml",
    )
    [record] = reviewed(run, EXAMPLES / "dev.yaml", flags=("--policy", str(policy)))[1]
    assert record["strategy"] == "mps"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        pytest.param(
            "apiVersion: gpu-sharing.io/v1\nkind: Policy\nmatrix: 5\n", "line 3, matrix", id="type"
        ),
        pytest.param(
            "apiVersion: gpu-sharing.io/v1\nkind: Policy\nmatrx: {}\n", "line 3, matrx", id="key"
        ),
        pytest.param("kind: Policy\n", "line 1: `apiVersion` is missing", id="version"),
        pytest.param("[", "not YAML", id="yaml"),
        pytest.param(b"\xff", "not UTF-8", id="binary"),
    ],
)
def test_a_wrong_policy_is_told_before_any_pod(
    run: Run, file: Callable[..., Path], content: str | bytes, says: str
) -> None:
    policy = file(content, name="policy.yaml")
    done = run("review", "-f", str(EXAMPLES), "--policy", str(policy), "--inventory", INVENTORY)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"error: {policy}: ")
    assert says in done.err
    assert run("check", str(policy)).err == done.err


def test_a_wrong_inventory_is_told_before_any_pod(run: Run, file: Callable[..., Path]) -> None:
    nodes = file("kind: Node\nmetadata:\n  labels: [a]\n", name="nodes.yaml")
    done = run("review", "-f", str(EXAMPLES), "--inventory", str(nodes))
    assert (done.code, done.out) == (2, "")
    *notes, error = done.err.splitlines()
    assert all(each.startswith("note: skipped ") for each in notes)
    assert error.startswith(f"error: {nodes}: line 3, metadata.labels: expected ")


def test_without_a_cluster_it_says_how_to_give_an_inventory(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "missing"))
    monkeypatch.setenv("HOME", str(tmp_path))
    done = run("review", "-f", str(EXAMPLES / "dev.yaml"))
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("error: no cluster to ask")
    assert "--inventory FILE" in done.err
    assert "kubectl get nodes -o json" in done.err


def test_without_an_inventory_the_nodes_of_the_cluster_are_read(look: Run) -> None:
    done = look("review", "-f", str(EXAMPLES / "dev.yaml"), "-o", "json")
    assert (done.code, done.err) == (0, "")
    assert {each["strategy"] for each in json.loads(done.out)} == {"time-slicing"}
