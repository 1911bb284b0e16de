"""What a model's name says of its size, and what an estimate makes of it."""

from typing import Any

import casefiles
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhook.core.api.model_name import ModelSize, parse_model_name, parse_precision
from webhook.core.api.pod import Pod
from webhook.core.decision import model_memory
from webhook.core.decision.classify import classify

POLICY = casefiles.rules({})
B = 10**9


@pytest.mark.parametrize(
    ("name", "parameters", "width"),
    [
        ("meta-llama/Llama-3.1-8B-Instruct", 8 * B, None),
        ("/models/llama-2-7b-hf/", 7 * B, None),
        ("gs://bucket/llama2-70b", 70 * B, None),
        ("hf://Qwen/Qwen2.5-0.5B-Instruct", B // 2, None),
        ("facebook/opt-125m", 125 * 10**6, None),
        ("bigscience/bloom-560m", 560 * 10**6, None),
        ("nvcr.io/nim/meta/llama-3.1-8b-instruct:1.3.3", 8 * B, None),
        ("mistralai/Mixtral-8x7B-Instruct-v0.1", int(46.7 * B), None),
        ("some/MoE-4x10b", 40 * B, None),
        ("Qwen/Qwen3-30B-A3B", 30 * B, None),
        ("google/gemma-3n-E4B-it", 8 * B, None),
        ("deepseek-ai/DeepSeek-R1", 671 * B, 1.0),
        ("deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B", B * 3 // 2, None),
        ("openai/gpt-oss-20b", 21 * B, 0.5),
        ("TheBloke/Llama-2-13B-AWQ", 13 * B, 0.5),
        ("Qwen/Qwen2.5-7B-Instruct-GPTQ-Int8", 7 * B, 1.0),
        ("neuralmagic/Llama-3-8B-quantized.w4a16", 8 * B, 0.5),
        ("unsloth/Llama-3.3-70B-Instruct-bnb-4bit", 70 * B, 0.5),
        ("Llama-3.2-3B.Q4_K_M.gguf", 3 * B, 0.5),
        ("nvidia/Llama-3.1-8B-Instruct-FP8", 8 * B, 1.0),
    ],
)
def test_a_name_says_its_size(name: str, parameters: int, width: float | None) -> None:
    assert parse_model_name(name) == ModelSize(parameters, width)


@pytest.mark.parametrize(
    "name",
    ["", "gpt2", "my-model", "$MODEL", "model:0.9", "a100-80gb", "cuda12b1", "0b", "8192", "v1.5", "4bit", "3B2"],
)  # fmt: skip
def test_a_name_without_a_size_says_nothing(name: str) -> None:
    assert parse_model_name(name) is None


def estimate(container: dict[str, Any], **metadata: Any) -> tuple[int, str] | None:
    limits = {"nvidia.com/gpu": container.pop("gpus", 1)}
    spec = {"containers": [{"name": "m", "resources": {"limits": limits}, **container}]}
    pod = msgspec.convert({"metadata": metadata, "spec": spec}, Pod)
    found = model_memory.estimate_memory(classify(pod, {}, POLICY))
    return (found.mebibytes, found.model) if found else None


def mib(parameters: float, width: float = 2.0) -> int:
    return -int(-(parameters * width / 2**20 * 1.1) // 1) + 2048


@pytest.mark.parametrize(
    ("container", "expected"),
    [
        ({"args": ["--model", "a/x-7b"]}, mib(7 * B)),
        ({"args": ["--model=a/x-7b"]}, mib(7 * B)),
        ({"args": ["--model_name=x-7b"]}, mib(7 * B)),
        ({"args": ["--model-id", "'a/x-7b'"]}, mib(7 * B)),
        ({"command": ["vllm", "serve", "a/x-7b"]}, mib(7 * B)),
        ({"command": ["sh", "-c", "export MODEL=x-7b\nrun --model $MODEL"]}, mib(7 * B)),
        ({"env": [{"name": "MODEL_ID", "value": "a/x-7b"}]}, mib(7 * B)),
        ({"env": [{"name": "NIM_MODEL_NAME", "value": "a/x-7b"}]}, mib(7 * B)),
        ({"image": "nvcr.io/nim/a/x-7b:1"}, mib(7 * B)),
        ({"args": ["--model", "x-7b", "--quantization", "fp8"]}, mib(7 * B, 1)),
        ({"args": ["--model", "x-7b-awq", "--dtype=float16"]}, mib(7 * B, 0.5)),
        ({"args": ["--model", "x-7b", "--dtype=float32"]}, mib(7 * B, 4)),
        ({"args": ["--model", "x-7b", "--kv-cache-dtype", "fp8"]}, mib(7 * B)),
        ({"args": ["--model", "x-7b"], "env": [{"name": "QUANTIZE", "value": "gptq"}]}, mib(7 * B, 0.5)),
        ({"args": ["--model", "x-70b", "-tp", "4"], "gpus": 4}, mib(70 * B / 4)),
        ({"args": ["--model", "x-70b", "--tensor-parallel-size=8", "--pipeline-parallel-size=2"], "gpus": 8},
         mib(70 * B / 16)),
        ({"args": ["--model", "x-70b"], "gpus": 4}, mib(70 * B / 4)),
        ({"args": ["--model", "x-70b"], "env": [{"name": "NUM_SHARD", "value": "2"}], "gpus": 4}, mib(35 * B)),
        ({"args": ["--speculative-model", "x-1b", "--model", "x-70b"]}, mib(70 * B)),
        ({"env": [{"name": "DRAFT_MODEL", "value": "x-1b"}, {"name": "MODEL", "value": "x-7b"}]}, mib(7 * B)),
        ({"args": ["--max-model-len", "8192", "--model", "gpt2"]}, None),
        ({"env": [{"name": "SIZE", "value": "7b"}]}, None),
    ],
)  # fmt: skip
def test_where_a_model_is_named(container: dict[str, Any], expected: int | None) -> None:
    found = estimate(container)
    assert (found[0] if found else None) == expected


def test_a_label_or_annotation_of_an_integration_names_the_model() -> None:
    uri = {"internal.serving.kserve.io/storage-initializer-sourceuri": "hf://a/x-7b"}
    assert estimate({}, annotations=uri) == (mib(7 * B), "x-7b")
    assert estimate({}, labels={"model.aibrix.ai/name": "x-7b"}) == (mib(7 * B), "x-7b")
    assert estimate({}, labels={"other.example/name": "x-7b"}) is None


@given(st.integers(1, 9999), st.integers(1, 8))
def test_a_larger_model_never_needs_less_and_more_gpus_never_more(size: int, gpus: int) -> None:
    def needed(billions: int, tensor: int) -> int:
        found = estimate({"args": [f"--model=x-{billions}b", f"--tp={tensor}"]})
        assert found is not None
        return found[0]

    assert 2048 < needed(size, gpus + 1) < needed(size, gpus) <= needed(min(size + 1, 9999), gpus)
    assert needed(size, gpus) * 2**20 >= size * B * 2 / gpus


@given(st.text(max_size=1000))
def test_any_text_is_read(text: str) -> None:
    found = parse_model_name(text)
    assert found is None or found.parameters > 0
    assert parse_precision(text) in (None, 0.5, 1.0, 4.0)
