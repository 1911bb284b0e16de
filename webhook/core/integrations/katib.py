"""Kubeflow Katib: experiments of many trials, each an object that trains.

Source: kubeflow/katib pkg/webhook/v1beta1/pod/utils.go, pkg/controller.v1beta1/consts/const.go.
"""

from typing import Final

from webhook.core.api.workload import Workload
from webhook.core.integrations.field_path import parse_pattern
from webhook.core.integrations.integration import Integration, PodLabel, WorkloadResource

_GROUP: Final = "kubeflow.org"
_TRIAL: Final = PodLabel("katib.kubeflow.org/trial", Workload.TRAINING)
INTEGRATION: Final = Integration(
    "Kubeflow Katib",
    resources=(
        WorkloadResource(
            "Experiment", "experiments", _GROUP, pod_labels=(_TRIAL,), runs=False,
            embeds=(parse_pattern("spec.trialTemplate.trialSpec"),),
        ),
        WorkloadResource(
            "Trial", "trials", _GROUP, pod_labels=(_TRIAL,), runs=False,
            embeds=(parse_pattern("spec.runSpec"),),
        ),
    ),
)  # fmt: skip
