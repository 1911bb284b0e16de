"""AIBrix: services of models in roles (https://aibrix.readthedocs.io).

Source: vllm-project/aibrix pkg/constants/model.go, pkg/controller/constants/stormservice.go,
pkg/controller/roleset/utils.go.
"""

from typing import Final

from webhook.core.api.workload import Workload
from webhook.core.integrations.integration import (
    Integration,
    PodLabel,
    WellKnownLabel,
    WorkloadResource,
)
from webhook.core.integrations.ray import RAY_CLUSTER

_GROUP: Final = "orchestration.aibrix.ai"
_MODEL: Final = "model.aibrix.ai/name"
_NAME: Final = PodLabel("storm-service-name", Workload.INFERENCE)
_ROLE_SET: Final = PodLabel("roleset-name", Workload.INFERENCE)
_POD_SET: Final = PodLabel("stormservice.orchestration.aibrix.ai/podset-name", Workload.INFERENCE)
_STORM_SERVICE: Final = WorkloadResource(
    "StormService", "stormservices", _GROUP, pod_labels=(_NAME,)
)
INTEGRATION: Final = Integration(
    "AIBrix",
    resources=(
        _STORM_SERVICE,
        WorkloadResource("RoleSet", "rolesets", _GROUP, pod_labels=(_ROLE_SET,)),
        WorkloadResource("PodSet", "podsets", _GROUP, pod_labels=(_POD_SET,)),
        WorkloadResource("RayClusterFleet", "rayclusterfleets", _GROUP, owns=(RAY_CLUSTER,)),
        WorkloadResource(
            "RayClusterReplicaSet", "rayclusterreplicasets", _GROUP, owns=(RAY_CLUSTER,), runs=False
        ),
    ),
    well_known_labels=(
        WellKnownLabel(_MODEL, Workload.INFERENCE),
    ),
    model_keys=(_MODEL,),
)  # fmt: skip
