"""SGLang: a server of language models (https://docs.sglang.ai)."""

from typing import Final

from webhook.core.api.workload import Workload
from webhook.core.integrations.integration import Integration, KnownProgram

INTEGRATION: Final = Integration(
    "SGLang",
    programs=(
        KnownProgram(
            Workload.INFERENCE,
            command=r"sglang\.launch_server|sglang\s+serve|dynamo\.sglang",
            image=r"/sglang(-runtime)?[:@]",
        ),
    ),
)
