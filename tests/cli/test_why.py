"""`gpu-sharing why`: refusals from where nobody looks, pods that wait, and what would come."""

import json

import pytest
import yaml
from command_line import Run, record
from fake_cluster import FakeCluster
from small_cluster import TWO_FOR_DEV, WEBHOOK, event, live_pod, made, our_event, template

KEYS = {
    *("namespace", "kind", "name", "mode", "state", "wanted", "pods", "refusals", "waiting"),
    *("now", "notes", "missing"),
}
BACKSTOP = (
    "Error creating: pods \"{}\" is forbidden: ValidatingAdmissionPolicy 'gpu-sharing-backstop' "
    "with binding 'gpu-sharing-backstop' denied request: a privileged container reaches every GPU "
    "of its node; remove privileged [privileged]"
)


def without_events(cluster: FakeCluster) -> None:
    cluster.drop("events")


# Refusals.


@pytest.mark.parametrize(
    "words", [["deployment/chat"], ["deploy", "chat"], ["deployments.apps/chat"]]
)
def test_a_refusal_is_found_with_what_to_do(look: Run, words: list[str]) -> None:
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


def test_events_of_controllers_and_of_the_webhook_are_one(look: Run) -> None:
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


def test_every_violation_is_a_line(look: Run, cluster: FakeCluster) -> None:
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


def test_a_condition_suffices_when_events_are_gone(look: Run, cluster: FakeCluster) -> None:
    without_events(cluster)
    done = look("why", "deployment/chat")
    assert done.code == 1
    assert "Refused by the webhook (Deployment/chat):" in done.out


def test_the_backstop_is_told_from_the_webhook_and_counts_once(
    look: Run, cluster: FakeCluster
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


def test_a_webhook_that_is_down_is_named(look: Run, cluster: FakeCluster) -> None:
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


def test_what_keeps_a_pod_out_besides_is_no_let_in(look: Run, cluster: FakeCluster) -> None:
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


def test_another_refuser_is_not_called_ours(look: Run, cluster: FakeCluster) -> None:
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
    look: Run, cluster: FakeCluster, reason: str
) -> None:
    cluster.groups.add("ray.io")
    ray = made("RayCluster", "ray.io/v1", "ray", "shop", spec={"template": template("dev", 2)})
    cluster.put("rayclusters", ray)
    cluster.put("events", event(ray, reason, f"could not: {WEBHOOK}{TWO_FOR_DEV}"))
    done = look("why", "raycluster/ray", "-o", "json")
    assert (done.code, record(done)["refusals"][0]["by"]) == (1, "webhook")


def test_a_newer_success_ends_an_older_refusal(look: Run, cluster: FakeCluster) -> None:
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
    look: Run, cluster: FakeCluster
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


def test_events_of_a_namesake_from_before_do_not_count(look: Run, cluster: FakeCluster) -> None:
    job = made("Job", "batch/v1", "again", "shop", spec={"template": template("inference")})
    old = json.loads(json.dumps(job))
    old["metadata"]["uid"] = "another"
    cluster.put("events", event(old, "FailedCreate", WEBHOOK + TWO_FOR_DEV))
    cluster.put("jobs", job)
    assert record(look("why", "job/again", "-o", "json"))["refusals"] == []


def test_a_refused_bare_pod_is_found_by_its_event(look: Run, cluster: FakeCluster) -> None:
    pod = made("Pod", "v1", "alone", "shop")
    pod["metadata"]["uid"] = ""
    cluster.put("events", our_event(pod, "several_gpus_not_allowed", TWO_FOR_DEV))
    done = look("why", "pod/alone")
    assert done.code == 1
    assert "Pod alone in namespace shop (mode enforce): it is refused." in done.out
    assert "there is no pod/alone now; its events are there" in done.out
