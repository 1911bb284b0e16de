"""Seldon Core: servers of models (https://docs.seldon.ai).

Source: SeldonIO/seldon-core operator/pkg/constants/constants.go (v2), and its v1 operator
(machinelearning.seldon.io).
"""

from typing import Final

from webhook.core.api.workload import Workload
from webhook.core.integrations.integration import Integration, PodLabel, WorkloadResource

_SERVER: Final = PodLabel("seldon-server-name", Workload.INFERENCE)
_DEPLOYMENT: Final = PodLabel("seldon-deployment-id", Workload.INFERENCE)
INTEGRATION: Final = Integration(
    "Seldon Core",
    resources=(
        WorkloadResource("Server", "servers", "mlops.seldon.io", pod_labels=(_SERVER,)),
        WorkloadResource(
            "ServerConfig", "serverconfigs", "mlops.seldon.io",
            pod_labels=(_SERVER,), runs=False,
        ),
        WorkloadResource(
            "SeldonDeployment", "seldondeployments", "machinelearning.seldon.io",
            short_names=("sdep",), pod_labels=(_DEPLOYMENT,),
        ),
    ),
)  # fmt: skip
