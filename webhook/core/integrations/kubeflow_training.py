"""Kubeflow training-operator, the jobs of Trainer v1 (kubeflow/trainer, branch release-1.9)."""

from typing import Final

from webhook.core.api.workload import Workload
from webhook.core.integrations.integration import Integration, PodLabel, WorkloadResource

_JOB_NAME: Final = PodLabel("training.kubeflow.org/job-name", Workload.TRAINING)
_KINDS: Final = ("PyTorchJob", "TFJob", "MPIJob", "XGBoostJob", "PaddleJob", "JAXJob")
INTEGRATION: Final = Integration(
    "Kubeflow training-operator",
    resources=tuple(
        WorkloadResource(kind, f"{kind.lower()}s", "kubeflow.org", pod_labels=(_JOB_NAME,))
        for kind in _KINDS
    ),
)
