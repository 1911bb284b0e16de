"""llmaz: models on several inference backends (https://github.com/InftyAI/llmaz).

Source: InftyAI/llmaz pkg/controller/inference/service_controller.go, api/inference/v1alpha1,
api/core/v1alpha1/model_types.go.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Final

from webhook.core.api.workload import Workload
from webhook.core.integrations.field_path import follow_pattern, parse_pattern
from webhook.core.integrations.integration import Integration, PodLabel, WorkloadResource
from webhook.core.integrations.leaderworkerset import LEADER_WORKER_SET
from webhook.core.integrations.templates import (
    KubernetesObject,
    PodTemplate,
    pod_of,
    stated_templates,
)

_GROUP: Final = "inference.llmaz.io"
_MODEL: Final = "llmaz.io/model-name"
_FLAVORS: Final = parse_pattern("spec.inferenceConfig.flavors[]")
_LABELS: Final = (PodLabel(_MODEL, Workload.INFERENCE),)


def _flavors(subject: KubernetesObject) -> Iterator[PodTemplate]:
    """Yield a pod for each flavor, whose `limits` a Playground or Service may choose."""
    for place, at in follow_pattern(subject, _FLAVORS):
        if isinstance(at, Mapping) and isinstance(at.get("limits"), Mapping):
            container = {"name": "model-runner", "resources": {"limits": at["limits"]}}
            yield PodTemplate(place, pod_of(at, {"containers": [container]}))


SERVICE: Final = WorkloadResource(
    "Service", "services", _GROUP, pod_labels=_LABELS, owns=(LEADER_WORKER_SET,), runs=False
)
INTEGRATION: Final = Integration(
    "llmaz",
    resources=(
        WorkloadResource(
            "Playground", "playgrounds", _GROUP, short_names=("pl",), owns=(SERVICE,),
            pod_labels=_LABELS,
            find_templates=partial(
                stated_templates, patterns=(parse_pattern("spec.backendRuntimeConfig"),)
            ),
        ),
        SERVICE,
        WorkloadResource(
            "OpenModel", "openmodels", "llmaz.io", namespaced=False, runs=False,
            pod_labels=_LABELS, find_templates=_flavors,
        ),
    ),
    model_keys=(_MODEL,),
)  # fmt: skip
