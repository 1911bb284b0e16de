"""Other servers of models, each by the program that it is started with."""

from typing import Final

from webhook.core.api.workload import Workload
from webhook.core.integrations.integration import Integration, KnownProgram

INTEGRATION: Final = Integration(
    "Model servers",
    programs=(
        # github.com/ollama/ollama, ggml-org/llama.cpp tools/server, InternLM/lmdeploy
        KnownProgram(
            Workload.INFERENCE,
            command=r"ollama\s+serve|llama-server|lmdeploy\s+serve|huggingfaceserver",
            image=r"/ollama[:@]|/lmdeploy[:@]|huggingfaceserver|/llama\.cpp[:@]server",
        ),
        # pytorch/serve, tensorflow/serving, SeldonIO/MLServer, michaelfeil/infinity
        KnownProgram(
            Workload.INFERENCE,
            command=r"torchserve|tensorflow_model_server|mlserver\s+start|infinity_emb",
            image=r"/torchserve[:@-]|tensorflow/serving|/mlserver[:@]|/infinity[:@]",
        ),
    ),
)
