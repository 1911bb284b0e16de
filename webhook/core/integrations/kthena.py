"""Kthena: models served by groups of roles, of Volcano's (https://github.com/volcano-sh/kthena).

Source: pkg/apis/workload/v1alpha1/labels.go, pkg/model-serving-controller/utils/utils.go.
"""

from typing import Final

from webhook.core.api.workload import Workload
from webhook.core.integrations.integration import Integration, PodLabel, WorkloadResource

INTEGRATION: Final = Integration(
    "Kthena",
    resources=(
        WorkloadResource(
            "ModelServing", "modelservings", "workload.serving.volcano.sh",
            pod_labels=(PodLabel("modelserving.volcano.sh/name", Workload.INFERENCE),),
        ),
    ),
)  # fmt: skip
