"""KubeRay (https://docs.ray.io/en/latest/cluster/kubernetes)."""

from typing import Final

from webhook.core.api.workload import Workload
from webhook.core.integrations.integration import (
    Integration,
    PodLabel,
    WellKnownLabel,
    WorkloadResource,
)

_GROUP: Final = "ray.io"
_SERVE: Final = "ray.io/serve"  # on the pods of a RayService only
RAY_CLUSTER: Final = WorkloadResource("RayCluster", "rayclusters", _GROUP)
RAY_JOB: Final = WorkloadResource("RayJob", "rayjobs", _GROUP, owns=(RAY_CLUSTER,))
RAY_SERVICE: Final = WorkloadResource(
    "RayService",
    "rayservices",
    _GROUP,
    pod_labels=(PodLabel(_SERVE, value="true"),),
    owns=(RAY_CLUSTER,),
)
INTEGRATION: Final = Integration(
    "KubeRay",
    resources=(RAY_SERVICE, RAY_JOB, RAY_CLUSTER),
    well_known_labels=(
        WellKnownLabel(_SERVE, Workload.INFERENCE),
        WellKnownLabel("ray.io/originated-from-crd", Workload.INFERENCE, "RayService"),
    ),
)
