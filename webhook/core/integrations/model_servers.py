"""Other servers of models, each by the program that it is started with."""

from typing import Final

from webhook.core.api.workload import Workload
from webhook.core.integrations.integration import Integration, KnownProgram, WellKnownLabel

INTEGRATION: Final = Integration(
    "Model servers",
    well_known_labels=(  # bentoml/yatai-deployment
        WellKnownLabel("yatai.ai/bento-deployment", Workload.INFERENCE),
    ),
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
        # bentoml/BentoML, xorbitsai/inference, mlc-ai/mlc-llm, ray-project/ray, mudler/LocalAI
        KnownProgram(
            Workload.INFERENCE,
            command=r"bentoml\s+serve|xinference-|mlc_llm\s+serve|(?:^|\s)serve\s+run\s|local-ai",
            image=r"/xinference[:@]|/local-?ai[:@]|/speaches[:@]",
        ),
        # predibase/lorax, TabbyML/tabby, aphrodite-engine, ModelTC/LightLLM, Lightning-AI/litgpt
        KnownProgram(
            Workload.INFERENCE,
            command=r"lorax-launcher|(tabby|litgpt)\s+serve|aphrodite\s+run|lightllm\.server",
            image=r"/lorax[:@]|tabbyml/tabby|/aphrodite-engine[:@]|/lightllm[:@]",
        ),
        # lm-sys/FastChat, abetlen/llama-cpp-python, hiyouga/LLaMA-Factory, modelscope/ms-swift
        KnownProgram(
            Workload.INFERENCE,
            command=r"fastchat\.serve|llama_cpp\.server|llamafactory-cli\s+api|swift\s+deploy",
        ),
        # deepjavalibrary/djl-serving, AWS' other containers for inference, SYSTRAN/faster-whisper
        KnownProgram(
            Workload.INFERENCE,
            image=r"/(djl|pytorch|huggingface-pytorch)-inference[:@]|faster-whisper-server[:@]",
        ),
    ),
)
