"""Spark Operator: drivers and executors of Spark (https://www.kubeflow.org/docs/components/spark-operator).

Spark itself may be anything, so its labels say nothing of the workload.
Source: kubeflow/spark-operator api/v1beta2/sparkapplication_types.go (SparkPodSpec, GPUSpec).
"""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Final

from webhook.core.integrations.field_path import PathPattern, follow_pattern, parse_pattern
from webhook.core.integrations.integration import Integration, WorkloadResource
from webhook.core.integrations.templates import (
    KubernetesObject,
    PodTemplate,
    container_of,
    mapping_at,
    pod_of,
)

_GROUP: Final = "sparkoperator.k8s.io"
_PODS: Final = ("driver", "executor")


def _find_templates(subject: KubernetesObject, root: PathPattern) -> Iterator[PodTemplate]:
    """Yield driver and executor, whose `gpu` is a name and a quantity."""
    for place, spec in follow_pattern(subject, root):
        for name in _PODS:
            if at := mapping_at(spec, name):
                yield PodTemplate((*place, name), _pod(spec, name, at))


def _pod(spec: KubernetesObject, name: str, at: KubernetesObject) -> dict[str, Any]:
    container = container_of(f"spark-kubernetes-{name}", at)
    gpu = at.get("gpu")
    if isinstance(gpu, Mapping) and "name" in gpu:
        container["resources"] = {"limits": {str(gpu["name"]): gpu.get("quantity")}}
    of_all = {"nodeSelector": spec["nodeSelector"]} if "nodeSelector" in spec else {}
    return pod_of(at, {**of_all, **at, "containers": [container, *(at.get("sidecars") or ())]})


_of_application: Final = partial(_find_templates, root=("spec",))
_of_schedule: Final = partial(_find_templates, root=parse_pattern("spec.template"))
SPARK_APPLICATION: Final = WorkloadResource(
    "SparkApplication", "sparkapplications", _GROUP,
    short_names=("sparkapp",), find_templates=_of_application,
)  # fmt: skip
INTEGRATION: Final = Integration(
    "Spark Operator",
    resources=(
        SPARK_APPLICATION,
        WorkloadResource(
            "ScheduledSparkApplication", "scheduledsparkapplications", _GROUP,
            short_names=("scheduledsparkapp",), find_templates=_of_schedule,
            owns=(SPARK_APPLICATION,), runs=False,
        ),
    ),
)  # fmt: skip
