"""DLRover: elastic training jobs (https://github.com/intelligent-machine-learning/dlrover).

Source: dlrover/python/common/constants.py, go/elasticjob/api/v1alpha1/elasticjob_types.go.
"""

from typing import Final

from webhook.core.api.workload import Workload
from webhook.core.integrations.integration import (
    Integration,
    KnownProgram,
    PodLabel,
    WorkloadResource,
)

_NAME: Final = PodLabel("elasticjob.dlrover/name", Workload.TRAINING)
INTEGRATION: Final = Integration(
    "DLRover",
    resources=(
        WorkloadResource(
            "ElasticJob", "elasticjobs", "elastic.iml.github.io", pod_labels=(_NAME,)
        ),
    ),
    programs=(
        KnownProgram(Workload.TRAINING, command=r"dlrover-run"),
    ),
)  # fmt: skip
