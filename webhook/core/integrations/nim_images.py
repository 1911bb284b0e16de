"""NVIDIA NIM: images that each serve one model (https://docs.nvidia.com/nim)."""

from typing import Final

from webhook.core.api.workload import Workload
from webhook.core.integrations.integration import Integration, KnownProgram

INTEGRATION: Final = Integration(
    "NVIDIA NIM",
    programs=(KnownProgram(Workload.INFERENCE, image=r"nvcr\.io/nim/"),),
)
