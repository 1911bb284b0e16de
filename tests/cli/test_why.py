"""`gpu-sharing why`: refusals from where nobody looks, pods that wait, and what would come."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from command_line import Done, Json
from fake_cluster import FakeCluster, edits, views
from small_cluster import (
    TWO_FOR_DEV,
    WEBHOOK,
    event,
    live_pod,
    made,
    more_of,
    our_event,
    template,
    waiting,
    workload,
)

Look = Callable[..., Done]
KEYS = {
    *("namespace", "kind", "name", "mode", "state", "wanted", "pods", "refusals", "waiting"),
    *("now", "notes", "missing"),
}
BACKSTOP = (
    "Error creating: pods \"{}\" is forbidden: ValidatingAdmissionPolicy 'gpu-sharing-backstop' "
    "with binding 'gpu-sharing-backstop' denied request: a privileged container reaches every GPU "
    "of its node; remove privileged [privileged]"
)


def record(done: Done) -> Json:
    found: Json = json.loads(done.out)
    return found


def without_events(cluster: FakeCluster) -> None:
    cluster.drop("events")


# Refusals.


@pytest.mark.parametrize(
    "words", [["deployment/chat"], ["deploy", "chat"], ["deployments.apps/chat"]]
)
def test_a_refusal_is_found_with_what_to_do(look: Look, words: list[str]) -> None:
    done = look("why", *words)
    assert (done.code, done.err) == (1, "")
    lines = done.out.splitlines()
    assert lines[0] == "Deployment chat in namespace shop (mode enforce): its pods are refused."
    assert "Pods wanted: 2. Pods there: none." in done.out
    assert "Refused 17 times by the webhook, first 10m ago, last 1m" in done.out
    assert "several_gpus_not_allowed: The workload may not request more than one GPU." in done.out
    assert 'container "main": nvidia.com/gpu: 2 requested' in done.out
    assert "What to do: request 1; an administrator can allow whole GPUs." in done.out
    assert "More: kubectl gpu-sharing reasons several_gpus_not_allowed\n" in done.out
    assert "If a pod were created now: refused in the same way." in done.out


def test_events_of_controllers_and_of_the_webhook_are_one(look: Look) -> None:
    done = look("why", "deployment/chat", "-o", "json")
    found = record(done)
    assert (done.code, found.keys()) == (1, KEYS)
    assert (found["state"], found["wanted"]) == ("refused", 2)
    [refusal] = found["refusals"]
    assert (refusal["by"], refusal["now"], refusal["count"]) == ("webhook", True, 17)
    [wrong] = refusal["wrong"]
    assert wrong["reason"] == "several_gpus_not_allowed"
    assert wrong["toDo"].startswith("request 1")
    assert wrong["message"].startswith('container "main"')
    assert found["now"][0]["decided"]["allowed"] is False
    assert yaml.safe_load(look("why", "deployment/chat", "-o", "yaml").out)["state"] == "refused"


def test_every_violation_is_a_line(look: Look, cluster: FakeCluster) -> None:
    without_events(cluster)
    both = f'{TWO_FOR_DEV}; container "main": it is privileged; remove it [privileged]'
    job = made("Job", "batch/v1", "two", "shop", spec={"template": template("dev", 2)})
    cluster.put("jobs", job)
    text = f"{WEBHOOK}{both} - see https://docs.example/reasons#several_gpus_not_allowed"
    cluster.put("events", event(job, "FailedCreate", text, by="job-controller", count=3))
    codes = ("several_gpus_not_allowed", "privileged")
    texts = (TWO_FOR_DEV, "it is privileged; remove it")
    violations = [
        {"reason": code, "container": "main", "message": text.partition('": ')[2] or text}
        for code, text in zip(codes, texts, strict=True)
    ]
    decision = {"violations": violations}
    told = our_event(job, "several_gpus_not_allowed", both, count=4, decision=decision)
    cluster.put("events", told)
    [refusal] = record(look("why", "job/two", "-o", "json"))["refusals"]
    assert [each["reason"] for each in refusal["wrong"]] == [
        "several_gpus_not_allowed",
        "privileged",
    ]
    assert refusal["count"] == 4
    out = look("why", "job/two").out
    assert 'container "main": it is privileged; remove it\n' in out
    assert "kubectl gpu-sharing reasons privileged\n" in out


def test_a_condition_suffices_when_events_are_gone(look: Look, cluster: FakeCluster) -> None:
    without_events(cluster)
    done = look("why", "deployment/chat")
    assert done.code == 1
    assert "Refused by the webhook (Deployment/chat):" in done.out


def test_the_backstop_is_told_from_the_webhook_and_counts_once(
    look: Look, cluster: FakeCluster
) -> None:
    without_events(cluster)
    owner = made("DaemonSet", "apps/v1", "agent", "shop", spec={"template": template(None)})
    owner["status"] = {"desiredNumberScheduled": 2}
    cluster.put("daemonsets", owner)
    for name in ("agent-aaaaa", "agent-bbbbb"):
        told = event(owner, "FailedCreate", BACKSTOP.format(name))
        told["metadata"]["name"] = name
        cluster.put("events", told)
    done = look("why", "ds/agent", "-o", "json")
    assert done.code == 1
    [refusal] = record(done)["refusals"]
    assert refusal["by"] == "backstop"


def test_a_webhook_that_is_down_is_named(look: Look, cluster: FakeCluster) -> None:
    without_events(cluster)
    text = (
        'Error creating: Internal error occurred: failed calling webhook "mutate.gpu-sharing.io": '
        'failed to call webhook: Post "https://…": no endpoints available for service "gpu-sharing"'
    )
    job = made("Job", "batch/v1", "late", "shop", spec={"template": template("inference")})
    cluster.put("jobs", job)
    cluster.put("events", event(job, "FailedCreate", text, by="job-controller"))
    done = look("why", "job/late")
    assert done.code == 1
    assert "since the webhook does not answer" in done.out
    assert "What to do: kubectl gpu-sharing status says" in done.out


def test_what_keeps_a_pod_out_besides_is_no_let_in(look: Look, cluster: FakeCluster) -> None:
    job = made("Job", "batch/v1", "late", "shop", spec={"template": template("inference")})
    cluster.put("jobs", job)
    cluster.refuse = 'pods "x" is forbidden: exceeded quota: small, requested: pods=1'
    for name, head in (("a", ""), ("b", ""), ("c", "(combined from similar events): ")):
        text = f"{head}Error creating: {cluster.refuse.replace('x', name, 1)}"
        told = event(job, "FailedCreate", text, by="job-controller")
        told["metadata"]["name"] = name
        cluster.put("events", told)
    done = look("why", "job/late")
    assert done.code == 1
    assert done.out.count("exceeded quota") == 1
    assert "What to do: raise the quota" in done.out
    assert "If a pod were created now: refused by something else than GPU sharing." in done.out
    assert "Without that it would be let in, with mig." in done.out


def test_another_refuser_is_not_called_ours(look: Look, cluster: FakeCluster) -> None:
    job = made("Job", "batch/v1", "late", "shop", spec={"template": template("inference")})
    cluster.put("jobs", job)
    text = 'Error creating: pods "late-x2x4k" is forbidden: exceeded quota: small'
    cluster.put("events", event(job, "FailedCreate", text, by="job-controller"))
    done = look("why", "job/late")
    assert done.code == 1
    assert "Refused by something else than GPU sharing" in done.out
    assert "it would be let in, with mig" in done.out


@pytest.mark.parametrize("reason", ["FailedCreatePod", "FailedToCreateWorkerPod", "Anything"])
def test_every_controller_has_its_own_word_for_it(
    look: Look, cluster: FakeCluster, reason: str
) -> None:
    cluster.groups.add("ray.io")
    ray = made("RayCluster", "ray.io/v1", "ray", "shop", spec={"template": template("dev", 2)})
    cluster.put("rayclusters", ray)
    cluster.put("events", event(ray, reason, f"could not: {WEBHOOK}{TWO_FOR_DEV}"))
    done = look("why", "raycluster/ray", "-o", "json")
    assert (done.code, record(done)["refusals"][0]["by"]) == (1, "webhook")


def test_a_newer_success_ends_an_older_refusal(look: Look, cluster: FakeCluster) -> None:
    for kind, name in (("replicasets", "chat-7d4b9"), ("deployments", "chat")):
        spec = cluster.find(kind, "shop", name)["spec"]
        spec["replicas"] = 1
        spec["template"]["spec"]["containers"][0]["resources"] = {"limits": {"nvidia.com/gpu": 1}}
    cluster.find("deployments", "shop", "chat")["status"] = {}
    owner = cluster.find("replicasets", "shop", "chat-7d4b9")
    live_pod(cluster, owner, "chat-7d4b9-aaaaa", "t4-dev-1", age=10)
    done = look("why", "deployment/chat")
    assert done.code == 0
    assert "nothing keeps its pods from running" in done.out
    assert "Was refused 17 times" in done.out
    assert "That is over" in done.out
    found = record(look("why", "deployment/chat", "-o", "json"))
    assert (found["state"], found["refusals"][0]["now"]) == ("runs", False)


def test_an_older_replica_set_does_not_speak_for_the_new_one(
    look: Look, cluster: FakeCluster
) -> None:
    cluster.find("deployments", "shop", "chat")["status"] = {}
    deployment = cluster.find("deployments", "shop", "chat")
    deployment["spec"]["replicas"] = 1
    deployment["spec"]["template"] = template("dev")
    newer = made(
        "ReplicaSet", "apps/v1", "chat-new", "shop", owner=deployment, age=5,
        spec={"replicas": 1, "template": template("dev")},
        annotations={"deployment.kubernetes.io/revision": "2"},
    )  # fmt: skip
    cluster.put("replicasets", newer)
    live_pod(cluster, newer, "chat-new-aaaaa", "t4-dev-1", age=3)
    assert look("why", "deployment/chat").code == 0


def test_events_of_a_namesake_from_before_do_not_count(look: Look, cluster: FakeCluster) -> None:
    job = made("Job", "batch/v1", "again", "shop", spec={"template": template("inference")})
    old = json.loads(json.dumps(job))
    old["metadata"]["uid"] = "another"
    cluster.put("events", event(old, "FailedCreate", WEBHOOK + TWO_FOR_DEV))
    cluster.put("jobs", job)
    assert record(look("why", "job/again", "-o", "json"))["refusals"] == []


def test_a_refused_bare_pod_is_found_by_its_event(look: Look, cluster: FakeCluster) -> None:
    pod = made("Pod", "v1", "alone", "shop")
    pod["metadata"]["uid"] = ""
    cluster.put("events", our_event(pod, "several_gpus_not_allowed", TWO_FOR_DEV))
    done = look("why", "pod/alone")
    assert done.code == 1
    assert "Pod alone in namespace shop (mode enforce): it is refused." in done.out
    assert "there is no pod/alone now; its events are there" in done.out


# Pods that are there.


def test_a_pod_that_waits_for_a_slice_is_explained(look: Look) -> None:
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


def test_one_pod_can_be_asked_for(look: Look) -> None:
    done = look("why", "pod/recommender-7d4b9-ccccc")
    assert done.code == 0
    assert "it does not run yet" in done.out
    assert "Pods wanted" not in done.out


def test_many_pods_that_wait_for_the_same_are_told_together(
    look: Look, cluster: FakeCluster
) -> None:
    more_of(cluster, "shop", "recommender-7d4b9-ccccc", 700)
    done = look("why", "deployment/recommender")
    assert done.code == 0
    assert "and 698 more" in done.out
    assert len(done.out.splitlines()) < 10


def test_a_pod_that_the_kubelet_failed_is_told(look: Look, cluster: FakeCluster) -> None:
    owner = cluster.find("replicasets", "shop", "recommender-7d4b9")
    message = "Allocate failed due to requested number of devices unavailable"
    failed = {"phase": "Failed", "reason": "UnexpectedAdmissionError", "message": message}
    live_pod(cluster, owner, "recommender-7d4b9-ddddd", "a100-mig-1", status=failed)
    out = look("why", "deployment/recommender").out
    assert "UnexpectedAdmissionError: recommender-7d4b9-ddddd" in out
    assert message in out


def test_pins_that_match_no_node_are_told_so(look: Look, cluster: FakeCluster) -> None:
    owner = cluster.find("replicasets", "shop", "recommender-7d4b9")
    message = "0/5 nodes are available: 5 node(s) didn't match Pod's node affinity/selector."
    live_pod(cluster, owner, "recommender-7d4b9-eeeee", None, status=waiting(message))
    assert "No node matches its node affinity" in look("why", "rs/recommender-7d4b9").out


# Nothing there.


def job_of(cluster: FakeCluster, **spec: Any) -> None:
    whole = {"template": template("inference")} | spec
    cluster.put("jobs", made("Job", "batch/v1", "new", "shop", spec=whole))


def test_without_pods_and_refusals_one_is_tried(look: Look, cluster: FakeCluster) -> None:
    job_of(cluster)
    done = look("why", "job/new")
    assert done.code == 0
    assert "it has no pods, and nothing refuses them" in done.out
    assert "If a pod were created now: it would be let in, with mig." in done.out


def test_what_would_be_refused_ends_with_1(look: Look, cluster: FakeCluster) -> None:
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
def test_why_there_should_be_no_pods_is_told(look: Look, cluster: FakeCluster, kind: str) -> None:
    spec, said = NO_PODS[kind]
    inner = {"template": template("inference")}
    whole = {"jobTemplate": {"spec": inner}} if kind == "CronJob" else inner
    version = "batch/v1" if "Job" in kind else "apps/v1"
    cluster.put(f"{kind.lower()}s", made(kind, version, "new", "shop", spec=whole | spec))
    done = look("why", f"{kind}/new")
    assert done.code == 0
    assert said in done.out


def test_the_jobs_of_a_cron_job_count(look: Look, cluster: FakeCluster) -> None:
    spec = {"jobTemplate": {"spec": {"template": template("dev", 2)}}}
    cron = made("CronJob", "batch/v1", "nightly", "shop", spec=spec)
    job = made("Job", "batch/v1", "nightly-1", "shop", owner=cron, spec=spec["jobTemplate"]["spec"])
    cluster.put("cronjobs", cron)
    cluster.put("jobs", job)
    cluster.put("events", event(job, "FailedCreate", WEBHOOK + TWO_FOR_DEV, by="job-controller"))
    done = look("why", "cj/nightly")
    assert done.code == 1
    assert "(Job/nightly-1)" in done.out


def test_every_template_of_a_custom_resource_is_tried(look: Look, cluster: FakeCluster) -> None:
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
    look: Look, cluster: FakeCluster
) -> None:
    owner = made("Widget", "example.com/v1", "w", "shop", spec={"template": template("dev")})
    live_pod(cluster, owner, "w-0", "t4-dev-1")
    done = look("why", "widget/w")
    assert (done.code, done.err) == (0, "")
    assert "1 Running" in done.out


def test_a_namespace_that_did_not_opt_in_says_so(look: Look, cluster: FakeCluster) -> None:
    done = look("why", "rs/old-1", "-n", "legacy")
    assert done.code == 0
    assert "kubectl label namespace legacy gpu-sharing.io/mode=audit" in done.out
    assert cluster.tried == []


# Who may, and what goes wrong.


def test_a_namespace_user_sees_all_of_it(look: Look, cluster: FakeCluster) -> None:
    cluster.allowed = edits("shop")
    done = look("why", "deployment/chat")
    assert (done.code, done.err) == (1, "")
    assert "refused in the same way" in done.out
    assert "You lack" not in done.out


def test_a_viewer_sees_all_but_the_trial(look: Look, cluster: FakeCluster) -> None:
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
    look: Look, cluster: FakeCluster
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


def test_a_stranger_is_told_that_nothing_can_be_told(look: Look, cluster: FakeCluster) -> None:
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
def test_a_wrong_name_ends_with_2(look: Look, words: list[str], said: str) -> None:
    done = look("why", *words)
    assert (done.code, done.out) == (2, "")
    assert said in done.err


def test_a_workload_of_many_replica_sets_is_read_page_by_page(
    look: Look, cluster: FakeCluster
) -> None:
    for number in range(1100):
        workload(cluster, f"other-{number}", "shop", {"template": template(None, 0)})
    assert look("why", "deployment/chat").code == 1
    pages = [each for each in cluster.requests if each.resource.resource == "replicasets"]
    assert len(pages) == 3
