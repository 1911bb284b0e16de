"""Pods and workloads grouped under what a person applied, and how many pods each is to have."""

from typing import Any

import pytest

from webhook.cli.forecast import groups
from webhook.core.integrations.field_path import dotted

Json = dict[str, Any]


def made(kind: str, name: str, *, owner: Json | None = None, **more: Any) -> Json:
    metadata: Json = {"name": name, "namespace": "team", "uid": f"uid-{kind}-{name}"}
    metadata["labels"] = more.pop("labels", {})
    if owner:
        metadata["ownerReferences"] = [{"controller": True, **owner}]
    group = {"Pod": "v1", "Job": "batch/v1", "CronJob": "batch/v1"}.get(kind, "apps/v1")
    return {"apiVersion": group, "kind": kind, "metadata": metadata, **more}


def of(subject: Json) -> Json:
    data = subject["metadata"]
    return {"kind": subject["kind"], "name": data["name"], "uid": data["uid"],
            "apiVersion": subject["apiVersion"]}  # fmt: skip


def names(groups: tuple[groups.PodGroup, ...]) -> dict[str, list[str]]:
    return {
        f"{g.root['kind']}/{g.root['metadata']['name']}": [p["metadata"]["name"] for p in g.pods]
        for g in groups
    }


def replica_set_pod(deployment: str, number: int, version: str = "apps/v1") -> Json:
    owner = {"kind": "ReplicaSet", "name": f"{deployment}-5d9f", "uid": "rs", "apiVersion": version}
    labels = {"pod-template-hash": "5d9f"}
    return made("Pod", f"{deployment}-5d9f-{number}", owner=owner, labels=labels)


def test_pods_of_a_replica_set_are_their_deployments_without_reading_the_replica_set() -> None:
    web = made("Deployment", "web", spec={"replicas": 2})
    found = groups.group([web], [replica_set_pod("web", 1), replica_set_pod("web", 2)])
    assert names(found) == {"Deployment/web": ["web-5d9f-1", "web-5d9f-2"]}
    assert found[0].read


def test_a_deployment_that_may_not_be_seen_is_still_the_group_of_its_pods() -> None:
    (group,) = groups.group([], [replica_set_pod("web", 1), replica_set_pod("web", 2)])
    assert names((group,)) == {"Deployment/web": ["web-5d9f-1", "web-5d9f-2"]}
    assert not group.read


def test_a_cron_jobs_job_and_its_pod_are_the_cron_jobs() -> None:
    cron = made("CronJob", "nightly")
    job = made("Job", "nightly-1", owner=of(cron))
    pod = made("Pod", "nightly-1-x", owner=of(job))
    assert names(groups.group([job, cron], [pod])) == {"CronJob/nightly": ["nightly-1-x"]}


def test_a_pod_of_a_custom_resource_is_its_owners_and_a_bare_one_its_own() -> None:
    owner = {"kind": "PyTorchJob", "name": "train", "uid": "u", "apiVersion": "kubeflow.org/v1"}
    found = groups.group([], [made("Pod", "train-0", owner=owner), made("Pod", "bare")])
    assert names(found) == {"PyTorchJob/train": ["train-0"], "Pod/bare": ["bare"]}


def test_finished_pods_do_not_count() -> None:
    over = made("Pod", "done", status={"phase": "Succeeded"})
    assert groups.group([], [over]) == ()


def test_owners_in_a_circle_end() -> None:
    one, two = made("Job", "one"), made("Job", "two")
    one["metadata"]["ownerReferences"] = [{"controller": True, **of(two)}]
    two["metadata"]["ownerReferences"] = [{"controller": True, **of(one)}]
    assert len(groups.group([one, two], [])) in (1, 2)


@pytest.mark.parametrize(
    ("root", "path", "number"),
    [
        (made("Pod", "p"), "", 1),
        (made("Deployment", "d", spec={"replicas": 3}), "spec.template", 3),
        (made("Deployment", "d", spec={}), "spec.template", 1),
        (made("Deployment", "d", spec={"replicas": 0}), "spec.template", 0),
        (made("Job", "j", spec={"parallelism": 4}), "spec.template", 4),
        (made("Job", "j", spec={"parallelism": 4, "suspend": True}), "spec.template", 0),
        (
            made(
                "Job", "j", spec={}, status={"conditions": [{"type": "Complete", "status": "True"}]}
            ),
            "spec.template",
            0,
        ),
        (made("CronJob", "c", spec={}), "spec.jobTemplate.spec.template", 0),
        (made("DaemonSet", "s", status={"desiredNumberScheduled": 7}), "spec.template", 7),
        (
            {
                "kind": "PyTorchJob",
                "spec": {"pytorchReplicaSpecs": {"Worker": {"replicas": 3, "template": {}}}},
            },
            "spec.pytorchReplicaSpecs.Worker.template",
            3,
        ),
        (
            {"kind": "RayCluster", "spec": {"workerGroupSpecs": [{}, {"replicas": 5}]}},
            "spec.workerGroupSpecs[1].template",
            5,
        ),
        (
            {
                "kind": "JobSet",
                "spec": {
                    "replicatedJobs": [{"replicas": 2, "template": {"spec": {"parallelism": 4}}}]
                },
            },
            "spec.replicatedJobs[0].template.spec.template",
            8,
        ),
        (
            {
                "kind": "LeaderWorkerSet",
                "spec": {"replicas": 2, "leaderWorkerTemplate": {"size": 4}},
            },
            "spec.leaderWorkerTemplate.workerTemplate",
            6,
        ),
        ({"kind": "Odd", "spec": {"replicas": "many", "x": 3}}, "spec.x.y.template", 1),
    ],
)
def test_how_many_pods_a_template_is_to_have(root: Json, path: str, number: int) -> None:
    steps = path.replace("[", ".").replace("]", "").split(".")
    place = tuple(int(step) if step.isdigit() else step for step in steps)
    assert dotted(place) == path
    assert groups.wanted(root, place) == number
