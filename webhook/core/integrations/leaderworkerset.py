"""LeaderWorkerSet: groups of a leader and its workers (https://lws.sigs.k8s.io).

Source: kubernetes-sigs/lws api/leaderworkerset/v1/leaderworkerset_types.go. It is made for models
that are served by several nodes.
"""

from typing import Final

from webhook.core.api.workload import Workload
from webhook.core.integrations.integration import Integration, PodLabel, WorkloadResource

_NAME: Final = PodLabel("leaderworkerset.sigs.k8s.io/name", Workload.INFERENCE)
LEADER_WORKER_SET: Final = WorkloadResource(
    "LeaderWorkerSet",
    "leaderworkersets",
    "leaderworkerset.x-k8s.io",
    short_names=("lws",),
    pod_labels=(_NAME,),
    group_sizes={"workerTemplate": "size"},
)
INTEGRATION: Final = Integration(
    "LeaderWorkerSet",
    resources=(LEADER_WORKER_SET,),
)
