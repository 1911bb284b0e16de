"""Labels of Google's samples of inference servers on GKE.

Source: GoogleCloudPlatform/kubernetes-engine-samples ai-ml.
"""

from typing import Final

from webhook.core.api.workload import Workload
from webhook.core.integrations.integration import Integration, WellKnownLabel

INTEGRATION: Final = Integration(
    "GKE samples",
    well_known_labels=(
        WellKnownLabel("ai.gke.io/inference-server", Workload.INFERENCE),
    ),
    model_keys=("ai.gke.io/model",),
)  # fmt: skip
