"""Servers that reserve GPU memory at start, whatever they need."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from webhook.core.rightsizing.values import DeviceUse, Reservation, ReservingServer

_FULL: Final = 0.8  # of the device: above that a flat line is a reservation
_FLAT: Final = 0.02


@dataclass(frozen=True, slots=True)
class _Sign:
    """What shows a server, by words of its image, command and arguments.

    `flag` sets the share that it reserves, `variable` does so in the environment. `off` is an
    environment variable with the value that turns reserving off.
    """

    server: ReservingServer
    words: str
    flag: str = ""
    variable: str = ""
    off: tuple[str, str] = ("", "")


# Sources: vllm EngineArgs (gpu_memory_utilization), sglang ServerArgs (mem_fraction_static),
# text-generation-launcher (cuda-memory-fraction), tensorrt_llm (free_gpu_memory_fraction),
# TensorFlow guide "Limiting GPU memory growth", JAX "GPU memory allocation".
_SIGNS: Final = (
    _Sign(ReservingServer.VLLM, r"\bvllm\b", "--gpu-memory-utilization"),
    _Sign(ReservingServer.SGLANG, r"\bsglang\b", "--mem-fraction-static"),
    _Sign(
        *(ReservingServer.TGI, r"text-generation-(inference|launcher)"),
        *("--cuda-memory-fraction", "CUDA_MEMORY_FRACTION"),
    ),
    _Sign(ReservingServer.TRITON, r"\btriton(server|-server)|/tritonserver"),
    _Sign(ReservingServer.TENSORRT_LLM, r"tensorrt[-_]?llm|\btrtllm", "--free_gpu_memory_fraction"),
    _Sign(ReservingServer.NIM, r"nvcr\.io/nim/", variable="NIM_KVCACHE_PERCENT"),
    _Sign(
        ReservingServer.TENSORFLOW,
        r"tensorflow|tensorflow_model_server",
        "--per_process_gpu_memory_fraction",
        off=("TF_FORCE_GPU_ALLOW_GROWTH", "true"),
    ),
    _Sign(
        ReservingServer.JAX,
        r"\bjax\b|[/-]jax[:-]|\bflax\b",
        variable="XLA_PYTHON_CLIENT_MEM_FRACTION",
        off=("XLA_PYTHON_CLIENT_PREALLOCATE", "false"),
    ),
)


RawContainer = Mapping[str, Any]
"""A container as the API server has it: image, command, args, env."""


def find_reservation(pod: Mapping[str, Any]) -> Reservation | None:
    """Return what a pod's images, commands and environment say of memory that it reserves.

    | the pod | reserves |
    |---|---|
    | names no such server | nothing that is known |
    | has the variable that turns it off | nothing |
    | any other | what its flag or variable sets, else the server's default |
    """
    for container in (pod.get("spec") or {}).get("containers") or ():
        words = " ".join(_words(container))
        for sign in _SIGNS:
            if re.search(sign.words, words, re.IGNORECASE):
                return None if _is_off(sign, container) else _of(sign, words, container)
    return None


def measured_reservation(use: DeviceUse, memory: float | None) -> Reservation | None:
    """Return a reservation that shows in memory that is high and always flat."""
    if memory and use.memory_max and use.memory_low is not None:
        flat = use.memory_max - use.memory_low <= _FLAT * use.memory_max
        if flat and use.memory_max > _FULL * memory:
            return Reservation(ReservingServer.UNKNOWN, "memory is flat from the start")
    return None


def _words(container: RawContainer) -> Iterator[str]:
    yield str(container.get("image") or "")
    yield from (str(each) for each in container.get("command") or ())
    yield from (str(each) for each in container.get("args") or ())


def _is_off(sign: _Sign, container: RawContainer) -> bool:
    name, value = sign.off
    return bool(name) and (_variable(container, name) or "").lower() == value


def _of(sign: _Sign, words: str, container: RawContainer) -> Reservation:
    flag = re.escape(sign.flag).replace("_", "[-_]")
    found = re.search(rf"{flag}[ =]([0-9.]+)", words) if sign.flag else None
    text = found[1] if found else _variable(container, sign.variable)
    if not _is_share(text):
        return Reservation(sign.server, f"{sign.server}'s default")
    return Reservation(sign.server, f"{sign.flag if found else sign.variable} {text}")


def _is_share(text: str | None) -> bool:
    try:
        return 0 < float(text or "") <= 1
    except ValueError:
        return False


def _variable(container: RawContainer, name: str) -> str | None:
    for each in container.get("env") or ():
        if name and each.get("name") == name:
            return str(each.get("value") or "")
    return None
