"""The check of namespaces that a pod shares with its node."""

from collections.abc import Iterator
from typing import Final

from webhook.core.api.reason import Group, Reason
from webhook.core.api.violation import Violation
from webhook.core.checks.check import REFUSED_TO_TENANTS, Backstop, Check, PodCondition, Texts
from webhook.core.checks.finding import Finding, Subject

_FIELDS: Final = ("hostIPC", "hostNetwork")


def host_namespaces(seen: Subject) -> Iterator[Finding]:
    """Yield each namespace of the node that a pod shares, but for its processes.

    Fields: spec.hostIPC, spec.hostNetwork. Allowed: false, absent.
    Source: NVIDIA MPS documentation (clients meet in IPC); Kubernetes, Pod Security Standards.
    """
    spec = seen.pod.spec
    values = (spec.host_ipc, spec.host_network)
    for name, value in zip(_FIELDS, values, strict=True):
        if value:
            text = f"{name} reaches what others share on the node; remove it"
            yield Finding(Violation(CHECK.reason, "", text, f"spec.{name}"))


CHECK: Final = Check(
    rank=8,
    reason=Reason(
        "host_namespaces",
        Group.WAY_AROUND,
        "The pod shares memory or network with its node.",
        example="`hostIPC: true`.",
        to_do=(
            "remove it; MPS needs none of them. For shared memory mount an emptyDir with "
            "`medium: Memory`."
        ),
        detail="So do other pods of that kind, and programs of the node; tenants' pods do not.",
    ),
    treatments=REFUSED_TO_TENANTS,
    texts=Texts(looks_at=", ".join(_FIELDS), comment=", ".join(_FIELDS)),
    webhook=PodCondition(
        pod=" || ".join(f"(has(o.spec.{name}) && o.spec.{name})" for name in _FIELDS)
    ),
    backstop=Backstop(
        "the pod shares namespaces with its node; remove hostPID, hostIPC and hostNetwork"
    ),
    pod_rule=host_namespaces,
)
