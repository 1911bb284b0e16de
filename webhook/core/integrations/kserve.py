"""KServe: InferenceService and LLMInferenceService (https://kserve.github.io)."""

from collections.abc import Iterator, Mapping
from typing import Final

from webhook.core.api.workload import Workload
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
    is_pod_spec,
    pod_of,
    search_templates,
)

_GROUP: Final = "serving.kserve.io"
_SERVICE: Final = "serving.kserve.io/inferenceservice"
_PART_OF: Final = "app.kubernetes.io/part-of"
_LLM: Final = "llminferenceservice"
_COMPONENTS: Final = ("predictor", "transformer", "explainer")


def _find_templates(subject: KubernetesObject) -> Iterator[PodTemplate]:
    """Yields components with `containers`, then those of one container without a list.

    The latter are `predictor.model.resources` or the older `predictor.<framework>.resources`;
    what stands beside is the pod's spec.
    """
    yield from search_templates(subject)
    spec = subject.get("spec")
    for component in _COMPONENTS:
        at = spec.get(component) if isinstance(spec, Mapping) else None
        if not isinstance(at, Mapping) or is_pod_spec(at):
            continue
        for key, value in at.items():
            if isinstance(value, Mapping) and isinstance(value.get("resources"), Mapping):
                made = {**at, "containers": [container_of("kserve-container", value)]}
                yield PodTemplate(("spec", component, key), pod_of(at, made))


INTEGRATION: Final = Integration(
    "KServe",
    resources=(
        WorkloadResource(
            "InferenceService",
            "inferenceservices",
            _GROUP,
            short_names=("isvc",),
            find_templates=_find_templates,
            pod_labels=(PodLabel(_SERVICE),),
        ),
        WorkloadResource(
            "LLMInferenceService",
            "llminferenceservices",
            _GROUP,
            pod_labels=(PodLabel(_PART_OF, _LLM),),
            owns=(LEADER_WORKER_SET,),
        ),
    ),
    well_known_labels=(
        WellKnownLabel(_SERVICE, Workload.INFERENCE),
        WellKnownLabel(_PART_OF, Workload.INFERENCE, _LLM),
    ),
)
