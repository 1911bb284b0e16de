"""vLLM: a server of language models (https://docs.vllm.ai/en/latest/cli)."""

from typing import Final

from webhook.core.api.workload import Workload
from webhook.core.integrations.integration import Integration, KnownProgram

INTEGRATION: Final = Integration(
    "vLLM",
    programs=(
        KnownProgram(
            Workload.INFERENCE,
            command=r"vllm\s+serve|vllm\.entrypoints\.(openai\.)?api_server|dynamo\.vllm"
            r"|--model[=\s].{0,400}--tensor-parallel-size",  # the arguments of its image
            image=r"/vllm(-openai|-cpu|-tpu)?[:@]|vllm-openai|vllm-runtime|/vllm-cuda|vllm-serve[:@]",
        ),
    ),
)
