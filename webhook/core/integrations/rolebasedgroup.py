"""RoleBasedGroup: the roles of a served model as one group (https://github.com/sgl-project/rbg).

Source: api/workloads/constants/label.go, api/workloads/v1alpha1/constant.go.
"""

from typing import Final

from webhook.core.api.workload import Workload
from webhook.core.integrations.integration import (
    Integration,
    PodLabel,
    WellKnownLabel,
    WorkloadResource,
)
from webhook.core.integrations.leaderworkerset import LEADER_WORKER_SET

_GROUP: Final = "workloads.x-k8s.io"
_NAME: Final = PodLabel("rbg.workloads.x-k8s.io/group-name", Workload.INFERENCE)
_OLDER_NAME: Final = "rolebasedgroup.workloads.x-k8s.io/name"  # v1alpha1
INTEGRATION: Final = Integration(
    "RoleBasedGroup",
    resources=(
        WorkloadResource(
            "RoleBasedGroup", "rolebasedgroups", _GROUP, short_names=("rbg",),
            pod_labels=(_NAME,), owns=(LEADER_WORKER_SET,),
        ),
        WorkloadResource(
            "RoleBasedGroupSet", "rolebasedgroupsets", _GROUP, short_names=("rbgs",),
            pod_labels=(_NAME,), runs=False,
        ),
        WorkloadResource(
            "RoleInstanceSet", "roleinstancesets", _GROUP, pod_labels=(_NAME,), runs=False
        ),
        WorkloadResource("RoleInstance", "roleinstances", _GROUP, pod_labels=(_NAME,), runs=False),
        WorkloadResource("InstanceSet", "instancesets", _GROUP, pod_labels=(_NAME,), runs=False),
    ),
    well_known_labels=(
        WellKnownLabel(_OLDER_NAME, Workload.INFERENCE),
    ),
)  # fmt: skip
