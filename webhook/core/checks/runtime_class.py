"""The check of runtime classes that give GPUs by name."""

from collections.abc import Iterator
from typing import Final

from webhook.core.api import names
from webhook.core.api.reason import Group, Reason
from webhook.core.api.violation import Violation
from webhook.core.checks.cel import REQUESTS_DEVICE, matches
from webhook.core.checks.check import REFUSED, Backstop, Check, PodCondition, Texts
from webhook.core.checks.finding import Finding, Subject, quote
from webhook.core.gpu.resources import requests_device

_NVIDIA: Final = "nvidia"


def is_nvidia_runtime(name: str | None) -> bool:
    """Return whether a runtime class is one of NVIDIA's (`nvidia`, `nvidia-cdi`, …)."""
    return (name or "").lower().startswith(_NVIDIA)


def runtime_class(seen: Subject) -> Iterator[Finding]:
    """Yield the runtime that gives GPUs to images that name them.

    Fields: spec.runtimeClassName; env and resources of every container. Source: GPU Operator
    documentation, "CDI"; nvidia-container-toolkit cuda_image.go.

    | class | tenant's pod | other pod |
    |---|---|---|
    | `nvidia` and what begins so | found | found if a container without device sees GPUs |
    | any other | allowed | allowed |
    """
    name = seen.pod.spec.runtime_class_name or ""
    if not is_nvidia_runtime(name):
        return
    if seen.isolated:
        text = f"runtimeClassName {quote(name)} gives GPUs by name; remove it"
        yield Finding(Violation(CHECK.reason, "", text, "spec.runtimeClassName"))
        return
    for place, container in seen.containers.items():
        hidden = any(each.name == names.VISIBLE_DEVICES for each in container.env or ())
        if not hidden and not requests_device(container):
            text = (
                f"runtimeClassName {quote(name)} gives it the GPUs that its image names; set env "
                f"{names.VISIBLE_DEVICES}={names.NO_DEVICES}, or remove the class"
            )
            yield Finding(Violation(CHECK.reason, place.name, text, "spec.runtimeClassName"))


_CLASS: Final = (
    f"has(o.spec.runtimeClassName) && o.spec.runtimeClassName.{matches(f'(?i)^{_NVIDIA}')}"
)
_UNHIDDEN: Final = (
    f"!(has(c.env) && c.env.exists(e, e.name == '{names.VISIBLE_DEVICES}')) && !({REQUESTS_DEVICE})"
)

CHECK: Final = Check(
    rank=9,
    reason=Reason(
        "runtime_class",
        Group.WAY_AROUND,
        "The pod names a runtime that gives GPUs to whoever names them.",
        example="`runtimeClassName: nvidia`.",
        to_do=(
            f"remove it, or set `{names.VISIBLE_DEVICES}=void` in each container without a GPU, as "
            "the webhook does in pods that it rewrites. Where tenants' GPUs do not work without "
            "the class, see the node setting in Security, then set `runtimeClass` in the policy."
        ),
        detail=f"Under NVIDIA's runtime `{names.VISIBLE_DEVICES}` of an image does that.",
    ),
    treatments=REFUSED,
    texts=Texts(
        looks_at="runtimeClassName nvidia…; of others where GPUs are not hidden from a container "
        "without a device",
        comment="nvidia…; others: unless GPUs are hidden",
        on_the_node="[1]",
    ),
    webhook=PodCondition(pod=_CLASS),
    backstop=Backstop(
        "an nvidia runtime class gives GPUs by name; remove it, or set NVIDIA_VISIBLE_DEVICES=void",
        PodCondition(
            pod=f"variables.tenant && {_CLASS}",
            container=f"!variables.tenant && {_CLASS} && {_UNHIDDEN}",
        ),
    ),
    pod_rule=runtime_class,
)
