"""Knative Serving: pods that answer requests (knative/serving pkg/apis/serving/register.go)."""

from typing import Final

from webhook.core.api.workload import Workload
from webhook.core.integrations.integration import (
    Integration,
    PodLabel,
    WellKnownLabel,
    WorkloadResource,
)

_SERVICE: Final = "serving.knative.dev/service"
INTEGRATION: Final = Integration(
    "Knative Serving",
    resources=(
        WorkloadResource(
            "Service", "services", "serving.knative.dev", short_names=("ksvc",),
            pod_labels=(PodLabel(_SERVICE),),
        ),
    ),
    well_known_labels=(WellKnownLabel(_SERVICE, Workload.INFERENCE),),
)  # fmt: skip
