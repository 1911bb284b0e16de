"""Grove: groups of pods for inference in several roles (https://github.com/ai-dynamo/grove).

Source: operator/api/common/labels.go, operator/api/core/v1alpha1.
"""

from typing import Final

from webhook.core.api.workload import Workload
from webhook.core.integrations.integration import Integration, PodLabel, WorkloadResource

_GROUP: Final = "grove.io"
_CLIQUE: Final = PodLabel("grove.io/podclique", Workload.INFERENCE)
INTEGRATION: Final = Integration(
    "Grove",
    resources=(
        WorkloadResource(
            "PodCliqueSet", "podcliquesets", _GROUP, short_names=("pcs",),
            pod_labels=(_CLIQUE,),
        ),
        WorkloadResource(
            "PodClique", "podcliques", _GROUP, short_names=("pclq",),
            pod_labels=(_CLIQUE,), runs=False,
        ),
    ),
)  # fmt: skip
