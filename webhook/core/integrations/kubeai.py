"""KubeAI: an operator that serves models (https://www.kubeai.org).

Its Model names no GPU, but a profile of its own. Source: kubeai-project/kubeai
internal/modelcontroller/model_controller.go, api/k8s/v1/metadata.go.
"""

from typing import Final

from webhook.core.api.workload import Workload
from webhook.core.integrations.integration import Integration, WellKnownLabel

INTEGRATION: Final = Integration(
    "KubeAI",
    well_known_labels=(
        WellKnownLabel("app.kubernetes.io/managed-by", Workload.INFERENCE, "kubeai"),
    ),
)  # fmt: skip
