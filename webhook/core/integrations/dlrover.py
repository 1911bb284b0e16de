"""DLRover: elastic training jobs (https://github.com/intelligent-machine-learning/dlrover).

Source: dlrover/python/common/constants.py, go/elasticjob/api/v1alpha1/elasticjob_types.go.
"""

from typing import Final

from webhook.core.api.workload import Workload
from webhook.core.integrations.integration import (
    Integration,
    KnownProgram,
    PodLabel,
    WellKnownLabel,
    WorkloadResource,
)

_NAME: Final = "elasticjob.dlrover/name"
INTEGRATION: Final = Integration(
    "DLRover",
    resources=(
        WorkloadResource(
            "ElasticJob", "elasticjobs", "elastic.iml.github.io", pod_labels=(PodLabel(_NAME),)
        ),
    ),
    well_known_labels=(
        WellKnownLabel(_NAME, Workload.TRAINING),
    ),
    programs=(
        KnownProgram(Workload.TRAINING, command=r"dlrover-run"),
    ),
)  # fmt: skip
