"""Argo Workflows: a template of a workflow is a pod (https://argo-workflows.readthedocs.io).

Source: argoproj/argo-workflows workflow/controller/workflowpod.go (createWorkflowPod, addMetadata,
addSchedulingConstraints, addVolumeReferences), docs/template-defaults.md. `podSpecPatch` is not
applied. The main container's name is `main`.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Final

from webhook.core.integrations.field_path import PathPattern, follow_pattern, parse_pattern
from webhook.core.integrations.integration import Integration, PodLabel, WorkloadResource
from webhook.core.integrations.templates import (
    KubernetesObject,
    PodTemplate,
    list_at,
    mapping_at,
    pod_of,
)

_GROUP: Final = "argoproj.io"
_PATTERNS: Final = tuple(
    map(
        parse_pattern,
        ("templates[]", "templates[].steps[][].inline", "templates[].dag.tasks[].inline"),
    )
)
_TYPES: Final = frozenset({"container", "script", "containerSet", "resource", "dag", "steps"})
_OF_EITHER: Final = (
    "nodeSelector", "affinity", "tolerations", "schedulerName", "securityContext", "hostNetwork",
)  # fmt: skip
_DEEPEST: Final = 4  # mappings within a template: container, resources, limits


def _find_templates(subject: KubernetesObject, root: PathPattern) -> Iterator[PodTemplate]:
    """Yield the templates that are pods, also those inline in steps and tasks."""
    for place, spec in follow_pattern(subject, root):
        for pattern in _PATTERNS:
            for below, at in follow_pattern(spec, pattern):
                if isinstance(at, Mapping) and _main_containers(at):
                    yield PodTemplate((*place, *below), _pod(spec, _with_defaults(spec, at)))


def _main_containers(template: KubernetesObject) -> list[Any]:
    for key in ("container", "script"):
        if isinstance(template.get(key), Mapping):
            return [{**template[key], "name": template[key].get("name") or "main"}]
    return list_at(mapping_at(template, "containerSet"), "containers")


def _with_defaults(spec: KubernetesObject, template: KubernetesObject) -> KubernetesObject:
    """Return the template over `templateDefaults`, which never change the template's type."""
    defaults = mapping_at(spec, "templateDefaults").items()
    kept = {key: value for key, value in defaults if key not in _TYPES or key in template}
    merged: KubernetesObject = _merge(kept, template, _DEEPEST)
    return merged


def _merge(base: Any, over: Any, depth: int) -> Any:
    if not depth or not isinstance(base, Mapping) or not isinstance(over, Mapping):
        return over
    common = {key: _merge(base[key], over[key], depth - 1) for key in over if key in base}
    return {**base, **over, **common}


def _pod(spec: KubernetesObject, template: KubernetesObject) -> dict[str, Any]:
    containers = [*_main_containers(template), *list_at(template, "sidecars")]
    inits = list_at(template, "initContainers")
    named = (_names_mounted(each) for each in (*containers, *inits, template.get("containerSet")))
    mounted = frozenset().union(*named)
    shared = [each for each in list_at(spec, "volumes") if _name(each) in mounted]
    made = {key: template.get(key) or spec.get(key) for key in _OF_EITHER}
    made |= {
        "containers": [_settled(each) for each in containers],
        "initContainers": [_settled(each) for each in inits],
        "volumes": [*shared, *list_at(template, "volumes")],
        "nodeSelector": _known(mapping_at(made, "nodeSelector")),
    }
    metadata = {
        key: _known(
            {**mapping_at(mapping_at(spec, "podMetadata"), key),
             **mapping_at(mapping_at(template, "metadata"), key)}
        )
        for key in ("labels", "annotations")
    }  # fmt: skip
    return pod_of(metadata, {key: value for key, value in made.items() if value})


def _settled(container: Any) -> Any:
    """Return a container without the resources that depend on parameters."""
    resources = mapping_at(container, "resources")
    if not resources:
        return container
    known = {key: _known(at) if isinstance(at, Mapping) else at for key, at in resources.items()}
    return {**container, "resources": known}


def _known(values: KubernetesObject) -> dict[str, Any]:
    """Return the values that depend on no parameter of the workflow."""
    return {key: value for key, value in values.items() if "{{" not in str(value)}


def _names_mounted(at: Any) -> frozenset[str]:
    return frozenset(map(_name, list_at(at, "volumeMounts")))


def _name(at: Any) -> str:
    return str(at.get("name")) if isinstance(at, Mapping) else ""


_in_spec: Final = partial(_find_templates, root=("spec",))
_in_workflow_spec: Final = partial(_find_templates, root=("spec", "workflowSpec"))
WORKFLOW: Final = WorkloadResource(
    "Workflow", "workflows", _GROUP, short_names=("wf",), runs=False,
    find_templates=_in_spec, pod_labels=(PodLabel("workflows.argoproj.io/workflow"),),
)  # fmt: skip
WORKFLOW_TEMPLATE: Final = WorkloadResource(
    "WorkflowTemplate", "workflowtemplates", _GROUP, short_names=("wftmpl",), runs=False,
    find_templates=_in_spec,
)  # fmt: skip
CLUSTER_WORKFLOW_TEMPLATE: Final = WorkloadResource(
    "ClusterWorkflowTemplate", "clusterworkflowtemplates", _GROUP,
    short_names=("clusterwftmpl", "cwft"), namespaced=False, runs=False, find_templates=_in_spec,
)  # fmt: skip
CRON_WORKFLOW: Final = WorkloadResource(
    "CronWorkflow", "cronworkflows", _GROUP, short_names=("cwf", "cronwf"), runs=False,
    find_templates=_in_workflow_spec, owns=(WORKFLOW,),
)  # fmt: skip
INTEGRATION: Final = Integration(
    "Argo Workflows",
    resources=(WORKFLOW, WORKFLOW_TEMPLATE, CRON_WORKFLOW, CLUSTER_WORKFLOW_TEMPLATE),
)
