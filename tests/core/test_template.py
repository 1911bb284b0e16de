"""Pod templates are found in built-in kinds, known custom resources, and unknown ones."""

from typing import Any

import pytest

from webhook.core import template

SPEC = {"containers": [{"name": "main"}]}
POD = {"metadata": {"labels": {"a": "b"}}, "spec": SPEC}


def thing(kind: str, spec: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": "it"}, "spec": spec}


@pytest.mark.parametrize(
    ("subject", "paths"),
    [
        (thing("Pod", SPEC), [""]),
        (thing("Deployment", {"template": POD}), ["spec.template"]),
        (
            thing("CronJob", {"jobTemplate": {"spec": {"template": POD}}}),
            ["spec.jobTemplate.spec.template"],
        ),
        (
            thing("PyTorchJob", {"pytorchReplicaSpecs": {"Master": {"template": POD}}}),
            ["spec.pytorchReplicaSpecs.Master.template"],
        ),
        (
            thing("RayCluster", {"workerGroupSpecs": [{"template": POD}, {"template": POD}]}),
            ["spec.workerGroupSpecs[0].template", "spec.workerGroupSpecs[1].template"],
        ),
        (thing("Unheard", {"deep": [{"er": {"spec": SPEC}}]}), ["spec.deep[0].er"]),
        (
            thing("InferenceService", {"predictor": {"model": {"resources": {}}}}),
            ["spec.predictor.model"],
        ),
        (thing("InferenceService", {"predictor": SPEC}), ["spec.predictor"]),
        (thing("Service", {"ports": [{"port": 80}]}), []),
        (thing("ConfigMap", None), []),
        (thing("Odd", {"containers": "none"}), []),
    ],
    ids=lambda value: value["kind"] if isinstance(value, dict) else "",
)
def test_templates_are_found(subject: dict[str, Any], paths: list[str]) -> None:
    assert [found.path for found in template.find(subject)] == paths


def test_labels_that_a_controller_will_set_are_there_already() -> None:
    (found,) = template.find(thing("PyTorchJob", {"x": {"template": POD}}))
    assert found.pod["metadata"]["labels"] == {"a": "b", "training.kubeflow.org/job-name": "it"}


def test_nesting_without_end_is_no_problem() -> None:
    deep: Any = POD
    for _ in range(5000):
        deep = {"x": deep}
    assert len(list(template.find(thing("Deep", deep)))) == 1
