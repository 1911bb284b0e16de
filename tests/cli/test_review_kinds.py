"""The kinds of `gpu-sharing review`: where their pods stand, and what is told besides."""

import json
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from command_line import INVENTORY, Json, Run
from reviewing import made, pod_of, reviewed, spec

from webhook.core.api.reason import COMMAND

TEMPLATE = {"metadata": {"labels": {}}, "spec": spec()}
RAY_CLUSTER = {
    "headGroupSpec": {"template": {"spec": {"containers": [{"name": "head"}]}}},
    "workerGroupSpecs": [{"groupName": "gpu", "template": TEMPLATE}],
}
HEAD_AND_WORKER = {"headGroupSpec.template": 0, "workerGroupSpecs[0].template": 1}
KSERVE = "serving.kserve.io/v1beta1"
GPU = {"limits": {"nvidia.com/gpu": "1"}}

# kind -> the object, its workload, and for each template the number of its GPU containers.
KINDS: dict[str, tuple[Json, str, dict[str, int]]] = {
    "PodTemplate": (
        {"apiVersion": "v1", "kind": "PodTemplate", "template": TEMPLATE},
        "unclassified",
        {"template": 1},
    ),
    "Deployment": (
        made("Deployment", "apps/v1", {"template": TEMPLATE}),
        "unclassified",
        {"spec.template": 1},
    ),
    "StatefulSet": (
        made("StatefulSet", "apps/v1", {"template": TEMPLATE, "volumeClaimTemplates": []}),
        "unclassified",
        {"spec.template": 1},
    ),
    "DaemonSet": (
        made("DaemonSet", "apps/v1", {"template": TEMPLATE}),
        "unclassified",
        {"spec.template": 1},
    ),
    "Job": (made("Job", "batch/v1", {"template": TEMPLATE}), "unclassified", {"spec.template": 1}),
    "CronJob": (
        made("CronJob", "batch/v1", {"jobTemplate": {"spec": {"template": TEMPLATE}}}),
        "unclassified",
        {"spec.jobTemplate.spec.template": 1},
    ),
    "PyTorchJob": (
        made(
            "PyTorchJob",
            "kubeflow.org/v1",
            {
                "pytorchReplicaSpecs": {
                    "Master": {"template": TEMPLATE},
                    "Worker": {"template": TEMPLATE},
                }
            },
        ),
        "training",
        {
            "spec.pytorchReplicaSpecs.Master.template": 1,
            "spec.pytorchReplicaSpecs.Worker.template": 1,
        },
    ),
    "MPIJob": (
        made(
            "MPIJob",
            "kubeflow.org/v2beta1",
            {
                "mpiReplicaSpecs": {
                    "Launcher": {"template": {"spec": {"containers": [{"name": "mpirun"}]}}},
                    "Worker": {"template": TEMPLATE},
                }
            },
        ),
        "training",
        {"spec.mpiReplicaSpecs.Launcher.template": 0, "spec.mpiReplicaSpecs.Worker.template": 1},
    ),
    "RayCluster": (
        made("RayCluster", "ray.io/v1", RAY_CLUSTER),
        "unclassified",
        {f"spec.{path}": count for path, count in HEAD_AND_WORKER.items()},
    ),
    "RayJob": (
        made("RayJob", "ray.io/v1", {"rayClusterSpec": RAY_CLUSTER}),
        "unclassified",
        {f"spec.rayClusterSpec.{path}": count for path, count in HEAD_AND_WORKER.items()},
    ),
    "RayService": (
        made("RayService", "ray.io/v1", {"rayClusterConfig": RAY_CLUSTER}),
        "inference",
        {f"spec.rayClusterConfig.{path}": count for path, count in HEAD_AND_WORKER.items()},
    ),
    "JobSet": (
        made(
            "JobSet",
            "jobset.x-k8s.io/v1alpha2",
            {"replicatedJobs": [{"name": "w", "template": {"spec": {"template": TEMPLATE}}}]},
        ),
        "training",
        {"spec.replicatedJobs[0].template.spec.template": 1},
    ),
    "LeaderWorkerSet": (
        made(
            "LeaderWorkerSet",
            "leaderworkerset.x-k8s.io/v1",
            {"leaderWorkerTemplate": {"leaderTemplate": TEMPLATE, "workerTemplate": TEMPLATE}},
        ),
        "inference",
        {
            "spec.leaderWorkerTemplate.leaderTemplate": 1,
            "spec.leaderWorkerTemplate.workerTemplate": 1,
        },
    ),
    "Notebook": (
        made("Notebook", "kubeflow.org/v1", {"template": {"spec": spec()}}),
        "dev",
        {"spec.template": 1},
    ),
    "NIMService": (
        made("NIMService", "apps.nvidia.com/v1alpha1", {"image": {"tag": "1"}, "resources": GPU}),
        "inference",
        {"spec": 1},
    ),
    "InferenceService-model": (
        made(
            "InferenceService",
            KSERVE,
            {"predictor": {"model": {"modelFormat": {"name": "huggingface"}, "resources": GPU}}},
        ),
        "inference",
        {"spec.predictor.model": 1},
    ),
    "InferenceService-framework": (
        made("InferenceService", KSERVE, {"predictor": {"triton": {"resources": GPU}}}),
        "inference",
        {"spec.predictor.triton": 1},
    ),
    "InferenceService-containers": (
        made("InferenceService", KSERVE, {"predictor": spec(), "transformer": spec()}),
        "inference",
        {"spec.predictor": 1, "spec.transformer": 1},
    ),
    "LLMInferenceService": (
        made(
            "LLMInferenceService",
            "serving.kserve.io/v1alpha1",
            {"template": spec(), "prefill": {"template": spec()}},
        ),
        "inference",
        {"spec.template": 1, "spec.prefill.template": 1},
    ),
}


@pytest.mark.parametrize("name", KINDS)
def test_the_pods_of_a_kind_are_found_and_classified(
    run: Run, file: Callable[..., Path], name: str
) -> None:
    subject, workload, templates = KINDS[name]
    done, records = reviewed(run, file(json.loads(json.dumps(subject))))
    assert (done.code, done.err) == (0, "")
    assert {each["template"]: len(each["containers"]) for each in records} == templates
    assert {each["workload"] for each in records} == {workload}
    assert {each["kind"] for each in records} == {name.partition("-")[0]}
    for each in records:
        asked = templates[each["template"]]
        assert (each["strategy"] is not None) is bool(asked)


def test_a_policy_says_where_the_pods_of_an_unknown_kind_stand(
    run: Run, file: Callable[..., Path], tmp_path: Path
) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text(
        "apiVersion: gpu-sharing.io/v1\nkind: Policy\npodTemplates:\n"
        "- kind: Engine\n  path: spec.roles.*\n"
    )
    engine = made("Engine", "x.io/v1", {"roles": {"a": {"resources": GPU}}, "b": spec()})
    path = file(engine)
    found = [each["template"] for each in reviewed(run, path)[1]]
    stated = reviewed(run, path, flags=("--policy", str(policy)))[1]
    assert found == ["spec.b"]
    assert [each["template"] for each in stated] == ["spec.roles.a"]


def test_a_table_that_refuses_or_warns_says_where_reasons_are_explained(
    run: Run, file: Callable[..., Path]
) -> None:
    def table(workload: str) -> str:
        return run("review", "-f", str(file(pod_of(workload))), "--inventory", INVENTORY).out

    assert table("typo").splitlines()[-1] == f"reasons explained: {COMMAND} CODE"
    assert table("dev").splitlines()[-1] == f"reasons explained: {COMMAND} CODE"
    assert COMMAND not in table("training")


def test_a_large_list_is_reviewed_in_seconds(run: Run, file: Callable[..., Path]) -> None:
    pods = [pod_of(name=f"pod-{number}") for number in range(1000)]
    body = msgspec.json.encode({"apiVersion": "v1", "kind": "List", "items": pods})
    done, records = reviewed(run, file(body, name="pods.json"))
    assert (done.code, len(records)) == (0, 1000)


def test_a_gpu_outside_the_pods_found_is_told_and_with_strict_fails(
    run: Run, file: Callable[..., Path]
) -> None:
    path = file(made("Engine", "x.io/v1", {"engine": {"resources": GPU}}))
    plain, records = reviewed(run, path)
    assert (plain.code, records) == (0, [])
    assert plain.err.startswith(
        f"note: {path}: Engine: spec.engine.resources.limits.nvidia.com/gpu"
    )
    assert "podTemplates in the policy" in plain.err
    strict, _ = reviewed(run, path, flags=("--strict",))
    assert (strict.code, strict.err) == (1, plain.err)
    read = file(made("NIMService", "apps.nvidia.com/v1alpha1", {"resources": GPU}))
    assert reviewed(run, read, flags=("--strict",))[0].code == 0


def test_a_mistyped_key_of_a_namespace_is_told_and_with_strict_fails(
    run: Run, file: Callable[..., Path]
) -> None:
    namespace = made("Namespace", "v1", {})
    namespace["metadata"]["annotations"] = {"gpu-sharing.io/mode": "enforce"}
    path = file(namespace)
    plain, _ = reviewed(run, path)
    assert "annotation gpu-sharing.io/mode: it is no annotation; write it as label" in plain.err
    assert plain.code == 0
    assert reviewed(run, path, flags=("--strict",))[0].code == 1


def test_a_key_of_ours_on_an_object_is_told_with_its_place(
    run: Run, file: Callable[..., Path]
) -> None:
    deployment = made("Deployment", "apps/v1", {"template": {"spec": spec()}})
    deployment["metadata"]["labels"] = {"gpu-sharing.io/workload": "dev"}
    _, (record,) = reviewed(run, file(deployment))
    assert any("write it in spec.template.metadata [unknown_key]" in w for w in record["warnings"])
    assert record["workload"] == "unclassified"
