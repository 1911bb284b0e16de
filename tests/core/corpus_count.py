"""Counts what is recognised in manifests: `python tests/core/corpus_count.py DIR|FILE…`.

| word | a template with a GPU |
|---|---|
| told | on whose pod something tells people what it is for: WORDS, wider than the webhook's own |
| recognised | whose workload the webhook knows without a label of ours |
| mention | a GPU that is named where no pod is found |

Every object is reviewed on its own; labels of ours are taken away first.
"""

import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from webhook.cli import loaders, manifests
from webhook.core import mentions
from webhook.core.api.pod import Pod
from webhook.core.decision.classify import classify
from webhook.core.integrations import registry
from webhook.core.integrations.templates import PodTemplate
from webhook.core.policy.values import Policy

WORDS = re.compile(
    r"vllm|sglang|text-generation-inference|text-embeddings|text-generation-launcher|triton(?!-lang)"
    r"|trtllm|/nim/|nim-service|tgi\b|lmdeploy|ollama|llama\.cpp|llama-server|torchserve|serving"
    r"|inference|serve\b|model-server|predictor|huggingfaceserver|aibrix|rbg\.|rolebasedgroup|dynamo"
    r"|grove\.io|seldon|kubeai|llmaz|llm-d|ome\.io|kserve|leaderworkerset"
    r"|torchrun|deepspeed|torch\.distributed|train(?!sformer|ium)|finetun|fine-tun|horovod|mpirun"
    r"|axolotl|llamafactory|verl|job-name|jobset|elasticjob|katib"
    r"|jupyter|notebook",
    re.IGNORECASE,
)
_OURS = "gpu-sharing.io/"


@dataclass
class Count:
    """How many templates of a kind request a GPU, are told and recognised."""

    asking: int = 0
    told: int = 0
    recognised: int = 0


def templates_with_gpus(
    subject: dict[str, Any], policy: Policy
) -> Iterator[tuple[PodTemplate, Pod]]:
    """Yield the templates of an object that request a GPU, without our labels."""
    for each in registry.find_templates(subject):
        try:
            pod = msgspec.convert(_unlabelled(each.pod), Pod)
        except msgspec.ValidationError:
            continue
        question = classify(pod, {}, policy)
        if question.requests or question.violations:
            yield each, pod


def _unlabelled(pod: dict[str, Any]) -> dict[str, Any]:
    metadata = pod.get("metadata") or {}
    labels = metadata.get("labels") or {}
    kept = {key: value for key, value in labels.items() if not str(key).startswith(_OURS)}
    return {**pod, "metadata": {**metadata, "labels": kept}}


def tells(pod: Pod) -> bool:
    """Tell whether labels, images or commands of a pod tell people what it is for."""
    metadata = pod.metadata
    texts = [f"{k}={v}" for k, v in ((metadata and metadata.labels) or {}).items()]
    for each in pod.spec.containers or ():
        texts += [each.image or "", *(each.command or ()), *(each.args or ())]
    return any(WORDS.search(text) for text in texts)


def count(paths: list[str]) -> tuple[dict[str, Count], list[str]]:
    """Return the counts by group and kind, and GPUs named outside the pods."""
    policy = loaders.load_policy(None)
    counts: dict[str, Count] = {}
    missed = []
    for found in manifests.read_manifests(paths):
        if not isinstance(found, manifests.Manifest):
            continue
        group = str(found.value.get("apiVersion", "")).rpartition("/")[0]
        here = counts.setdefault(f"{found.value['kind']}.{group}".rstrip("."), Count())
        for _, pod in templates_with_gpus(found.value, policy):
            known = classify(pod, {}, policy).workload != "unclassified"
            here.asking += 1
            here.told += known or tells(pod)
            here.recognised += known
        read = registry.find_templates(found.value)
        missed += [
            f"{found.source}: {each.path}" for each in mentions.unread_mentions(found.value, read)
        ]
    return {kind: each for kind, each in counts.items() if each.asking}, missed


def main() -> None:
    """Print the counts of the files and folders that are named."""
    counts, missed = count(sys.argv[1:])
    total = Counter[str]()
    print("| kind | with a GPU | told | recognised |\n|---|---|---|---|")  # noqa: T201
    for kind, each in sorted(counts.items(), key=lambda item: -item[1].asking):
        print(f"| {kind} | {each.asking} | {each.told} | {each.recognised} |")  # noqa: T201
        total.update(asking=each.asking, told=each.told, recognised=each.recognised)
    share = 100 * total["recognised"] // max(total["told"], 1)
    print(  # noqa: T201
        f"| all | {total['asking']} | {total['told']} | {total['recognised']} ({share} %) |\n\n"
        f"{len(missed)} mentions of GPUs outside the pods found, each told in a note:"
    )
    print("\n".join(missed))  # noqa: T201


if __name__ == "__main__":
    main()
