"""KServe, KFServing before: InferenceService, LLMInferenceService (https://kserve.github.io).

Source: kserve/kserve pkg/controller/v1beta1/inferenceservice/components/predictor.go
(buildObjectMeta), pkg/constants/constants.go, pkg/controller/v1alpha2/llmisvc.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from msgspec.structs import replace

from webhook.core.api.workload import Workload
from webhook.core.integrations.field_path import parse_pattern
from webhook.core.integrations.integration import Integration, PodLabel, WorkloadResource
from webhook.core.integrations.leaderworkerset import LEADER_WORKER_SET
from webhook.core.integrations.templates import (
    KubernetesObject,
    PodTemplate,
    container_of,
    mapping_at,
    pod_of,
    stated_templates,
    with_containers,
)

_GROUP: Final = "serving.kserve.io"
_SERVICE: Final = PodLabel("serving.kserve.io/inferenceservice", Workload.INFERENCE)
_BEFORE: Final = "serving.kubeflow.org"  # the group until KServe 0.7, as KFServing
_SERVICE_BEFORE: Final = PodLabel("serving.kubeflow.org/inferenceservice", Workload.INFERENCE)
_LLM: Final = PodLabel("app.kubernetes.io/part-of", Workload.INFERENCE, "llminferenceservice")
_COMPONENTS: Final = ("predictor", "transformer", "explainer")
_MODEL: Final = "internal.serving.kserve.io/storage-initializer-sourceuri"
_LLM_PODS: Final = tuple(
    map(
        parse_pattern,
        ("spec.template", "spec.worker", "spec.prefill.template", "spec.prefill.worker",
         "spec.router.scheduler.template"),
    )
)  # fmt: skip


def _find_templates(subject: KubernetesObject) -> Iterator[PodTemplate]:
    """Yield the components, each with its own pod, and the pods of a component's workers.

    A component's containers stand in `containers`, in `model`, or in the older
    `predictor.<framework>`. What stands beside is the pod's spec.
    """
    spec = subject.get("spec")
    for name in _COMPONENTS:
        at = mapping_at(spec, name)
        keys = [key for key, value in at.items() if _is_model(value)]
        path = ("spec", name, keys[0]) if keys and "containers" not in at else ("spec", name)
        if keys or "containers" in at:
            yield PodTemplate(path, _pod(at, keys))
        worker = at.get("workerSpec")
        if isinstance(worker, Mapping):
            yield PodTemplate(("spec", name, "workerSpec"), pod_of(worker, worker))


def _is_model(value: Any) -> bool:
    return isinstance(value, Mapping) and isinstance(value.get("resources"), Mapping)


def _pod(at: KubernetesObject, keys: list[str]) -> dict[str, Any]:
    models = [container_of("kserve-container", at[key]) for key in keys]
    uris = [at[key].get("storageUri") for key in keys]
    return _serving(with_containers(at, models), next(filter(None, uris), None))


def _find_llm_templates(subject: KubernetesObject) -> Iterator[PodTemplate]:
    uri = mapping_at(subject.get("spec"), "model").get("uri")
    for each in stated_templates(subject, _LLM_PODS):
        yield replace(each, pod=_serving(each.pod, uri))


def _serving(pod: dict[str, Any], uri: Any) -> dict[str, Any]:
    """Return the pod with the annotation that names its model, as the controller writes it."""
    annotations = mapping_at(pod, "metadata").get("annotations")
    if not isinstance(uri, str) or not isinstance(annotations, Mapping):
        return pod
    return {**pod, "metadata": {**pod["metadata"], "annotations": {**annotations, _MODEL: uri}}}


INTEGRATION: Final = Integration(
    "KServe",
    resources=(
        WorkloadResource(
            "InferenceService", "inferenceservices", _GROUP, short_names=("isvc",),
            find_templates=_find_templates, pod_labels=(_SERVICE,),
            copies=frozenset({"labels", "annotations"}),
        ),
        WorkloadResource(
            "InferenceService", "inferenceservices", _BEFORE,
            find_templates=_find_templates, pod_labels=(_SERVICE_BEFORE,),
            copies=frozenset({"labels", "annotations"}),
        ),
        WorkloadResource(
            "ServingRuntime", "servingruntimes", _GROUP,
            pod_labels=(_SERVICE,), runs=False,
        ),
        WorkloadResource(
            "ClusterServingRuntime", "clusterservingruntimes", _GROUP,
            namespaced=False, pod_labels=(_SERVICE,), runs=False,
        ),
        WorkloadResource(
            "LLMInferenceService", "llminferenceservices", _GROUP, short_names=("llmisvc",),
            find_templates=_find_llm_templates, pod_labels=(_LLM,), owns=(LEADER_WORKER_SET,),
        ),
        WorkloadResource(
            "LLMInferenceServiceConfig", "llminferenceserviceconfigs", _GROUP,
            find_templates=_find_llm_templates, pod_labels=(_LLM,), runs=False,
        ),
    ),
    model_keys=(_MODEL,),
)  # fmt: skip
