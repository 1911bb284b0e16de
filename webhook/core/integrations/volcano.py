"""Volcano: batch jobs of several tasks (https://volcano.sh).

Source: volcano-sh/volcano pkg/controllers/job/job_controller_util.go, docs/design/
hyperjob-multi-cluster-job-splitting.md.
"""

from typing import Final

from webhook.core.api.workload import Workload
from webhook.core.integrations.integration import Integration, PodLabel, WorkloadResource

_JOB_NAME: Final = PodLabel("volcano.sh/job-name", Workload.TRAINING)
JOB: Final = WorkloadResource(
    "Job", "jobs", "batch.volcano.sh", short_names=("vcjob",), pod_labels=(_JOB_NAME,)
)
INTEGRATION: Final = Integration(
    "Volcano",
    resources=(
        JOB,
        WorkloadResource(
            "JobTemplate", "jobtemplates", "flow.volcano.sh",
            pod_labels=(_JOB_NAME,), runs=False,
        ),
        WorkloadResource(
            "HyperJob", "hyperjobs", "training.volcano.sh", pod_labels=(_JOB_NAME,)
        ),
        WorkloadResource(
            "CronJob", "cronjobs", "batch.volcano.sh", short_names=("cronvcjob",),
            pod_labels=(_JOB_NAME,), owns=(JOB,),
        ),
    ),
)  # fmt: skip
