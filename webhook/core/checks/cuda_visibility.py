"""The check of GPUs that a container numbers by hand."""

from collections.abc import Iterator
from typing import Final

from webhook.core.api.containers import ContainerRef
from webhook.core.api.pod import Container
from webhook.core.api.reason import Group, Reason
from webhook.core.api.violation import Violation
from webhook.core.checks.check import Backstop, Check, PodCondition, Texts, Treatment, Treatments
from webhook.core.checks.finding import Finding, Subject

_CUDA_VISIBLE: Final = "CUDA_VISIBLE_DEVICES"


def cuda_visibility(seen: Subject, place: ContainerRef, _: Container) -> Iterator[Finding]:
    """Yield each CUDA_VISIBLE_DEVICES.

    It hides GPUs from CUDA and never adds one, so it is harmless to others; but written for a
    whole GPU it finds none in a slice. Fields: env of every container. Allowed: without it.
    Source: CUDA C++ Programming Guide, "CUDA Environment Variables".
    """
    for variable in seen.variables[place]:
        if variable.name == _CUDA_VISIBLE:
            text = f"env {_CUDA_VISIBLE} can only hide the GPU that is given; remove it"
            yield Finding(Violation(CHECK.reason, place.name, text, f"env.{_CUDA_VISIBLE}"))


CHECK: Final = Check(
    rank=2,
    reason=Reason(
        "cuda_visibility",
        Group.WAY_AROUND,
        "A container numbers its GPUs by hand; that can only hide some.",
        example="`CUDA_VISIBLE_DEVICES=1` where one slice was given: CUDA finds nothing.",
        to_do="remove the variable.",
        detail="So `CUDA_VISIBLE_DEVICES` is harmless to others.",
    ),
    treatments=Treatments(Treatment.WARN, Treatment.OFF),
    texts=Texts(
        looks_at=f"`{_CUDA_VISIBLE}`: only hides, so only a warning",
        comment=f"{_CUDA_VISIBLE} only hides GPUs",
    ),
    webhook=PodCondition(environment=f"c.env.exists(e, e.name == '{_CUDA_VISIBLE}')"),
    backstop=Backstop(f"{_CUDA_VISIBLE} can only hide the GPU that is given; remove it"),
    container_rule=cuda_visibility,
)
