"""Triton Inference Server and TensorRT-LLM (https://docs.nvidia.com/deeplearning/triton-inference-server)."""

from typing import Final

from webhook.core.api.workload import Workload
from webhook.core.integrations.integration import Integration, KnownProgram

INTEGRATION: Final = Integration(
    "NVIDIA Triton",
    programs=(
        KnownProgram(
            Workload.INFERENCE,
            command=r"tritonserver|trtllm-serve|dynamo\.trtllm",
            image=r"/tritonserver[:@]|tensorrtllm-runtime",
        ),
    ),
)
