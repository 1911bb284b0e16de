"""PyTorch: its launcher of distributed training (https://pytorch.org/docs/stable/elastic/run.html)."""

from typing import Final

from webhook.core.api.workload import Workload
from webhook.core.integrations.integration import Integration, KnownProgram

INTEGRATION: Final = Integration(
    "PyTorch",
    programs=(
        KnownProgram(Workload.TRAINING, command=r"torchrun|torch\.distributed\.(run|launch)"),
    ),
)
