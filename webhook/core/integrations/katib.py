"""Kubeflow Katib: experiments of many trials, each an object that trains.

Source: kubeflow/katib pkg/webhook/v1beta1/pod/utils.go, pkg/controller.v1beta1/consts/const.go.
"""

from typing import Final

from webhook.core.api.workload import Workload
from webhook.core.integrations.field_path import parse_pattern
from webhook.core.integrations.integration import (
    Integration,
    PodLabel,
    WellKnownLabel,
    WorkloadResource,
)

_GROUP: Final = "kubeflow.org"
_TRIAL: Final = "katib.kubeflow.org/trial"
INTEGRATION: Final = Integration(
    "Kubeflow Katib",
    resources=(
        WorkloadResource(
            "Experiment", "experiments", _GROUP, pod_labels=(PodLabel(_TRIAL),), runs=False,
            embeds=(parse_pattern("spec.trialTemplate.trialSpec"),),
        ),
        WorkloadResource(
            "Trial", "trials", _GROUP, pod_labels=(PodLabel(_TRIAL),), runs=False,
            embeds=(parse_pattern("spec.runSpec"),),
        ),
    ),
    well_known_labels=(
        WellKnownLabel(_TRIAL, Workload.TRAINING),
    ),
)  # fmt: skip
