"""Knative Serving: pods that answer requests (knative/serving pkg/apis/serving/register.go)."""

from typing import Final

from webhook.core.api.workload import Workload
from webhook.core.integrations.integration import Integration, PodLabel, WorkloadResource

_SERVICE: Final = PodLabel("serving.knative.dev/service", Workload.INFERENCE)
INTEGRATION: Final = Integration(
    "Knative Serving",
    resources=(
        WorkloadResource(
            "Service", "services", "serving.knative.dev", short_names=("ksvc",),
            pod_labels=(_SERVICE,),
        ),
    ),
)  # fmt: skip
