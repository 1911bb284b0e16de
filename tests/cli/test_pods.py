"""`gpu-sharing pods`: who has which GPU and how; and `gpu-sharing reasons`."""

import json

import pytest
import yaml
from command_line import Done, Json, Run
from fake_cluster import FakeCluster, edits, views
from small_cluster import more_of

from webhook.core.checks.registry import REASONS

KEYS = {
    *("namespace", "name", "workload", "tenant", "asked", "gets", "strategy", "reason", "node"),
    *("status", "owner", "mode", "age"),
}


def records(done: Done) -> list[Json]:
    found: list[Json] = json.loads(done.out)
    return found


def test_everybody_with_a_gpu_is_listed(look: Run) -> None:
    done = look("pods", "-A")
    assert (done.code, done.err) == (0, "")
    heading, *lines = done.out.splitlines()
    titles = ("NAMESPACE", "NAME", "WORKLOAD", "TENANT", "GETS", "STRATEGY", "NODE", "STATUS")
    assert tuple(heading.split()) == titles
    [train] = [line for line in lines if "train-x2x4k" in line]
    assert train.split() == [
        *("team-blue", "train-x2x4k", "training", "blue", "4", "gpu", "exclusive", "h100-whole-1"),
        "Running",
    ]
    assert not any(" web " in line for line in lines)
    assert "Pods with a GPU: 7 (1 exclusive, 3 mig, 3 without a decision)." in lines
    assert "running in an enforcing namespace (shop) without a decision: 1." in done.out


def test_the_record_has_stable_keys(look: Run) -> None:
    found = records(look("pods", "-A", "-o", "json"))
    assert all(each.keys() == KEYS for each in found)
    [slice_] = [each for each in found if each["name"] == "recommender-7d4b9-aaaaa"]
    assert slice_["asked"] == [{"name": "main", "nvidia.com/gpu": 1}]
    assert slice_["gets"] == [{"name": "main", "nvidia.com/mig-1g.5gb": 1}]
    assert (slice_["strategy"], slice_["owner"]) == ("mig", "ReplicaSet/recommender-7d4b9")
    [early] = [each for each in found if each["name"] == "early"]
    assert (early["strategy"], early["asked"], early["reason"]) == (None, None, None)
    assert yaml.safe_load(look("pods", "-A", "-o", "yaml").out) == found


def test_wide_has_more_columns(look: Run) -> None:
    out = look("pods", "-A", "-o", "wide").out
    assert out.splitlines()[0].split()[-4:] == ["REQUESTED", "REASON", "OWNER", "AGE"]
    assert "mig_slice" in out


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (["--strategy", "exclusive"], {"train-x2x4k"}),
        (["--strategy", "none"], {"early", "nb-0", "old-1-aaaaa"}),
        (["--workload", "dev"], {"nb-0"}),
        (["--workload", "inference", "--strategy", "mps"], set()),
    ],
)
def test_filters(look: Run, words: list[str], names: set[str]) -> None:
    found = records(look("pods", "-A", "-o", "json", *words))
    assert {each["name"] for each in found} == names


def test_nothing_is_said_in_words(look: Run) -> None:
    assert (
        "No pod in namespace gpu-sharing requests a GPU." in look("pods", "-n", "gpu-sharing").out
    )
    filtered = look("pods", "-n", "lab", "--workload", "training").out
    assert "No pod in namespace lab matches; 1 request a GPU." in filtered
    assert records(look("pods", "-n", "gpu-sharing", "-o", "json")) == []


def test_a_thousand_pods_are_read_page_by_page(look: Run, cluster: FakeCluster) -> None:
    more_of(cluster, "shop", "recommender-7d4b9-aaaaa", 1200)
    assert len(records(look("pods", "-o", "json"))) == 1204


def test_a_namespace_user_sees_the_own_namespace(look: Run, cluster: FakeCluster) -> None:
    for rights in (edits("shop"), views("shop")):
        cluster.allowed = rights
        done = look("pods")
        assert (done.code, done.err) == (0, "")
        assert "without a decision: 1." in done.out
        everywhere = look("pods", "-A")
        assert (everywhere.code, everywhere.out) == (2, "")
        assert "you lack the right to list pods in all namespaces" in everywhere.err


def test_a_label_alone_is_not_believed(look: Run, cluster: FakeCluster) -> None:
    metadata = cluster.find("pods", "legacy", "old-1-aaaaa")["metadata"]
    metadata["labels"]["gpu-sharing.io/strategy"] = "mig"
    metadata["annotations"]["gpu-sharing.io/decision"] = "\x1b[31m{}"
    [found] = records(look("pods", "-n", "legacy", "-o", "json"))
    assert found["strategy"] is None
    assert "\x1b" not in look("pods", "-n", "legacy").out


# reasons.


def test_all_reasons_are_listed_by_group(look: Run, run: Run) -> None:
    done = run("reasons")
    assert (done.code, done.err) == (0, "")
    assert all(f"  {reason.code} " in done.out for reason in REASONS.values())
    assert "Refused: the cluster cannot" in done.out


@pytest.mark.parametrize("word", ["mig_slice", "[mig_slice]", "MIG-SLICE"])
def test_one_reason_is_told_in_full(run: Run, word: str) -> None:
    done = run("reasons", word)
    assert done.code == 0
    assert "What to do:" in done.out
    assert "gpu-sharing.io/mig-profile" in done.out


def test_a_reason_for_tools(run: Run) -> None:
    [found] = records(run("reasons", "env_from", "-o", "json"))
    keys = {"reason", "group", "sentence", "meaning", "example", "toDo"}
    assert found.keys() == keys
    assert all(found.values())


def test_a_wrong_code_is_answered_with_near_ones(run: Run) -> None:
    done = run("reasons", "tenant_isolation")
    assert (done.code, done.out) == (2, "")
    assert "did you mean tenant_needs_isolation?" in done.err


def test_every_reason_has_its_texts() -> None:
    for reason in REASONS.values():
        assert reason.meaning
        assert reason.example
        assert reason.to_do
