"""What people are told at once and afterwards: advice on workloads, events on what they look at."""

import json

import pytest

from tests.e2e.installation import Installed, scaled_to_zero
from tests.e2e.user import MODE, Json, User, pod, until

CONTROLLER = "gpu-sharing.io/webhook"


def template(workload: str, *, count: int = 1, **more: object) -> Json:
    made = pod("x", workload, count=count, **more)
    labels = {**made["metadata"]["labels"], "app": "x"}
    return {"metadata": {"labels": labels}, "spec": made["spec"]}


def workload(kind: str, name: str, made: Json) -> Json:
    group = {"Job": "batch/v1", "CronJob": "batch/v1"}.get(kind, "apps/v1")
    selector = {"matchLabels": {"app": "x"}}
    spec: Json = {"template": made, "selector": selector}
    match kind:
        case "Job":
            made["spec"]["restartPolicy"] = "Never"
            spec = {"template": made, "backoffLimit": 0}
        case "CronJob":
            made["spec"]["restartPolicy"] = "Never"
            spec = {"schedule": "0 0 1 1 *", "jobTemplate": {"spec": {"template": made}}}
        case "StatefulSet":
            spec["serviceName"] = name
    return {"apiVersion": group, "kind": kind, "metadata": {"name": name}, "spec": spec}


def applied(user: User, namespace: str, made: Json) -> str:
    """All that kubectl printed; the object must be let in."""
    data = json.dumps(made)
    done = user.cluster.kubectl("-n", namespace, "apply", "-f", "-", data=data)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def events(user: User, namespace: str, kind: str, name: str) -> list[Json]:
    """Our events on an object."""
    found = user.get("-n", namespace, "events.events.k8s.io")["items"]
    return [
        each
        for each in found
        if each["reportingController"] == CONTROLLER
        and (each["regarding"]["kind"], each["regarding"]["name"]) == (kind, name)
    ]


def test_what_both_webhooks_refuse_of_a_pod_is_told_at_once_and_once(user: User, team: str) -> None:
    made = pod("both", "dev", count=2)
    made["spec"]["hostPID"] = True
    let_in, printed = user.create(team, made)
    assert not let_in
    told = "[several_gpus_not_allowed]", "[host_pid]"
    assert [printed.count(each) for each in told] == [1, 1], printed
    audited = user.namespace("audited-by-both", {MODE: "audit"})
    made["metadata"]["labels"]["gpu-sharing.io/workload"] = "Training"
    let_in, printed = user.create(audited, made)
    assert let_in
    assert printed.count("audit: would be refused (invalid_workload)") == 1, printed


def test_applying_a_workload_tells_at_once_what_becomes_of_its_pods(user: User, team: str) -> None:
    for kind in ("Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob"):
        refused = applied(user, team, workload(kind, "two", template("dev", count=2)))
        assert "Warning: " in refused
        assert "would be refused" in refused
        assert "[several_gpus_not_allowed]" in refused
        changed = applied(user, team, workload(kind, "one", template("inference")))
        assert "nvidia.com/mig-1g.5gb" in changed
        assert "gpu-sharing reasons" in changed
        kept = user.get("-n", team, kind.lower(), "one")["spec"]
        assert '"nvidia.com/gpu": "1"' in json.dumps(kept)  # a template is never changed


def test_what_touches_no_gpu_gets_no_advice(installed: Installed, user: User, team: str) -> None:
    before = installed.calls("advise.gpu-sharing.io")
    plain = workload("Deployment", "web", template("inference", gpu=None))
    assert "Warning" not in applied(user, team, plain)
    assert installed.calls("advise.gpu-sharing.io") == before


@pytest.mark.usefixtures("pods_only")
def test_without_a_replica_everything_is_applied_only_without_advice(
    installed: Installed, user: User, team: str
) -> None:
    with scaled_to_zero(installed):
        printed = applied(user, team, workload("Deployment", "two", template("dev", count=2)))
    assert "Warning" not in printed


def test_an_audited_namespace_is_told_what_would_be(user: User) -> None:
    name = user.namespace("advised", {MODE: "audit"})
    printed = applied(user, name, workload("Deployment", "two", template("dev", count=2)))
    assert "audit" in printed
    assert "would be refused" in printed


def test_a_custom_resource_gets_advice_too(user: User, team: str) -> None:
    anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v1", "served": True, "storage": True}
    user.cluster.apply(
        {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": "pytorchjobs.kubeflow.org"},
            "spec": {
                "group": "kubeflow.org",
                "scope": "Namespaced",
                "names": {"plural": "pytorchjobs", "kind": "PyTorchJob"},
                "versions": [{**version, "schema": {"openAPIV3Schema": anything}}],
            },
        }
    )
    crd = "crd/pytorchjobs.kubeflow.org"
    user.kubectl("wait", "--for=condition=Established", crd, "--timeout=60s")
    shared = pod("x", gpu="nvidia.com/gpu.shared")["spec"]
    worker = {"replicas": 2, "template": {"spec": shared}}
    job = {
        "apiVersion": "kubeflow.org/v1",
        "kind": "PyTorchJob",
        "metadata": {"name": "train"},
        "spec": {"pytorchReplicaSpecs": {"Worker": worker}},
    }
    printed = applied(user, team, job)
    assert "[training_never_shares]" in printed
    assert "spec.pytorchReplicaSpecs.Worker" in printed


def test_a_refusal_is_an_event_on_the_deployment_and_repeats_are_one(user: User, team: str) -> None:
    applied(user, team, workload("Deployment", "two", template("dev", count=2)))

    def repeated() -> Json | None:
        found = events(user, team, "Deployment", "two")
        counts = [each for each in found if (each.get("series") or {}).get("count", 0) > 1]
        return counts[0] if counts else None

    event = until("the refusal is told again", repeated)
    assert len(events(user, team, "Deployment", "two")) == 1  # of both replicas
    assert (event["type"], event["reason"]) == ("Warning", "several_gpus_not_allowed")
    assert "2 requested" in event["note"]
    uid = user.get("-n", team, "deployment", "two")["metadata"]["uid"]
    assert event["regarding"]["uid"] == uid
    described = user.kubectl("-n", team, "describe", "deployment", "two")
    assert "several_gpus_not_allowed" in described


def test_the_first_rewrite_is_an_event_and_later_ones_are_not(user: User, team: str) -> None:
    made = workload("Deployment", "four", template("inference"))
    made["spec"]["replicas"] = 4
    applied(user, team, made)
    user.running(team, "app=x")
    event = until("an event", lambda: events(user, team, "Deployment", "four"))[0]
    assert (event["type"], event["reason"]) == ("Normal", "mig_slice")
    assert "nvidia.com/mig-1g.5gb" in event["note"]
    assert "series" not in event
    assert len(events(user, team, "Deployment", "four")) == 1


def test_a_dry_run_leaves_no_event(user: User, team: str) -> None:
    assert not user.create(team, pod("dry", "dev", count=2), "--dry-run=server")[0]
    assert not user.create(team, pod("wet", "dev", count=2))[0]
    until("the event of the other", lambda: events(user, team, "Pod", "wet"))
    assert events(user, team, "Pod", "dry") == []


def test_a_job_is_told_not_the_cron_job(user: User, team: str) -> None:
    applied(user, team, workload("Job", "batch", template("dev", count=2)))
    event = until("an event", lambda: events(user, team, "Job", "batch"))[0]
    assert event["action"] == "Refused"
