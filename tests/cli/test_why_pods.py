"""`gpu-sharing why` where pods wait or are missing, and for whom may see little of it."""

from typing import Any

import pytest
from command_line import Run, record
from fake_cluster import FakeCluster, edits, views
from small_cluster import (
    TWO_FOR_DEV,
    WEBHOOK,
    event,
    live_pod,
    made,
    more_of,
    template,
    waiting,
    workload,
)

# Pods that are there.


def test_a_pod_that_waits_for_a_slice_is_explained(look: Run) -> None:
    done = look("why", "deployment/recommender")
    assert (done.code, done.err) == (0, "")
    assert "some of its pods do not run yet" in done.out
    assert "Pods wanted: 3. Pods there: 1 Pending, 2 Running. GPUs by: 3 mig." in done.out
    assert "Every nvidia.com/mig-1g.5gb that it may use is taken" in done.out
    assert "the cluster says: 0/5 nodes are available" in done.out
    found = record(look("why", "deployment/recommender", "-o", "json"))
    assert found["state"] == "waits"
    assert found["pods"]["strategies"] == {"mig": 3}
    assert found["waiting"][0]["pods"] == ["recommender-7d4b9-ccccc"]


def test_one_pod_can_be_asked_for(look: Run) -> None:
    done = look("why", "pod/recommender-7d4b9-ccccc")
    assert done.code == 0
    assert "it does not run yet" in done.out
    assert "Pods wanted" not in done.out


def test_many_pods_that_wait_for_the_same_are_told_together(
    look: Run, cluster: FakeCluster
) -> None:
    more_of(cluster, "shop", "recommender-7d4b9-ccccc", 700)
    done = look("why", "deployment/recommender")
    assert done.code == 0
    assert "and 698 more" in done.out
    assert len(done.out.splitlines()) < 10


def test_a_pod_that_the_kubelet_failed_is_told(look: Run, cluster: FakeCluster) -> None:
    owner = cluster.find("replicasets", "shop", "recommender-7d4b9")
    message = "Allocate failed due to requested number of devices unavailable"
    failed = {"phase": "Failed", "reason": "UnexpectedAdmissionError", "message": message}
    live_pod(cluster, owner, "recommender-7d4b9-ddddd", "a100-mig-1", status=failed)
    out = look("why", "deployment/recommender").out
    assert "UnexpectedAdmissionError: recommender-7d4b9-ddddd" in out
    assert message in out


def test_pins_that_match_no_node_are_told_so(look: Run, cluster: FakeCluster) -> None:
    owner = cluster.find("replicasets", "shop", "recommender-7d4b9")
    message = "0/5 nodes are available: 5 node(s) didn't match Pod's node affinity/selector."
    live_pod(cluster, owner, "recommender-7d4b9-eeeee", None, status=waiting(message))
    assert "No node matches its node affinity" in look("why", "rs/recommender-7d4b9").out


# Nothing there.


def job_of(cluster: FakeCluster, **spec: Any) -> None:
    whole = {"template": template("inference")} | spec
    cluster.put("jobs", made("Job", "batch/v1", "new", "shop", spec=whole))


def test_without_pods_and_refusals_one_is_tried(look: Run, cluster: FakeCluster) -> None:
    job_of(cluster)
    done = look("why", "job/new")
    assert done.code == 0
    assert "it has no pods, and nothing refuses them" in done.out
    assert "If a pod were created now: it would be let in, with mig." in done.out


def test_what_would_be_refused_ends_with_1(look: Run, cluster: FakeCluster) -> None:
    job_of(cluster, template=template("dev", 3))
    done = look("why", "job/new")
    assert done.code == 1
    assert "its pods would be refused" in done.out
    assert "What to do: request 1" in done.out


NO_PODS = {
    "Job": ({"suspend": True}, "it is suspended"),
    "StatefulSet": ({"replicas": 0}, "its replicas are 0"),
    "Deployment": ({"paused": True}, "its rollout is paused"),
    "CronJob": ({"suspend": True}, "it has made no Job yet"),
}


@pytest.mark.parametrize("kind", NO_PODS)
def test_why_there_should_be_no_pods_is_told(look: Run, cluster: FakeCluster, kind: str) -> None:
    spec, said = NO_PODS[kind]
    inner = {"template": template("inference")}
    whole = {"jobTemplate": {"spec": inner}} if kind == "CronJob" else inner
    version = "batch/v1" if "Job" in kind else "apps/v1"
    cluster.put(f"{kind.lower()}s", made(kind, version, "new", "shop", spec=whole | spec))
    done = look("why", f"{kind}/new")
    assert done.code == 0
    assert said in done.out


def test_the_jobs_of_a_cron_job_count(look: Run, cluster: FakeCluster) -> None:
    spec = {"jobTemplate": {"spec": {"template": template("dev", 2)}}}
    cron = made("CronJob", "batch/v1", "nightly", "shop", spec=spec)
    job = made("Job", "batch/v1", "nightly-1", "shop", owner=cron, spec=spec["jobTemplate"]["spec"])
    cluster.put("cronjobs", cron)
    cluster.put("jobs", job)
    cluster.put("events", event(job, "FailedCreate", WEBHOOK + TWO_FOR_DEV, by="job-controller"))
    done = look("why", "cj/nightly")
    assert done.code == 1
    assert "(Job/nightly-1)" in done.out


def test_every_template_of_a_custom_resource_is_tried(look: Run, cluster: FakeCluster) -> None:
    cluster.groups.add("kubeflow.org")
    parts = {"Master": {"template": template(None)}, "Worker": {"template": template(None, 16)}}
    spec = {"pytorchReplicaSpecs": parts}
    cluster.put("pytorchjobs", made("PyTorchJob", "kubeflow.org/v1", "bert", "shop", spec=spec))
    done = look("why", "pytorchjob/bert", "-o", "json")
    assert done.code == 1
    trials = record(done)["now"]
    assert [each["decided"]["allowed"] for each in trials] == [True, False]
    assert "not_enough_gpus" in look("why", "pytorchjob/bert").out


def test_a_kind_that_nobody_knows_is_looked_for_by_its_pods(
    look: Run, cluster: FakeCluster
) -> None:
    owner = made("Widget", "example.com/v1", "w", "shop", spec={"template": template("dev")})
    live_pod(cluster, owner, "w-0", "t4-dev-1")
    done = look("why", "widget/w")
    assert (done.code, done.err) == (0, "")
    assert "1 Running" in done.out


def test_a_namespace_that_did_not_opt_in_says_so(look: Run, cluster: FakeCluster) -> None:
    done = look("why", "rs/old-1", "-n", "legacy")
    assert done.code == 0
    assert "kubectl label namespace legacy gpu-sharing.io/mode=audit" in done.out
    assert cluster.tried == []


# Who may, and what goes wrong.


def test_a_namespace_user_sees_all_of_it(look: Run, cluster: FakeCluster) -> None:
    cluster.allowed = edits("shop")
    done = look("why", "deployment/chat")
    assert (done.code, done.err) == (1, "")
    assert "refused in the same way" in done.out
    assert "You lack" not in done.out


def test_a_viewer_sees_all_but_the_trial(look: Run, cluster: FakeCluster) -> None:
    cluster.allowed = views("shop")
    done = look("why", "deployment/chat")
    assert done.code == 1
    assert "Refused 17 times" in done.out
    assert "create pods in namespace shop" in done.out
    rights = record(look("why", "deployment/chat", "-o", "json"))["missing"]
    assert {each["check"] for each in rights} == {
        "kubectl auth can-i create pods -n shop",
        "kubectl auth can-i list nodes",
    }


def test_a_custom_resource_that_may_not_be_read_is_judged_by_its_pods(
    look: Run, cluster: FakeCluster
) -> None:
    mine = edits("shop")
    cluster.allowed = lambda verb, what, where: what != "pytorchjobs" and mine(verb, what, where)
    cluster.groups.add("kubeflow.org")
    owner = made("PyTorchJob", "kubeflow.org/v1", "b", "shop", spec={"template": template("dev")})
    live_pod(cluster, owner, "b-0", "t4-dev-1")
    done = look("why", "pytorchjob/b")
    assert done.code == 0
    assert "1 Running" in done.out
    assert "get pytorchjobs.kubeflow.org in namespace shop" in done.out


def test_a_stranger_is_told_that_nothing_can_be_told(look: Run, cluster: FakeCluster) -> None:
    cluster.allowed = edits("team-blue")
    done = look("why", "deployment/chat")
    assert done.code == 2
    assert "not known, since you may not see enough" in done.out
    assert "list events in namespace shop" in done.out
    assert record(look("why", "deployment/chat", "-o", "json"))["state"] == "unknown"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["deployment/nope"], "there is no Deployment/nope in namespace shop"),
        (["pytorchjob/nope"], "there is no PyTorchJob/nope in namespace shop"),
        (["widget/nope"], "there is no widget/nope in namespace shop"),
        (["chat"], "write KIND/NAME"),
        (["deployment/"], "write KIND/NAME"),
        (["deployment/chat", "-n", "nowhere"], "there is no namespace/nowhere"),
    ],
)
def test_a_wrong_name_ends_with_2(look: Run, words: list[str], said: str) -> None:
    done = look("why", *words)
    assert (done.code, done.out) == (2, "")
    assert said in done.err


def test_a_workload_of_many_replica_sets_is_read_page_by_page(
    look: Run, cluster: FakeCluster
) -> None:
    for number in range(1100):
        workload(cluster, f"other-{number}", "shop", {"template": template(None, 0)})
    assert look("why", "deployment/chat").code == 1
    pages = [each for each in cluster.requests if each.resource.resource == "replicasets"]
    assert len(pages) == 3
