"""What an object names beside its pods is told, and nothing that a pod has read is told twice."""

from typing import Any

import pytest

from webhook.core import mentions
from webhook.core.integrations import registry

GPU = {"limits": {"nvidia.com/gpu": 1}}


def unread(subject: dict[str, Any]) -> list[tuple[str, str]]:
    found = mentions.unread_mentions(subject, registry.find_templates(subject))
    return [(each.path, each.name) for each in found]


def made(kind: str, version: str, spec: Any) -> dict[str, Any]:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": "it"}, "spec": spec}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"engine": {"resources": GPU}}, [("spec.engine.resources.limits.nvidia.com/gpu",)]),
        ({"perNode": {"nvidia.com/mig-1g.10gb": 2}}, [("spec.perNode.nvidia.com/mig-1g.10gb",)]),
        ({"executor": {"gpu": {"name": "nvidia.com/gpu"}}}, [("spec.executor.gpu.name",)]),
        ({"resources": {"requests": {"gpu": "1"}}}, [("spec.resources.requests.gpu",)]),
        ({"share": {"nvidia.com/gpumem": 3000}}, [("spec.share.nvidia.com/gpumem",)]),
        ({"share": {"koordinator.sh/gpu-core": 50}}, [("spec.share.koordinator.sh/gpu-core",)]),
        ({"share": {"amd.com/gpu": 1}, "image": "nvcr.io/cuda", "gpu-memory": 1}, []),
        ({"manifest": "limits:\n  nvidia.com/gpu: 1\n"}, [("spec.manifest",)]),
        ({"pods": {"template": {"nodeSelector": {"nvidia.com/gpu": "true"}}}}, []),
        ({"tolerations": [{"key": "nvidia.com/gpu"}], "gpu": 1}, []),
        ({"note": "the label nvidia.com/gpu.product tells"}, []),
    ],
)
def test_a_gpu_named_outside_a_pod_is_told(
    spec: dict[str, Any], expected: list[tuple[str]]
) -> None:
    found = unread(made("Engine", "example.com/v1", spec))
    assert [(path,) for path, _ in found] == expected


def test_a_pod_beside_does_not_hide_what_is_missed() -> None:
    spec = {"pod": {"containers": [{"name": "a", "resources": GPU}]}, "other": {"resources": GPU}}
    same = {"limits": {"nvidia.com/gpu": 1}}
    spec["other"] = {"resources": same}
    assert unread(made("Engine", "example.com/v1", spec)) == [
        ("spec.other.resources.limits.nvidia.com/gpu", "nvidia.com/gpu")
    ]


@pytest.mark.parametrize(
    ("kind", "version", "spec"),
    [
        ("DynamoGraphDeployment", "nvidia.com/v1alpha1",
         {"services": {"W": {"componentType": "worker", "resources": {"limits": {"gpu": "1"}}}}}),
        ("SparkApplication", "sparkoperator.k8s.io/v1beta2",
         {"executor": {"gpu": {"name": "nvidia.com/gpu", "quantity": 1}}}),
        ("TrainJob", "trainer.kubeflow.org/v1alpha1", {"trainer": {"resourcesPerNode": GPU}}),
        ("InferenceService", "serving.kserve.io/v1beta1",
         {"predictor": {"model": {"resources": GPU}, "containers": [{"name": "side"}]}}),
        ("ClusterQueue", "kueue.x-k8s.io/v1beta1", {"coveredResources": ["nvidia.com/gpu"]}),
        ("NodePool", "karpenter.sh/v1", {"limits": {"nvidia.com/gpu": 8}}),
        ("ResourceQuota", "v1", {"hard": {"nvidia.com/gpu": 8}}),
    ],
)  # fmt: skip
def test_what_an_integration_reads_or_makes_no_pod_is_not_told(
    kind: str, version: str, spec: dict[str, Any]
) -> None:
    assert unread(made(kind, version, spec)) == []


def test_a_manifest_in_a_config_map_is_told() -> None:
    subject = {"apiVersion": "v1", "kind": "ConfigMap", "data": {"job": "{nvidia.com/gpu: 1}"}}
    assert unread(subject) == [("data.job", "nvidia.com/gpu")]


def test_a_huge_object_ends_soon() -> None:
    subject = made("Engine", "example.com/v1", {"values": list(range(60_000)), "z": GPU})
    assert unread(subject) == []


def test_our_keys_on_an_object_are_told_unless_its_controller_copies_them() -> None:
    labels = {"labels": {"gpu-sharing.io/workload": "training"}}
    spec = {"template": {"spec": {"containers": [{"name": "a", "resources": GPU}]}}}
    for kind, version, told in (
        ("Deployment", "apps/v1", True),
        ("Notebook", "kubeflow.org/v1", False),
        ("RayCluster", "ray.io/v1", True),
    ):
        subject = {**made(kind, version, spec), "metadata": labels}
        found = mentions.stray_keys(subject, list(registry.find_templates(subject)))
        assert bool(found) is told
        assert all("does not reach the pods; write it in spec.template" in text for text in found)
    pod = {"kind": "Pod", "apiVersion": "v1", "metadata": labels, **spec["template"]}
    assert mentions.stray_keys(pod, list(registry.find_templates(pod))) == ()
