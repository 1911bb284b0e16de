"""The memory that inference needs, estimated from the model that its containers name.

| where a model is named, the first that says a size counts | source |
|---|---|
| `--model`, `--model-path`, `--model_name` …; what follows `vllm serve` | vLLM, SGLang, KServe |
| `--model-id` | text-generation-launcher |
| `MODEL_ID=…` and the like, as variable or in a shell script | TGI, NIM, samples |
| labels and annotations that integrations name, such as KServe's storageUri | `model_keys` |
| the image | NIM: `nvcr.io/nim/meta/llama-3.1-8b-instruct` |

    MiB = parameters x bytes / GPUs x 1.1 + 2048

A tenth is for activations and the cache of keys and values, 2 GiB for CUDA and the server. The
bytes are those of `--quantization`, `--quantize`, `--dtype`, or of the name, else 2. The GPUs are
`--tensor-parallel-size` (and its kin) times pipeline parallelism, else those that are requested.
"""

import re
from collections.abc import Iterator
from math import ceil, prod
from typing import Final

from webhook.core.api import pod as pods
from webhook.core.api.model_name import ModelSize, parse_model_name, parse_precision
from webhook.core.api.pod import Container, EnvVar
from webhook.core.decision.hints import command_line
from webhook.core.decision.values import GpuRequest, ModelMemory, Question
from webhook.core.integrations.registry import MODEL_KEYS

_MIB: Final = 2**20
_OVERHEAD_MIB: Final = 2048
_SHARE: Final = 1.1
_WIDTH: Final = 2.0
_LONGEST_VALUE: Final = 512
_LONGEST_SHOWN: Final = 32
_VALUE: Final = r"[=\s]+[\"']?([^\s\"';]+)"
_FLAGS: Final = re.compile(
    r"(?:--(?:served[-_])?model(?:[-_](?:path|id|name|dir|uri|repo|tag))?|--hf[-_]model(?:[-_]id)?"
    rf"|--pretrained[-_]model[-_]name[-_]or[-_]path){_VALUE}|vllm\s+serve\s+[\"']?([^\s\"'-]\S*)"
)
_FLAGGING: Final = ("model", "vllm")  # nothing is flagged without one, which takes less to see
_ASSIGNING: Final = "MODEL"
_ASSIGNED: Final = re.compile(
    rf"\b(?!\w{{0,32}}(?:DRAFT|SPECULATIVE))\w{{0,32}}{_ASSIGNING}\w{{0,32}}=[\"']?([^\s\"';]+)"
)
_PRECISION: Final = re.compile(
    rf"(?:--(?:quantization|quantize|dtype|torch[-_]dtype)|\b(?:QUANTIZE|QUANTIZATION|DTYPE)){_VALUE}"
)
_TENSOR: Final = r"--tensor[-_]parallel[-_]size|--tp(?:[-_]size)?|-tp|--num[-_]shard"
_PIPELINE: Final = r"--pipeline[-_]parallel[-_]size|--pp(?:[-_]size)?|-pp"
_PARALLEL: Final = (
    re.compile(rf"(?:{_TENSOR}|\b\w*TENSOR_PARALLEL_SIZE|\bNUM_SHARD)[=\s]+(\d{{1,3}})\b"),
    re.compile(rf"(?:{_PIPELINE}|\b\w*PIPELINE_PARALLEL_SIZE)[=\s]+(\d{{1,3}})\b"),
)
_SPEAKING: Final = ("model", "vllm", "quanti", "dtype", "parallel", "shard", "-tp", "-pp")
"""One of these stands, in some case, in all that the patterns above find."""


def estimate_memory(question: Question) -> ModelMemory | None:
    """Return the largest estimate of a pod's requests, None where no container names a model."""
    found = (_of_request(each, question) for each in question.requests)
    return max((each for each in found if each), key=lambda each: each.mebibytes, default=None)


def _of_request(request: GpuRequest, question: Question) -> ModelMemory | None:
    container = question.containers[request.container]
    text = _text(container)
    for name in _names(container, text, question):
        size = parse_model_name(name)
        if size is not None:
            width = _width(text, size)
            needed = size.parameters * width / _gpus(text, request.count) / _MIB
            shown = name.rstrip("/").rsplit("/", 1)[-1][:_LONGEST_SHOWN]
            return ModelMemory(ceil(needed * _SHARE) + _OVERHEAD_MIB, shown)
    return None


def _text(container: Container) -> str:
    """Return command, arguments and variables as one text, as a shell would have them."""
    variables = map(_assignment, model_variables(container.env or ()))
    return " ".join((command_line(container), *variables))


def model_variables(env: tuple[EnvVar, ...]) -> tuple[EnvVar, ...]:
    """Return the variables on which an estimate can depend."""
    values = [(each.value or "")[:_LONGEST_VALUE] for each in env]
    text = " ".join([*[each.name for each in env], *values]).lower()
    words = [word for word in _SPEAKING if word in text]
    if not words:  # as of most
        return ()
    return tuple([each for each in env if each.value and _speaks(each, words)])


def _speaks(variable: EnvVar, words: list[str]) -> bool:
    text = _assignment(variable).lower()
    return any(word in text for word in words)


def _assignment(variable: EnvVar) -> str:
    return f"{variable.name}={(variable.value or '')[:_LONGEST_VALUE]}"


def _names(container: Container, text: str, question: Question) -> Iterator[str]:
    """Yield what may name the model, the surest first."""
    if any(word in text for word in _FLAGGING):
        for flagged, served in _FLAGS.findall(text):
            yield flagged or served
    if _ASSIGNING in text:
        yield from _ASSIGNED.findall(text)
    for values in (pods.annotations(question.pod), pods.labels(question.pod)):
        yield from (values[key] for key in MODEL_KEYS if key in values)
    yield container.image or ""


def _width(text: str, size: ModelSize) -> float:
    stated = (parse_precision(value) for value in _PRECISION.findall(text))
    return next(filter(None, stated), None) or size.width or _WIDTH


def _gpus(text: str, requested: int) -> int:
    """Return over how many GPUs the parameters are divided."""
    found = [pattern.search(text) for pattern in _PARALLEL]
    stated = [max(int(each[1]), 1) for each in found if each]
    return prod(stated) if stated else requested
