"""LeaderWorkerSet: groups of a leader and its workers (https://lws.sigs.k8s.io)."""

from typing import Final

from webhook.core.integrations.integration import Integration, WorkloadResource

LEADER_WORKER_SET: Final = WorkloadResource(
    "LeaderWorkerSet",
    "leaderworkersets",
    "leaderworkerset.x-k8s.io",
    short_names=("lws",),
    group_sizes={"workerTemplate": "size"},
)
INTEGRATION: Final = Integration("LeaderWorkerSet", resources=(LEADER_WORKER_SET,))
