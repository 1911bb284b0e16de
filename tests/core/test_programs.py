"""What people run, word for word as its project documents it, and what it is taken for."""

import re

import pytest

from webhook.core.api.pod import Container
from webhook.core.decision import hints
from webhook.core.integrations import registry

COMMANDS = {
    "inference": """
        vllm serve Qwen/Qwen3-8B | python3 -m vllm.entrypoints.openai.api_server --model x
        python3 -m dynamo.vllm --model x | python -m sglang.launch_server --model-path x
        sglang serve --model-path x | python3 -m dynamo.sglang | python3 -m dynamo.trtllm
        tritonserver --model-repository=/m | trtllm-serve x | text-generation-launcher --model-id x
        text-embeddings-router --model-id x | ollama serve | /app/llama-server -m x.gguf
        lmdeploy serve api_server x | python3 -m huggingfaceserver | torchserve --start
        tensorflow_model_server --port=8500 | mlserver start . | infinity_emb v2 --model-id x
        bentoml serve . | xinference-local -H 0.0.0.0 | mlc_llm serve x | serve run config.yaml
        ray serve run app:app | local-ai run | lorax-launcher --model-id x | tabby serve --model x
        litgpt serve x | aphrodite run x | python -m lightllm.server.api_server
        python -m fastchat.serve.model_worker | python -m llama_cpp.server --model x
        llamafactory-cli api x.yaml | swift deploy --model x
        python3 /workspace/vllm/inference_api.py | --model x --tensor-parallel-size 2""",
    "training": """
        torchrun --nproc_per_node=8 x.py | python -m torch.distributed.run x.py | python train.py
        python -m torch.distributed.launch x.py | accelerate launch x.py | deepspeed x.py
        horovodrun -np 4 python x.py | axolotl train x.yml | accelerate launch -m axolotl.cli.train
        llamafactory-cli train x.yaml | tune run full_finetune_single_device | trl sft --model x
        python3 -m verl.trainer.main_ppo | swift rlhf --model x | trl grpo | litgpt finetune x
        python -m openrlhf.cli.train_ppo_ray | litgpt pretrain x | xtuner train x | oumi train -c x
        yolo train model=x | yolo detect train data=coco8.yaml | python fine_tune_bert.py
        dlrover-run --nnodes=2 x.py | hyperpodrun --nnodes=2 x.py""",
    "dev": """
        jupyter lab | start-notebook.sh | jupyterhub-singleuser --port=8888 | marimo edit x.py
        code-server --bind-addr 0.0.0.0:8080 | openvscode-server --port 3000 | coder agent
        rserver --server-daemonize=0 | rsession --program-mode=server""",
    "": """
        sleep infinity | python -m http.server | yolo predict model=x | litgpt download x
        swift export --model x | uvicorn app:app | yolo settings reset""",
}
IMAGES = {
    "inference": """
        vllm/vllm-openai:v0.11.0 registry.redhat.io/rhaiis/vllm-cuda-rhel9:3.2
        us-docker.pkg.dev/vertex-ai/vertex-vision-model-garden-dockers/pytorch-vllm-serve:x
        lmsysorg/sglang:latest nvcr.io/nvidia/tritonserver:25.09-py3 nvcr.io/nim/meta/llama:1
        ghcr.io/huggingface/text-embeddings-inference:1.8 ollama/ollama:0.12
        openmmlab/lmdeploy:latest
        ghcr.io/ggml-org/llama.cpp:server-cuda pytorch/torchserve:latest-gpu tensorflow/serving:2
        seldonio/mlserver:1.6 michaelf34/infinity:latest xprobe/xinference:v1.10
        localai/localai:latest-gpu quay.io/go-skynet/local-ai:latest ghcr.io/predibase/lorax:main
        tabbyml/tabby ghcr.io/speaches-ai/speaches:latest-cuda alpindale/aphrodite-engine:latest
        ghcr.io/modeltc/lightllm:main fedirz/faster-whisper-server:latest-cuda
        763104351884.dkr.ecr.us-east-1.amazonaws.com/djl-inference:0.33.0-lmi15
        763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-inference:2.6-gpu
        763104351884.dkr.ecr.us-east-1.amazonaws.com/huggingface-pytorch-inference:2
        nvcr.io/nvidia/ai-dynamo/vllm-runtime:0.6.0 kserve/huggingfaceserver:latest-gpu
        nvcr.io/nvidia/ai-dynamo/tensorrtllm-runtime:0.6.0
        ghcr.io/huggingface/text-generation-inference:3.3""",
    "dev": """
        quay.io/jupyter/pytorch-notebook:cuda12-latest codercom/code-server:latest
        registry.example.com/lab-jupyter@sha256:0""",
    "": """
        python:3.12 pytorch/pytorch:2.9 nvcr.io/nvidia/cuda:13.0 llmservice/vllm-serve-proxy:1
        763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:2.7 x/tabby-terminal:1""",
}


def taken_for(container: Container) -> str:
    found = hints.workload_of_programs([container])
    return found[0].value if found else ""


@pytest.mark.parametrize("expected", COMMANDS)
def test_commands(expected: str) -> None:
    """By itself, as arguments of the image's own program, and in a shell's script."""
    found: dict[str, set[str]] = {}
    for line in re.split(r" \| |\n\s+", COMMANDS[expected].strip()):
        script = f"set -e\nexec {line}"
        words = tuple(line.split())
        ways = (Container(command=words), Container(args=words), Container(args=("-c", script)))
        found[line] = {kind for kind in map(taken_for, ways) if kind != expected}
    assert {line: kinds for line, kinds in found.items() if kinds} == {}


@pytest.mark.parametrize("expected", IMAGES)
def test_images(expected: str) -> None:
    found = {each: taken_for(Container(image=each)) for each in IMAGES[expected].split()}
    assert {each: kind for each, kind in found.items() if kind != expected} == {}


def test_each_alternative_of_a_program_is_tried() -> None:
    lines, images = " \n ".join(COMMANDS.values()), " \n/".join(IMAGES.values()).replace(" ", "/")
    missed = [
        part
        for program, _ in registry.programs()
        for pattern, text in ((program.command, lines), (program.image, images))
        for part in re.split(r"\|(?![^(]*\))", pattern or "")
        if part and not re.search(part, text)
    ]
    assert missed == []
