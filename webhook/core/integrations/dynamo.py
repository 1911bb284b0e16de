"""NVIDIA Dynamo: graphs of components that serve a model (https://docs.nvidia.com/dynamo).

`v1beta1` has pod templates. `v1alpha1` has GPUs beside them, in words of its own.
Source: the API references of DynamoGraphDeployment and DynamoComponentDeployment there;
ai-dynamo/dynamo deploy/operator (labels of pods).
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from webhook.core.api import names
from webhook.core.api.workload import Workload
from webhook.core.integrations.field_path import follow_pattern, parse_pattern
from webhook.core.integrations.integration import (
    Integration,
    PodLabel,
    WellKnownLabel,
    WorkloadResource,
)
from webhook.core.integrations.leaderworkerset import LEADER_WORKER_SET
from webhook.core.integrations.templates import (
    KubernetesObject,
    PodTemplate,
    container_of,
    mapping_at,
    pod_of,
    search_templates,
)

_GROUP: Final = "nvidia.com"
_GRAPH: Final = PodLabel("nvidia.com/dynamo-graph-deployment-name", Workload.INFERENCE)
_COMPONENT: Final = "nvidia.com/dynamo-component-type"
_SERVICES: Final = parse_pattern("spec.services.*")
_WORDS: Final = ("cpu", "memory")
_LISTS: Final = ("limits", "requests")


def _find_templates(subject: KubernetesObject) -> Iterator[PodTemplate]:
    """Yield the pod templates of `v1beta1`, or the pods of `v1alpha1` services."""
    spec = mapping_at(subject, "spec")
    if "components" in spec or "podTemplate" in spec:
        yield from search_templates(subject)
        return
    for place, service in [*follow_pattern(subject, _SERVICES)] or [(("spec",), spec)]:
        if isinstance(service, Mapping):
            yield PodTemplate(place, _pod(service))


def _pod(service: KubernetesObject) -> dict[str, Any]:
    spec = mapping_at(service, "extraPodSpec")
    main = container_of("main", mapping_at(spec, "mainContainer"))
    main["resources"] = {
        key: _amounts(at) for key, at in mapping_at(service, "resources").items() if key in _LISTS
    }
    main["env"] = [*(service.get("envs") or ()), *(main.get("env") or ())]
    extra = mapping_at(service, "extraPodMetadata")
    metadata = {
        key: {**mapping_at(service, key), **mapping_at(extra, key)}
        for key in ("labels", "annotations")
    }
    kind = service.get("componentType")
    metadata["labels"] |= {_COMPONENT: kind} if isinstance(kind, str) else {}
    return pod_of(metadata, {**spec, "containers": [main, *(spec.get("containers") or ())]})


def _amounts(at: Any) -> Any:
    """Return a list of resources in Kubernetes' names: `gpu` is one of NVIDIA's, or `gpuType`."""
    if not isinstance(at, Mapping):
        return at
    made = {key: at[key] for key in _WORDS if key in at} | dict(mapping_at(at, "custom"))
    return made | ({at.get("gpuType") or names.GPU: at["gpu"]} if at.get("gpu") else {})


INTEGRATION: Final = Integration(
    "NVIDIA Dynamo",
    resources=(
        WorkloadResource(
            "DynamoGraphDeployment", "dynamographdeployments", _GROUP, short_names=("dgd",),
            find_templates=_find_templates, pod_labels=(_GRAPH,),
            owns=(LEADER_WORKER_SET,),
        ),
        WorkloadResource(
            "DynamoComponentDeployment", "dynamocomponentdeployments", _GROUP,
            short_names=("dcd",), find_templates=_find_templates,
            pod_labels=(_GRAPH,), runs=False,
        ),
    ),
    well_known_labels=(
        WellKnownLabel(_COMPONENT, Workload.INFERENCE),
    ),
)  # fmt: skip
