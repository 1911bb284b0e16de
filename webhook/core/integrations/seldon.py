"""Seldon Core: servers of models (https://docs.seldon.ai).

Source: SeldonIO/seldon-core operator/pkg/constants/constants.go (v2), and its v1 operator
(machinelearning.seldon.io).
"""

from typing import Final

from webhook.core.api.workload import Workload
from webhook.core.integrations.integration import (
    Integration,
    PodLabel,
    WellKnownLabel,
    WorkloadResource,
)

_SERVER: Final = "seldon-server-name"
_DEPLOYMENT: Final = "seldon-deployment-id"
INTEGRATION: Final = Integration(
    "Seldon Core",
    resources=(
        WorkloadResource("Server", "servers", "mlops.seldon.io", pod_labels=(PodLabel(_SERVER),)),
        WorkloadResource(
            "ServerConfig", "serverconfigs", "mlops.seldon.io",
            pod_labels=(PodLabel(_SERVER),), runs=False,
        ),
        WorkloadResource(
            "SeldonDeployment", "seldondeployments", "machinelearning.seldon.io",
            short_names=("sdep",), pod_labels=(PodLabel(_DEPLOYMENT),),
        ),
    ),
    well_known_labels=(
        WellKnownLabel(_SERVER, Workload.INFERENCE),
        WellKnownLabel(_DEPLOYMENT, Workload.INFERENCE),
    ),
)  # fmt: skip
