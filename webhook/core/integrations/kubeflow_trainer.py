"""Kubeflow Trainer v2: a TrainJob makes a JobSet of its runtime (kubeflow/trainer)."""

from typing import Final

from webhook.core.api.workload import Workload
from webhook.core.integrations.integration import Integration, WellKnownLabel, WorkloadResource
from webhook.core.integrations.jobset import JOB_SET

_GROUP: Final = "trainer.kubeflow.org"
TRAIN_JOB: Final = WorkloadResource("TrainJob", "trainjobs", _GROUP, owns=(JOB_SET,))
TRAINING_RUNTIME: Final = WorkloadResource(
    "TrainingRuntime", "trainingruntimes", _GROUP, runs=False
)
INTEGRATION: Final = Integration(
    "Kubeflow Trainer",
    resources=(TRAIN_JOB, TRAINING_RUNTIME),
    well_known_labels=(
        WellKnownLabel("trainer.kubeflow.org/trainjob-ancestor-step", Workload.TRAINING),
    ),
)
