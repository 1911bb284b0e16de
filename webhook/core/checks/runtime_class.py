"""The check of runtime classes that give GPUs by name."""

from collections.abc import Iterator
from typing import Final

from webhook.core.api.reason import Group, Reason
from webhook.core.api.violation import Violation
from webhook.core.checks.check import REFUSED_TO_TENANTS, Backstop, Check, PodCondition, Texts
from webhook.core.checks.finding import Finding, Subject, quote

_NVIDIA: Final = "nvidia"


def runtime_class(seen: Subject) -> Iterator[Finding]:
    """Yields the runtime that gives GPUs to whoever names them in a variable.

    Fields: spec.runtimeClassName. Allowed: all but `nvidia` and what begins so (`nvidia-cdi`,
    `nvidia-legacy`). Source: GPU Operator documentation, "CDI".
    """
    name = seen.pod.spec.runtime_class_name or ""
    if name.lower().startswith(_NVIDIA):
        text = f"runtimeClassName {quote(name)} gives GPUs by name; remove it"
        yield Finding(Violation(CHECK.reason, "", text, "spec.runtimeClassName"))


CHECK: Final = Check(
    rank=9,
    reason=Reason(
        "runtime_class",
        Group.WAY_AROUND,
        "The pod names a runtime that gives GPUs to whoever names them.",
        example="`runtimeClassName: nvidia`.",
        to_do=(
            "remove it. Where GPUs do not work without it, see the node setting in Security, "
            "then set `runtimeClass` in the policy."
        ),
        detail="Under NVIDIA's runtime the variable `NVIDIA_VISIBLE_DEVICES` does that.",
    ),
    treatments=REFUSED_TO_TENANTS,
    texts=Texts(
        looks_at="runtimeClassName nvidia…",
        comment="nvidia…: some clusters need it",
        on_the_node="[1]",
    ),
    webhook=PodCondition(
        pod="has(o.spec.runtimeClassName)"
        f" && o.spec.runtimeClassName.lowerAscii().startsWith('{_NVIDIA}')"
    ),
    backstop=Backstop("the pod chooses a runtime class of NVIDIA's; remove runtimeClassName"),
    pod_rule=runtime_class,
)
