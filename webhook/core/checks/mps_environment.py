"""The check of variables by which a container leaves its share of a GPU."""

import re
from collections.abc import Iterator
from typing import Final

from webhook.core.api import names
from webhook.core.api.containers import ContainerRef
from webhook.core.api.pod import Container
from webhook.core.api.reason import Group, Reason
from webhook.core.api.violation import Violation
from webhook.core.checks.cel import matches
from webhook.core.checks.check import REFUSED, Backstop, Check, PodCondition, Texts
from webhook.core.checks.finding import Finding, Subject

_MPS: Final = "CUDA_MPS_"
_LOWERS: Final = {
    names.MPS_MEMORY_LIMIT: r"^[0-9]+=[0-9]+[MG](,[0-9]+=[0-9]+[MG])*\Z",
    "CUDA_MPS_ACTIVE_THREAD_PERCENTAGE": r"^[0-9]{1,3}(\.[0-9]+)?\Z",
}


def mps_environment(seen: Subject, place: ContainerRef, _: Container) -> Iterator[Finding]:
    """Yield each variable of MPS that does more than lower a share.

    Another pipe directory leaves MPS, and takes the GPU from everyone on it. Fields: env of
    every container. Source: NVIDIA MPS documentation, "Environment Variables".

    | variable | allowed |
    |---|---|
    | CUDA_MPS_PINNED_DEVICE_MEM_LIMIT | `0=1024M`: it can only lower the limit |
    | CUDA_MPS_ACTIVE_THREAD_PERCENTAGE | a number: it can only lower the share |
    | any other CUDA_MPS_* | nothing |
    """
    for variable in seen.variables[place]:
        if not variable.name.startswith(_MPS):
            continue
        lowers = _LOWERS.get(variable.name)
        literal = (variable.value or "") if variable.value_from is None else ""
        if lowers is None or not re.search(lowers, literal):
            text = f"env {variable.name[:50]} can leave the share of a GPU; remove it"
            where = f"env.{variable.name}"
            yield Finding(Violation(CHECK.reason, place.name, text, where))


_LOWERED: Final = " || ".join(
    f"(e.name == '{name}' && !has(e.valueFrom) && has(e.value) && e.value.{matches(pattern)})"
    for name, pattern in _LOWERS.items()
)

CHECK: Final = Check(
    rank=4,
    reason=Reason(
        "mps_environment",
        Group.WAY_AROUND,
        "A container sets variables of MPS that do more than lower its share.",
        example="`CUDA_MPS_PIPE_DIRECTORY=/tmp/mps`.",
        to_do=(
            "remove it. `CUDA_MPS_PINNED_DEVICE_MEM_LIMIT: 0=1024M` and "
            '`CUDA_MPS_ACTIVE_THREAD_PERCENTAGE: "10"` are fine.'
        ),
        detail="Without the device plugin's pipe a container takes the GPU from everyone on it.",
    ),
    treatments=REFUSED,
    texts=Texts(
        looks_at="`CUDA_MPS_*` that leave MPS", comment="CUDA_MPS_*; lower limits are fine"
    ),
    webhook=PodCondition(
        environment=f"c.env.exists(e, e.name.startsWith('{_MPS}') && !({_LOWERED}))"
    ),
    backstop=Backstop("a CUDA_MPS_ variable changes how GPUs are shared; remove it"),
    container_rule=mps_environment,
)
