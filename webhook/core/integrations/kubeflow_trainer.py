"""Kubeflow Trainer v2 (https://www.kubeflow.org/docs/components/trainer).

Its pods are those of a JobSet: `trainer.kubeflow.org/trainjob-ancestor-step` stands on the Jobs, on
pods only where a runtime of one's own puts it there.
Source: kubeflow/trainer pkg/apis/trainer/v1alpha1/trainjob_types.go, pkg/runtime/framework.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from webhook.core.api.workload import Workload
from webhook.core.integrations.integration import (
    Integration,
    PodLabel,
    WellKnownLabel,
    WorkloadResource,
)
from webhook.core.integrations.jobset import JOB_SET, JOB_SET_NAME
from webhook.core.integrations.templates import (
    KubernetesObject,
    PodTemplate,
    container_of,
    mapping_at,
    pod_of,
)

_GROUP: Final = "trainer.kubeflow.org"
_STEP: Final = "trainer.kubeflow.org/trainjob-ancestor-step"
_LABELS: Final = (PodLabel(JOB_SET_NAME),)


def _find_templates(subject: KubernetesObject) -> Iterator[PodTemplate]:
    """Yield what `spec.trainer` says of a node's pod. The rest stands in the runtime."""
    trainer = mapping_at(subject.get("spec"), "trainer")
    if isinstance(trainer.get("resourcesPerNode"), Mapping):
        node = container_of("node", {**trainer, "resources": trainer["resourcesPerNode"]})
        yield PodTemplate(("spec", "trainer"), pod_of(None, {"containers": [node]}))


INTEGRATION: Final = Integration(
    "Kubeflow Trainer",
    resources=(
        WorkloadResource(
            "TrainJob", "trainjobs", _GROUP,
            find_templates=_find_templates, pod_labels=_LABELS, owns=(JOB_SET,),
        ),
        WorkloadResource(
            "TrainingRuntime", "trainingruntimes", _GROUP, pod_labels=_LABELS, runs=False
        ),
        WorkloadResource(
            "ClusterTrainingRuntime", "clustertrainingruntimes", _GROUP,
            namespaced=False, pod_labels=_LABELS, runs=False,
        ),
    ),
    well_known_labels=(WellKnownLabel(_STEP, Workload.TRAINING),),
)  # fmt: skip
