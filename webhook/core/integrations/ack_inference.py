"""Labels of inference workloads on Alibaba Cloud's ACK.

Source: AliyunContainerService/ai-models-on-ack.
"""

from typing import Final

from webhook.core.api.workload import Workload
from webhook.core.integrations.integration import Integration, WellKnownLabel

INTEGRATION: Final = Integration(
    "Alibaba Cloud ACK",
    well_known_labels=(
        WellKnownLabel("alibabacloud.com/inference-workload", Workload.INFERENCE),
    ),
)  # fmt: skip
