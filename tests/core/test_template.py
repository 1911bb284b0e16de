"""Pod templates are found in built-in kinds, known custom resources, and unknown ones."""

import re
from typing import Any

import pytest

from webhook.core.integrations import field_path, registry, templates

RESOURCES = {"limits": {"nvidia.com/gpu": 1}}
MAIN = {"name": "main", "resources": RESOURCES}
SPEC = {"containers": [MAIN]}
POD = {"metadata": {"labels": {"a": "b"}}, "spec": SPEC}
JOB = {"apiVersion": "batch/v1", "kind": "Job", "spec": {"template": POD}}


def thing(kind: str, spec: Any) -> dict[str, Any]:
    resource = registry.resource_named(kind)
    version = resource.api_version if resource else "example.com/v1"
    return {"apiVersion": version, "kind": kind, "metadata": {"name": "it"}, "spec": spec}


def put(path: str, what: Any) -> dict[str, Any]:
    """An object with this at a path as people read it."""
    for step in reversed(re.findall(r"[^.[\]]+", path)):
        what = [what] if step == "0" else {step: what}
    return {"metadata": {"name": "it"}, **what}


IN_JOB, SPEC_TEMPLATE = ".spec.template", "spec.template"
ALONE, GPU = {"resources": RESOURCES}, {"gpu": {"name": "nvidia.com/gpu", "quantity": 1}}
DYNAMO = {"resources": {"limits": {"gpu": 1}}}
STATED = [  # of each resource that says where its pods stand: a place, what is there, path below
    ("podtemplates", "template", POD, ""),
    ("replicationcontrollers", SPEC_TEMPLATE, POD, ""),
    ("replicasets.apps", SPEC_TEMPLATE, POD, ""),
    ("deployments.apps", SPEC_TEMPLATE, POD, ""),
    ("statefulsets.apps", SPEC_TEMPLATE, POD, ""),
    ("daemonsets.apps", SPEC_TEMPLATE, POD, ""),
    ("jobs.batch", SPEC_TEMPLATE, POD, ""),
    ("cronjobs.batch", "spec.jobTemplate.spec.template", POD, ""),
    ("appwrappers.workload.codeflare.dev", "spec.components[0].template", JOB, IN_JOB),
    ("workflows.argoproj.io", "spec.templates[0]", {"container": MAIN}, ""),
    ("workflowtemplates.argoproj.io", "spec.templates[0]", {"script": MAIN}, ""),
    ("clusterworkflowtemplates.argoproj.io", "spec.templates[0]", {"container": MAIN}, ""),
    ("cronworkflows.argoproj.io", "spec.workflowSpec.templates[0]", {"container": MAIN}, ""),
    ("dynamographdeployments.nvidia.com", "spec.services.a", DYNAMO, ""),
    ("dynamocomponentdeployments.nvidia.com", "spec", DYNAMO, ""),
    ("workspaces.kaito.sh", "inference.template", POD, ""),
    ("experiments.kubeflow.org", "spec.trialTemplate.trialSpec", JOB, IN_JOB),
    ("trials.kubeflow.org", "spec.runSpec", JOB, IN_JOB),
    ("inferenceservices.serving.kserve.io", "spec.predictor.model", ALONE, ""),
    ("inferenceservices.serving.kserve.io", "spec.predictor", SPEC, ""),
    ("inferenceservices.serving.kubeflow.org", "spec.predictor.pytorch", ALONE, ""),
    ("llminferenceservices.serving.kserve.io", "spec.prefill.worker", SPEC, ""),
    ("llminferenceserviceconfigs.serving.kserve.io", SPEC_TEMPLATE, SPEC, ""),
    ("trainjobs.trainer.kubeflow.org", "spec.trainer", {"resourcesPerNode": RESOURCES}, ""),
    ("playgrounds.inference.llmaz.io", "spec.backendRuntimeConfig", ALONE, ""),
    ("openmodels.llmaz.io", "spec.inferenceConfig.flavors[0]", RESOURCES, ""),
    ("nimservices.apps.nvidia.com", "spec", ALONE, ""),
    ("nimpipelines.apps.nvidia.com", "spec.services[0].spec", ALONE, ""),
    ("nimbuilds.apps.nvidia.com", "spec", ALONE, ""),
    ("inferenceservices.ome.io", "spec.engine", {"runner": MAIN}, ""),
    ("servingruntimes.ome.io", "spec.decoderConfig.leader", {"runner": MAIN}, ""),
    ("clusterservingruntimes.ome.io", "spec", {"containers": [MAIN]}, ""),
    ("sparkapplications.sparkoperator.k8s.io", "spec.driver", GPU, ""),
    ("scheduledsparkapplications.sparkoperator.k8s.io", "spec.template.executor", GPU, ""),
]


@pytest.mark.parametrize(("name", "place", "what", "below"), STATED, ids=lambda v: v)
def test_templates_are_found_where_a_resource_says(
    name: str, place: str, what: Any, below: str
) -> None:
    resource = registry.resource_named(name)
    assert resource is not None
    kind = {"apiVersion": resource.api_version, "kind": resource.kind}
    [found] = registry.find_templates(kind | put(place, what))
    assert found.path == place + below
    assert found.pod["spec"]["containers"][0]["resources"] == RESOURCES


def test_every_resource_that_says_where_its_pods_stand_is_tried() -> None:
    saying = [
        each.qualified
        for each in (*registry.BUILT_IN, *registry.CUSTOM)
        if each.find_templates is not templates.search_templates or each.embeds
    ]
    assert set(saying) - {name for name, *_ in STATED} == {"pods"}, "a row of STATED"


@pytest.mark.parametrize(
    ("subject", "paths"),
    [
        (thing("Pod", SPEC), [""]),
        (
            thing("PyTorchJob", {"pytorchReplicaSpecs": {"Master": {"template": POD}}}),
            ["spec.pytorchReplicaSpecs.Master.template"],
        ),
        (
            thing("RayCluster", {"workerGroupSpecs": [{"template": POD}, {"template": POD}]}),
            ["spec.workerGroupSpecs[0].template", "spec.workerGroupSpecs[1].template"],
        ),
        (thing("Unheard", {"deep": [{"er": {"spec": SPEC}}]}), ["spec.deep[0].er"]),
        (thing("Service", {"ports": [{"port": 80}]}), []),
        (thing("ConfigMap", None), []),
        (thing("Odd", {"containers": "none"}), []),
    ],
    ids=lambda value: value["kind"] if isinstance(value, dict) else "",
)
def test_templates_are_found(subject: dict[str, Any], paths: list[str]) -> None:
    assert [found.path for found in registry.find_templates(subject)] == paths


def test_labels_that_a_controller_will_set_are_there_already() -> None:
    (found,) = registry.find_templates(thing("PyTorchJob", {"x": {"template": POD}}))
    assert found.pod["metadata"]["labels"] == {"a": "b", "training.kubeflow.org/job-name": "it"}


def test_nesting_without_end_is_no_problem() -> None:
    deep: Any = POD
    for _ in range(5000):
        deep = {"x": deep}
    assert len(list(registry.find_templates(thing("Deep", deep)))) == 1


# Paths that a policy states.


def found_at(spec: Any, *paths: str) -> list[templates.PodTemplate]:
    listed = {(None, "Engine"): tuple(field_path.parse_pattern(path) for path in paths)}
    return list(registry.find_templates(thing("Engine", spec), listed))


@pytest.mark.parametrize(
    ("spec", "path", "found"),
    [
        ({"pod": POD}, "spec.pod", ["spec.pod"]),
        ({"pod": SPEC}, "spec.pod", ["spec.pod"]),
        ({"workers": [POD, POD]}, "spec.workers[]", ["spec.workers[0]", "spec.workers[1]"]),
        ({"workers": [{"t": POD}]}, "spec.workers[*].t", ["spec.workers[0].t"]),
        ({"roles": {"a": {"t": POD}, "b": {}}}, "spec.roles.*.t", ["spec.roles.a.t"]),
        ({"deep": [[POD], [POD]]}, "spec.deep[][]", ["spec.deep[0][0]", "spec.deep[1][0]"]),
        ({"pod": None, "template": POD}, "spec.pod", []),
        ({"workers": {"0": POD}}, "spec.workers[]", []),
        ({"roles": [POD]}, "spec.roles.*", []),
        ({"pod": "text"}, "spec.pod.more", []),
        ({"pod": "text"}, "spec.pod", ["spec.pod"]),
        (None, "spec.pod", []),
    ],
)
def test_a_stated_path_counts_instead_of_the_search(spec: Any, path: str, found: list[str]) -> None:
    assert [each.path for each in found_at(spec, path)] == found


def test_several_paths_may_lead_to_one_place() -> None:
    paths = [each.path for each in found_at({"a": POD, "b": POD}, "spec.b", "spec.*")]
    assert paths == ["spec.b", "spec.a"]


def test_a_stated_path_holds_over_what_is_known_of_a_kind() -> None:
    subject = thing("RayCluster", {"template": POD, "pod": SPEC}) | {"apiVersion": "ray.io/v1"}
    for group in (None, "ray.io"):
        (one,) = registry.find_templates(subject, {(group, "RayCluster"): (("spec", "pod"),)})
        assert one.path == "spec.pod"
    found = [*registry.find_templates(subject, {("other.io", "RayCluster"): (("spec", "pod"),)})]
    assert [each.path for each in found] == ["spec.template", "spec.pod"]


def test_a_kind_without_a_group_is_none_of_kubernetes_own() -> None:
    listed = {(None, "Job"): (("spec", "pod"),)}
    job = thing("Job", {"template": POD, "pod": SPEC}) | {"apiVersion": "batch/v1"}
    (found,) = registry.find_templates(job, listed)
    assert found.path == "spec.template"
    (found,) = registry.find_templates(job | {"apiVersion": "batch.volcano.sh/v1alpha1"}, listed)
    assert found.path == "spec.pod"


@pytest.mark.parametrize(
    ("at", "containers"),
    [
        (POD, SPEC["containers"]),
        ({**SPEC, "labels": {"a": "b"}}, SPEC["containers"]),
        (
            {"resources": RESOURCES, "env": [], "image": "i", "labels": {"a": "b"}},
            [{"name": "main", "resources": RESOURCES, "env": [], "image": "i"}],
        ),
    ],
    ids=["template", "spec", "container"],
)
def test_at_a_stated_path_stands_a_template_a_spec_or_a_container(at: Any, containers: Any) -> None:
    (found,) = found_at({"pod": at}, "spec.pod")
    assert found.pod["spec"]["containers"] == containers
    assert found.pod["metadata"]["labels"] == {"a": "b"}


def test_the_pod_of_a_nim_service_is_what_its_spec_says() -> None:
    spec = {"resources": RESOURCES, "image": {"repository": "nim"}, "nodeSelector": {"a": "b"}}
    (found,) = registry.find_templates(thing("NIMService", spec))
    assert found.path == "spec"
    assert found.pod["spec"]["nodeSelector"] == {"a": "b"}
    assert found.pod["spec"]["containers"][0]["resources"] == RESOURCES
    assert found.pod["metadata"]["labels"] == {"app.kubernetes.io/part-of": "nim-service"}


@pytest.mark.parametrize(
    "text", ["", ".", "spec.", ".spec", "spec..x", "spec.x[0]", "$.spec", "spec x", "[]", "a/b"]
)
def test_what_is_no_path_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(field_path.FieldPathError, match=r"write for example spec\.template"):
        field_path.parse_pattern(text)
