"""Rules on what a container may do to its node: privileged, and the capabilities like it."""

from collections.abc import Iterator
from typing import Final

from webhook.core.api import reasons
from webhook.core.api.model import ContainerRef, Violation
from webhook.core.api.pod import Container
from webhook.core.checks.finding import Finding, Subject

_PREFIX: Final = "CAP_"
_REACHING: Final = frozenset(
    {
        "ALL",
        "SYS_ADMIN",  # what the toolkit itself takes for privileged
        "SYS_PTRACE",  # into processes that hold a GPU
        "SYS_RAWIO",  # the device's memory
        "SYS_MODULE",  # the kernel
        "MKNOD",  # a device node of one's own
        "DAC_READ_SEARCH",  # files of the node by handle
    }
)


def privileged(_: Subject, place: ContainerRef, container: Container) -> Iterator[Finding]:
    """No container is privileged: it sees every device, whatever it asks for.

    Fields: securityContext.privileged of every container. Allowed: false, absent.
    Source: Kubernetes, Pod Security Standards; nvidia-container-toolkit privileged.go.
    """
    context = container.security_context
    if context and context.privileged:
        text = "privileged sees every GPU of the node; remove securityContext.privileged"
        where = "securityContext.privileged"
        yield Finding(Violation(reasons.PRIVILEGED, place.name, text, where))


def capabilities(_: Subject, place: ContainerRef, container: Container) -> Iterator[Finding]:
    """No container adds a capability that comes to the same as privileged.

    Fields: securityContext.capabilities.add of every container, in any case, with or without
    `CAP_` (as container runtimes read them). Allowed: all but those of the list above.
    Source: nvidia-container-toolkit privileged.go; man 7 capabilities.
    """
    context = container.security_context
    added = (context.capabilities.add if context and context.capabilities else None) or ()
    for each in added:
        name = each.strip().upper().removeprefix(_PREFIX)
        if name in _REACHING:
            text = f"capability {name} reaches GPUs that were not given; remove it"
            where = f"securityContext.capabilities.add[{name}]"
            yield Finding(Violation(reasons.CAPABILITIES, place.name, text, where))
