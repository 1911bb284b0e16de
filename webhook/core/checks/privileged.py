"""The check of privileged containers."""

from collections.abc import Iterator
from typing import Final

from webhook.core.api.containers import ContainerRef
from webhook.core.api.pod import Container
from webhook.core.api.reason import Group, Reason
from webhook.core.api.violation import Violation
from webhook.core.checks.check import REFUSED, Backstop, Check, PodCondition, Texts
from webhook.core.checks.finding import Finding, Subject


def privileged(_: Subject, place: ContainerRef, container: Container) -> Iterator[Finding]:
    """Yields a privileged container: it sees every device, whatever it requests.

    Fields: securityContext.privileged of every container. Allowed: false, absent.
    Source: Kubernetes, Pod Security Standards; nvidia-container-toolkit privileged.go.
    """
    context = container.security_context
    if context and context.privileged:
        text = "privileged sees every GPU of the node; remove securityContext.privileged"
        where = "securityContext.privileged"
        yield Finding(Violation(CHECK.reason, place.name, text, where))


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
    texts=Texts(looks_at="`privileged`"),
    webhook=PodCondition(
        container="has(c.securityContext) && has(c.securityContext.privileged)"
        " && c.securityContext.privileged"
    ),
    backstop=Backstop("a privileged container reaches every GPU of its node; remove privileged"),
    container_rule=privileged,
)
