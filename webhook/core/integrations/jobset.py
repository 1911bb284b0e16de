"""JobSet: groups of Jobs that run together (https://jobset.sigs.k8s.io)."""

from typing import Final

from webhook.core.api.workload import Workload
from webhook.core.integrations.integration import Integration, PodLabel, WorkloadResource

JOB_SET_NAME: Final = "jobset.sigs.k8s.io/jobset-name"
JOB_SET: Final = WorkloadResource(
    "JobSet", "jobsets", "jobset.x-k8s.io", pod_labels=(PodLabel(JOB_SET_NAME, Workload.TRAINING),)
)
INTEGRATION: Final = Integration(
    "JobSet",
    resources=(JOB_SET,),
)
