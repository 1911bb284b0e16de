"""How large a model is, by its name as people write it.

| a name | parameters | bytes of each |
|---|---|---|
| `meta-llama/Llama-3.1-8B-Instruct`, `/models/llama-2-7b-hf` | 8, 7 thousand million | 2 |
| `facebook/opt-125m` | 125 million | 2 |
| `mistralai/Mixtral-8x7B-v0.1` | 46.7 thousand million, as its card says | 2 |
| `Qwen/Qwen3-30B-A3B` | 30 thousand million: all must be in memory, not only 3 | 2 |
| `…-AWQ`, `…-GPTQ-Int4`, `…-w4a16`, `…-bnb-4bit`, `….Q4_K_M` | by the rest of the name | 0.5 |
| `…-FP8`, `…-Int8`, `…-w8a8` | by the rest of the name | 1 |
| `gpt2`, `stable-diffusion`, `my-model` | not known | |

Sources: names on huggingface.co; sizes without a number in the name from the models' cards there.
vLLM and TGI load weights in 16 bits unless a name or a flag says otherwise (`--dtype auto`).
"""

import re
from typing import Final

from msgspec import Struct

LONGEST: Final = 512  # characters of a name that are looked at
_SIZE: Final = re.compile(
    r"(?<![a-z0-9.])(?:([1-9]\d?)x)?(\d{1,4}(?:\.\d{1,3})?)([bm])(?![a-z0-9])", re.ASCII
)
_UNIT: Final = {"m": 10**6, "b": 10**9}
_BYTES: Final = (
    (re.compile(r"fp8|int8|w8a\d|8-?bit|q8_|eetq"), 1.0),
    (re.compile(r"awq|gptq|int4|w4a\d|4-?bit|nf4|bnb|bitsandbytes|fp4|mxfp4|q4_|autoround"), 0.5),
    (re.compile(r"fp32|float32"), 4.0),
)
_CARDS: Final = (
    (re.compile(r"mixtral-?8x7b"), 46.7, None),
    (re.compile(r"mixtral-?8x22b"), 140.6, None),
    (re.compile(r"llama-?4-scout"), 109, None),
    (re.compile(r"llama-?4-maverick"), 400, None),
    (re.compile(r"deepseek-?(v3|r1)(?!.*distill)"), 671, 1.0),
    (re.compile(r"kimi-?k2"), 1000, 1.0),
    (re.compile(r"gpt-oss-120b"), 117, 0.5),
    (re.compile(r"gpt-oss-20b"), 21, 0.5),
    (re.compile(r"gemma-?3n-?e4b"), 8, None),
    (re.compile(r"gemma-?3n-?e2b"), 5.4, None),
    (re.compile(r"glm-4\.[56]-air"), 106, None),
    (re.compile(r"glm-4\.[56](?!.?(air|v|flash))"), 355, None),
    (re.compile(r"phi-4(?!-mini)"), 14.7, None),
    (re.compile(r"phi-(3|3\.5|4)-mini"), 3.8, None),
    (re.compile(r"phi-2\b"), 2.7, None),
    (re.compile(r"mistral-nemo"), 12.2, None),
    (re.compile(r"mistral-large"), 123, None),
    (re.compile(r"command-r-plus"), 104, None),
)
"""A part of a name, its thousand million parameters, and the bytes in which it is published."""


class ModelSize(Struct, frozen=True):
    """What a name says of a model.

    `width` is the bytes of a parameter, None where the name is silent.
    """

    parameters: int
    width: float | None = None


def parse_model_name(text: str) -> ModelSize | None:
    """Return what a name says of the model's size, None where it says nothing.

    Of several sizes in a name the largest counts, of a mixture `8x7B` all experts.
    """
    name = text[:LONGEST].lower()
    for pattern, billions, width in _CARDS:
        if pattern.search(name):
            return ModelSize(int(billions * 10**9), parse_precision(name) or width)
    sizes = [
        int(int(experts or 1) * float(number) * _UNIT[unit])
        for experts, number, unit in _SIZE.findall(name)
    ]
    return ModelSize(max(sizes), parse_precision(name)) if any(sizes) else None


def parse_precision(text: str) -> float | None:
    """Return the bytes of a parameter that a name or a flag's value says."""
    lowered = text[:LONGEST].lower()
    return next((width for pattern, width in _BYTES if pattern.search(lowered)), None)
