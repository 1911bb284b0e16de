"""LeaderWorkerSet: groups of a leader and its workers (https://lws.sigs.k8s.io).

Source: kubernetes-sigs/lws api/leaderworkerset/v1/leaderworkerset_types.go. It is made for models
that are served by several nodes.
"""

from typing import Final

from webhook.core.api.workload import Workload
from webhook.core.integrations.integration import (
    Integration,
    PodLabel,
    WellKnownLabel,
    WorkloadResource,
)

_NAME: Final = "leaderworkerset.sigs.k8s.io/name"
LEADER_WORKER_SET: Final = WorkloadResource(
    "LeaderWorkerSet",
    "leaderworkersets",
    "leaderworkerset.x-k8s.io",
    short_names=("lws",),
    pod_labels=(PodLabel(_NAME),),
    group_sizes={"workerTemplate": "size"},
)
INTEGRATION: Final = Integration(
    "LeaderWorkerSet",
    resources=(LEADER_WORKER_SET,),
    well_known_labels=(WellKnownLabel(_NAME, Workload.INFERENCE),),
)
