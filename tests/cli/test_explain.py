"""`gpu-sharing explain`: what was decided, by what rule, and what would be decided now."""

from pathlib import Path

import pytest
import yaml
from command_line import Json, Run, record
from fake_cluster import FakeCluster, edits, views
from small_cluster import made, template

from tests.fake_apiserver.kubeconfig import write_kubeconfig

POD = "recommender-7d4b9-aaaaa"
KEYS = {
    *("namespace", "name", "mode", "workload", "tenant", "node", "sources", "requests", "decision"),
    *("nodeAffinity", "unreviewed", "row", "now", "missing"),
}


def pod(cluster: FakeCluster, name: str = POD, namespace: str = "shop") -> Json:
    return cluster.find("pods", namespace, name)


# What it tells.


@pytest.mark.parametrize("words", [[POD], [f"pod/{POD}"], ["pods", POD], [f"po/{POD}"]])
def test_a_pod_is_explained_however_it_is_named(look: Run, words: list[str]) -> None:
    done = look("explain", *words)
    assert (done.code, done.err) == (0, "")
    assert "shop (mode enforce)" in done.out
    assert "inference (the pod's label gpu-sharing.io/workload)" in done.out
    assert "As the pod's annotation says:" in done.out
    assert "mig_slice: The workload gets an unshared MIG device." in done.out
    assert "nvidia.com/mig-1g.5gb.sharing-strategy In none" in done.out
    assert "ConfigMap gpu-sharing/gpu-sharing-policy" in done.out
    assert "If it were created now: the same." in done.out
    assert "the pod template of ReplicaSet/recommender-7d4b9" in done.out


def test_the_record_has_all_that_is_told(look: Run) -> None:
    done = look("explain", POD, "-o", "json")
    found = record(done)
    assert found.keys() == KEYS
    assert (found["namespace"], found["mode"], found["node"]) == ("shop", "enforce", "a100-mig-1")
    assert found["decision"]["strategy"] == "mig"
    assert found["decision"]["agrees"] is True
    [change] = found["decision"]["containers"]
    assert change["from"] == {"nvidia.com/gpu": 1}
    assert change["to"] == {"nvidia.com/mig-1g.5gb": 1}
    assert found["row"]["name"] == "inference"
    assert [each["strategy"] for each in found["row"]["strategies"]] == ["mig", "mps"]
    assert (found["now"]["same"], found["now"]["why"]) == (True, None)
    assert found["now"]["decided"]["strategy"] == "mig"
    assert found["missing"] == []
    assert yaml.safe_load(look("explain", POD, "-o", "yaml").out) == found


def test_nothing_is_created_and_no_name_is_taken(look: Run, cluster: FakeCluster) -> None:
    look("explain", POD)
    [tried] = cluster.tried
    assert tried["metadata"]["generateName"] == "recommender-7d4b9-"
    assert "name" not in tried["metadata"]
    assert tried["spec"]["containers"][0]["resources"]["limits"] == {"nvidia.com/gpu": "1"}


def test_a_pod_without_a_readable_owner_is_taken_back_itself(
    look: Run, cluster: FakeCluster
) -> None:
    cluster.drop("replicasets", "shop", "recommender-7d4b9")
    done = look("explain", POD)
    assert "the pod itself, as it was before it was decided" in done.out
    assert "the same." in done.out
    [tried] = cluster.tried
    assert tried["spec"]["containers"][0]["resources"]["limits"] == {"nvidia.com/gpu": "1"}
    assert "affinity" not in tried["spec"]


# What would be decided now.


def test_another_policy_is_the_reason(look: Run, cluster: FakeCluster) -> None:
    data = cluster.find("configmaps", "gpu-sharing", "gpu-sharing-policy")["data"]
    data["policy.yaml"] += "matrix: {inference: {strategies: [mps]}}\n"
    now = record(look("explain", POD, "-o", "json"))["now"]
    assert (now["same"], now["decided"]["strategy"]) == (False, "mps")
    assert "the policy does not have mig" in now["why"]


def test_other_nodes_are_the_reason(look: Run, cluster: FakeCluster) -> None:
    for name in ("a100-mig-1", "a100-mig-2"):
        cluster.drop("nodes", "", name)
    now = record(look("explain", POD, "-o", "json"))["now"]
    assert (now["same"], now["why"]) == (False, "the nodes offer something else now")
    cluster.drop("nodes")
    now = record(look("explain", POD, "-o", "json"))["now"]
    assert (now["decided"]["allowed"], now["why"]) == (False, "the nodes offer something else now")


def test_another_label_is_the_reason(look: Run, cluster: FakeCluster) -> None:
    labels = cluster.find("replicasets", "shop", "recommender-7d4b9")["spec"]["template"]
    labels["metadata"]["labels"]["gpu-sharing.io/workload"] = "dev"
    now = record(look("explain", POD, "-o", "json"))["now"]
    assert (now["same"], now["decided"]["strategy"]) == (False, "time-slicing")
    assert "it is dev now and was inference" in now["why"]


def test_another_tenant_with_the_same_slice_is_told_beside(look: Run, cluster: FakeCluster) -> None:
    labels = cluster.find("namespaces", "", "shop")["metadata"]["labels"]
    labels["gpu-sharing.io/tenant"] = "green"
    assert "the same, although its tenant is green now" in look("explain", POD).out


def test_another_ask_is_the_reason(look: Run, cluster: FakeCluster) -> None:
    spec = cluster.find("replicasets", "shop", "recommender-7d4b9")["spec"]["template"]["spec"]
    spec["containers"][0]["resources"] = {"limits": {"nvidia.com/gpu": 2}}
    now = record(look("explain", POD, "-o", "json"))["now"]
    assert now["why"] == "its pod template requests something else now"


def test_a_pod_that_would_be_refused_now_ends_with_1(look: Run, cluster: FakeCluster) -> None:
    spec = cluster.find("replicasets", "shop", "recommender-7d4b9")["spec"]["template"]["spec"]
    spec["containers"][0]["securityContext"] = {"privileged": True}
    done = look("explain", POD)
    assert done.code == 1
    assert "If it were created now: refused" in done.out
    assert "[privileged]" in done.out
    now = record(look("explain", POD, "-o", "json"))["now"]
    assert now["decided"]["wrong"][0]["reason"] == "privileged"
    assert now["same"] is False


def test_in_audit_mode_the_warning_tells(look: Run) -> None:
    done = look("explain", "nb-0", "-n", "lab")
    assert done.code == 0
    assert "lab (mode audit)" in done.out
    assert "dev (the namespace's label gpu-sharing.io/workload)" in done.out
    assert "If it were created now: time-slicing." in done.out
    assert "only audits" in done.out


def test_in_audit_mode_a_refusal_ends_with_1(look: Run, cluster: FakeCluster) -> None:
    spec = cluster.find("statefulsets", "lab", "nb")["spec"]["template"]["spec"]
    spec["containers"][0]["resources"] = {"limits": {"nvidia.com/gpu": 2}}
    done = look("explain", "nb-0", "-n", "lab", "-o", "json")
    assert done.code == 1
    assert record(done)["now"]["decided"]["reason"] == "several_gpus_not_allowed"


def test_a_namespace_that_did_not_opt_in_is_never_touched(look: Run, cluster: FakeCluster) -> None:
    done = look("explain", "old-1-aaaaa", "-n", "legacy")
    assert done.code == 0
    assert "namespace legacy is not opted in" in done.out
    assert "gpu-sharing audit -n legacy" in done.out
    assert "kubectl label namespace legacy gpu-sharing.io/mode=audit" in done.out
    assert cluster.tried == []
    assert record(look("explain", "old-1-aaaaa", "-n", "legacy", "-o", "json"))["now"] is None


def test_a_pod_that_was_never_decided_says_what_to_do(look: Run) -> None:
    done = look("explain", "early")
    assert "The webhook never reviewed this pod" in done.out
    assert "delete it" in done.out
    assert record(look("explain", "early", "-o", "json"))["unreviewed"] is True


def test_a_pod_without_a_gpu_is_left_as_it_is(look: Run, cluster: FakeCluster) -> None:
    done = look("explain", "web")
    assert (done.code, cluster.tried) == (0, [])
    assert "It requests no GPU" in done.out


def test_what_refuses_first_is_told_beside_what_the_nodes_tell(
    look: Run, cluster: FakeCluster
) -> None:
    cluster.refuse = 'pods "x" is forbidden: exceeded quota: small, requested: pods=1'
    done = look("explain", POD)
    assert done.code == 1
    assert "refused by something else than GPU sharing; without that the same." in done.out
    assert "something else refuses it first" in done.out
    assert "exceeded quota: small" in done.out


def test_a_webhook_that_does_not_answer_is_named(look: Run, cluster: FakeCluster) -> None:
    cluster.refuse = (
        'Internal error occurred: failed calling webhook "mutate.gpu-sharing.io": failed to call '
        "webhook: context deadline exceeded"
    )
    assert "the webhook does not answer" in look("explain", POD).out


def test_a_webhook_that_fails_open_is_named(look: Run, cluster: FakeCluster) -> None:
    cluster.deaf = True
    assert "no decision came with it" in look("explain", POD).out


def test_a_policy_of_a_file_shows_its_row(look: Run, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    text = "apiVersion: gpu-sharing.io/v1\nkind: Policy\nmatrix: {inference: {memory: 8Gi}}\n"
    path.write_text(text)
    found = record(look("explain", POD, "--policy", str(path), "-o", "json"))
    assert found["row"]["memory"] == 8192
    assert found["sources"]["policy"] == f"the policy of {path}"


def test_a_wrong_policy_in_the_cluster_does_not_hide_the_rest(
    look: Run, cluster: FakeCluster
) -> None:
    cluster.allowed = views("shop")
    cluster.find("configmaps", "gpu-sharing", "gpu-sharing-policy")["data"] = {
        "policy.yaml": "matrix: ["
    }
    done = look("explain", POD)
    assert done.code == 0
    assert "the built-in policy, since" in done.out


# Who may.


def test_a_namespace_user_sees_all_of_it(look: Run, cluster: FakeCluster) -> None:
    cluster.allowed = edits("shop")
    done = look("explain", POD)
    assert (done.code, done.err) == (0, "")
    assert "the same." in done.out


def test_a_viewer_is_told_which_rights_would_do(look: Run, cluster: FakeCluster) -> None:
    cluster.allowed = views("shop")
    done = look("explain", POD)
    assert done.code == 0
    assert "As the pod's annotation says:" in done.out
    assert "If it were created now: not known." in done.out
    assert (
        "create pods in namespace shop (check: kubectl auth can-i create pods -n shop)" in done.out
    )
    assert "list nodes (check: kubectl auth can-i list nodes)" in done.out
    missing = record(look("explain", POD, "-o", "json"))["missing"]
    assert [(each["verb"], each["resource"]) for each in missing] == [
        ("create", "pods"),
        ("list", "nodes"),
    ]


def test_a_viewer_who_may_list_nodes_is_answered_by_them(look: Run, cluster: FakeCluster) -> None:
    mine = views("shop")
    cluster.allowed = lambda verb, what, where: what == "nodes" or mine(verb, what, where)
    done = look("explain", POD)
    assert "the same." in done.out
    assert "According to the nodes and the policy, as you may read them" in done.out


def test_a_stranger_is_told_what_is_missing(look: Run, cluster: FakeCluster) -> None:
    cluster.allowed = edits("team-blue")
    done = look("explain", POD)
    assert (done.code, done.out) == (2, "")
    assert "you lack the right to get pods in namespace shop" in done.err


def test_without_the_namespace_its_mode_is_not_guessed(look: Run, cluster: FakeCluster) -> None:
    mine = edits("shop")
    cluster.allowed = lambda verb, what, where: what != "namespaces" and mine(verb, what, where)
    done = look("explain", POD)
    assert done.code == 0
    assert "its mode cannot be read" in done.out
    assert "get namespaces in namespace shop" in done.out


# What goes wrong.


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nope"], "there is no pod/nope in namespace shop"),
        (["web", "-n", "nowhere"], "there is no pod/web in namespace nowhere"),
        (["deployment/chat"], "gpu-sharing why deployment/chat"),
        (["a", "b", "c"], "write KIND/NAME"),
        (["pod/"], "write KIND/NAME"),
        ([POD, "--policy", "missing.yaml"], "missing.yaml"),
    ],
)
def test_a_wrong_name_ends_with_2_and_says_what_to_write(
    look: Run, words: list[str], said: str
) -> None:
    done = look("explain", *words)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("error: ")
    assert said in done.err


def test_without_a_cluster_one_is_told_so(run: Run, tmp_path: Path) -> None:
    done = run("explain", POD, "--kubeconfig", str(tmp_path / "none"))
    assert (done.code, done.out) == (2, "")
    assert "no cluster to ask" in done.err
    silent = str(write_kubeconfig(tmp_path, "http://127.0.0.1:1"))
    done = run("explain", POD, "--kubeconfig", silent)
    assert (done.code, done.out) == (2, "")
    assert "the cluster does not answer" in done.err


GARBAGE = (
    '{"\x1b[31mred',
    '{"workload":"dev","tenant":null,"containers":[{"name":"main","from":{"nvidia.com/gpu":1},'
    '"to":{"nvidia.com/gpu":7},"strategy":"exclusive","reason":"whole_gpu"}]}',
    '{"workload":"\x1b[2Jdev"}',
    "[" * 5000,
)


@pytest.mark.parametrize("text", GARBAGE, ids=["escapes", "untrue", "more-escapes", "deep"])
def test_whatever_stands_in_the_annotation_nothing_breaks_and_nothing_is_believed(
    look: Run, cluster: FakeCluster, text: str
) -> None:
    pod(cluster)["metadata"]["annotations"]["gpu-sharing.io/decision"] = text
    done = look("explain", POD)
    assert (done.code, done.err) == (0, "")
    assert "As the pod's annotation says:" not in done.out
    assert "annotation" in done.out
    assert "\x1b" not in done.out
    now = record(look("explain", POD, "-o", "json"))["now"]
    assert (now["same"], now["decided"]["strategy"]) == (None, "mig")


def test_what_the_cluster_says_cannot_paint_the_terminal(look: Run, cluster: FakeCluster) -> None:
    cluster.refuse = "denied \x1b[31mby\x07 something"
    assert "\x1b" not in look("explain", POD).out


def test_a_static_owner_kind_is_no_trouble(look: Run, cluster: FakeCluster) -> None:
    owner = made("Foo", "example.com/v1", "foo", "shop")
    lonely = made("Pod", "v1", "foo-0", "shop", owner=owner, spec=template("dev")["spec"])
    cluster.put("pods", lonely)
    assert look("explain", "foo-0").code == 0
