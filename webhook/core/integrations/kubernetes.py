"""The workload resources of Kubernetes itself."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Final

from webhook.core.integrations.field_path import FieldPath
from webhook.core.integrations.integration import Integration, WorkloadResource
from webhook.core.integrations.templates import KubernetesObject, PodTemplate


def _template_at(subject: KubernetesObject, place: FieldPath) -> Iterator[PodTemplate]:
    """Yield the one template.

    What is no template stays as it is, since decoding will say what is wrong, and where.
    """
    at: Any = subject
    for key in place:
        at = at.get(key) if isinstance(at, Mapping) else None
    if isinstance(at, Mapping):
        yield PodTemplate(place, {"metadata": at.get("metadata"), "spec": at.get("spec")})
    else:
        yield PodTemplate(place, {"spec": at})


_itself: Final = partial(_template_at, place=())
_template: Final = partial(_template_at, place=("template",))
_in_spec: Final = partial(_template_at, place=("spec", "template"))
_in_job: Final = partial(_template_at, place=("spec", "jobTemplate", "spec", "template"))

POD: Final = WorkloadResource("Pod", "pods", "", "v1", ("po",), find_templates=_itself, runs=False)
POD_TEMPLATE: Final = WorkloadResource(
    "PodTemplate", "podtemplates", "", "v1", find_templates=_template, runs=False
)
REPLICATION_CONTROLLER: Final = WorkloadResource(
    "ReplicationController", "replicationcontrollers", "", "v1", ("rc",),
    find_templates=_in_spec, runs=False,
)  # fmt: skip
REPLICA_SET: Final = WorkloadResource(
    "ReplicaSet", "replicasets", "apps", "v1", ("rs",), find_templates=_in_spec, runs=False
)
DEPLOYMENT: Final = WorkloadResource(
    "Deployment", "deployments", "apps", "v1", ("deploy",),
    find_templates=_in_spec, owns=(REPLICA_SET,),
)  # fmt: skip
STATEFUL_SET: Final = WorkloadResource(
    "StatefulSet", "statefulsets", "apps", "v1", ("sts",), find_templates=_in_spec
)
DAEMON_SET: Final = WorkloadResource(
    "DaemonSet", "daemonsets", "apps", "v1", ("ds",), find_templates=_in_spec
)
JOB: Final = WorkloadResource("Job", "jobs", "batch", "v1", find_templates=_in_spec)
CRON_JOB: Final = WorkloadResource(
    "CronJob", "cronjobs", "batch", "v1", ("cj",), find_templates=_in_job, owns=(JOB,)
)
INTEGRATION: Final = Integration(
    "Kubernetes",
    resources=(
        POD,
        POD_TEMPLATE,
        REPLICATION_CONTROLLER,
        REPLICA_SET,
        DEPLOYMENT,
        STATEFUL_SET,
        DAEMON_SET,
        CRON_JOB,
        JOB,
    ),
)
