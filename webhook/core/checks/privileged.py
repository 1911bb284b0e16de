"""The check of containers that have all that the node has."""

from collections.abc import Iterator
from typing import Final

from webhook.core.api.containers import ContainerRef
from webhook.core.api.pod import Container, SecurityContext
from webhook.core.api.reason import Group, Reason
from webhook.core.api.violation import Violation
from webhook.core.checks.check import REFUSED, Backstop, Check, PodCondition, Texts
from webhook.core.checks.finding import Finding, Subject

_PRIVILEGED: Final = "privileged sees every GPU of the node; remove securityContext.privileged"
_HOST_PROCESS: Final = "hostProcess runs on the node itself; remove windowsOptions.hostProcess"


def privileged(_: Subject, place: ContainerRef, container: Container) -> Iterator[Finding]:
    """Yield a privileged container: it sees every device, whatever it requests.

    Fields: securityContext.privileged and windowsOptions.hostProcess of every container.
    Allowed: false, absent.
    Source: Kubernetes, Pod Security Standards; nvidia-container-toolkit privileged.go.
    """
    context = container.security_context
    if context and context.privileged:
        where = "securityContext.privileged"
        yield Finding(Violation(CHECK.reason, place.name, _PRIVILEGED, where))
    if _is_host_process(context):
        where = "securityContext.windowsOptions.hostProcess"
        yield Finding(Violation(CHECK.reason, place.name, _HOST_PROCESS, where))


def host_process(seen: Subject) -> Iterator[Finding]:
    """Yield a pod whose containers are processes of a Windows node.

    Fields: spec.securityContext.windowsOptions.hostProcess. Allowed: false, absent.
    """
    if _is_host_process(seen.pod.spec.security_context):
        where = "spec.securityContext.windowsOptions.hostProcess"
        yield Finding(Violation(CHECK.reason, "", _HOST_PROCESS, where))


def _is_host_process(context: SecurityContext | None) -> bool:
    return bool(context and (context.windows_options or {}).get("hostProcess"))


def _on_windows(context: str) -> str:
    """Return CEL for a security context that makes processes of the node."""
    options = f"{context}.windowsOptions"
    return f"(has({options}) && has({options}.hostProcess) && {options}.hostProcess)"


CHECK: Final = Check(
    rank=5,
    reason=Reason(
        "privileged",
        Group.WAY_AROUND,
        "A privileged container reaches every GPU of its node.",
        example="`securityContext: {privileged: true}` in an init container.",
        to_do="remove it; GPUs need no privilege.",
        detail="That is so of every kind of container.",
    ),
    treatments=REFUSED,
    texts=Texts(looks_at="`privileged`; on Windows `hostProcess`"),
    webhook=PodCondition(
        pod=f"has(o.spec.securityContext) && {_on_windows('o.spec.securityContext')}",
        container="has(c.securityContext) && ((has(c.securityContext.privileged)"
        f" && c.securityContext.privileged) || {_on_windows('c.securityContext')})",
    ),
    backstop=Backstop("a privileged container reaches every GPU of its node; remove privileged"),
    pod_rule=host_process,
    container_rule=privileged,
)
