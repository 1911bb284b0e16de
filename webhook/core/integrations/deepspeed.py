"""DeepSpeed and Accelerate: launchers of training (https://www.deepspeed.ai/getting-started)."""

from typing import Final

from webhook.core.api.workload import Workload
from webhook.core.integrations.integration import Integration, KnownProgram

INTEGRATION: Final = Integration(
    "DeepSpeed",
    programs=(KnownProgram(Workload.TRAINING, command=r"(?:^|[\s/])deepspeed\s"),),
)
