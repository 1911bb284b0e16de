"""Other launchers and recipes of training, each by the program that it is started with."""

from typing import Final

from webhook.core.api.workload import Workload
from webhook.core.integrations.integration import Integration, KnownProgram

INTEGRATION: Final = Integration(
    "Training programs",
    programs=(
        # scripts that say so by their names
        KnownProgram(
            Workload.TRAINING,
            command=r"(?:\b|_)(?:pre)?train\w{0,40}\.py\b|fine[-_]?tun\w{0,40}\.py\b",
        ),
        # huggingface/accelerate, whose launcher serves models too; AWS's HyperPod training operator
        KnownProgram(
            Workload.TRAINING,
            command=r"accelerate\s+launch(?!.{0,200}inference)|hyperpodrun",
        ),
        # horovod/horovod, axolotl-ai-cloud/axolotl, hiyouga/LLaMA-Factory, pytorch/torchtune
        KnownProgram(
            Workload.TRAINING,
            command=r"horovodrun|axolotl(\.cli\.|\s+)train|llamafactory-cli\s+train|tune\s+run",
        ),
        # volcengine/verl, modelscope/ms-swift, OpenRLHF/OpenRLHF, huggingface/trl
        KnownProgram(
            Workload.TRAINING,
            command=r"verl\.trainer|(swift|trl)\s+(sft|pt|rlhf|dpo|grpo)|openrlhf\.cli\.train",
        ),
        # Lightning-AI/litgpt, InternLM/xtuner, oumi-ai/oumi, ultralytics/ultralytics
        KnownProgram(
            Workload.TRAINING,
            command=r"litgpt\s+(finetune|pretrain)|(xtuner|oumi)\s+train|yolo\s+(\w+\s+)?train\b",
        ),
    ),
)
