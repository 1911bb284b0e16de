"""Grove: groups of pods for inference in several roles (https://github.com/ai-dynamo/grove).

Source: operator/api/common/labels.go, operator/api/core/v1alpha1.
"""

from typing import Final

from webhook.core.api.workload import Workload
from webhook.core.integrations.integration import (
    Integration,
    PodLabel,
    WellKnownLabel,
    WorkloadResource,
)

_GROUP: Final = "grove.io"
_CLIQUE: Final = "grove.io/podclique"
INTEGRATION: Final = Integration(
    "Grove",
    resources=(
        WorkloadResource(
            "PodCliqueSet", "podcliquesets", _GROUP, short_names=("pcs",),
            pod_labels=(PodLabel(_CLIQUE),),
        ),
        WorkloadResource(
            "PodClique", "podcliques", _GROUP, short_names=("pclq",),
            pod_labels=(PodLabel(_CLIQUE),), runs=False,
        ),
    ),
    well_known_labels=(
        WellKnownLabel(_CLIQUE, Workload.INFERENCE),
    ),
)  # fmt: skip
