"""The check of capabilities that come to the same as privileged."""

import re
from collections.abc import Iterator
from typing import Final

from webhook.core.api.containers import ContainerRef
from webhook.core.api.pod import Container
from webhook.core.api.reason import Group, Reason
from webhook.core.api.violation import Violation
from webhook.core.checks.cel import matches
from webhook.core.checks.check import REFUSED, Backstop, Check, PodCondition, Texts
from webhook.core.checks.finding import Finding, Subject, quote

_REACHING: Final = (
    "ALL",
    "SYS_ADMIN",  # what the toolkit itself takes for privileged
    "SYS_PTRACE",  # into processes that hold a GPU
    "SYS_RAWIO",  # the device's memory
    "SYS_MODULE",  # the kernel
    "MKNOD",  # a device node of one's own
    "DAC_READ_SEARCH",  # files of the node by handle
)
# containerd's strings.ToUpper makes an S of the long s, so no letter but ASCII's is read at all.
_BLANK: Final = r"[ \t\n\r\f\v]*"
_PATTERN: Final = rf"(?i)^{_BLANK}(CAP_)?({'|'.join(_REACHING)}){_BLANK}\Z|[^\x00-\x7F]"
_FOUND: Final = re.compile(_PATTERN, re.ASCII)


def capabilities(_: Subject, place: ContainerRef, container: Container) -> Iterator[Finding]:
    """Yields each added capability that comes to the same as privileged.

    Fields: securityContext.capabilities.add of every container, in any case, with or without
    `CAP_` (as container runtimes read them). Allowed: ASCII names that are not listed above.
    Source: nvidia-container-toolkit privileged.go; man 7 capabilities.
    """
    context = container.security_context
    added = (context.capabilities.add if context and context.capabilities else None) or ()
    for each in added:
        found = _FOUND.search(each)
        if found:
            name = found[2].upper() if found[2] else quote(each)
            text = f"capability {name} reaches GPUs that were not given; remove it"
            where = f"securityContext.capabilities.add[{name}]"
            yield Finding(Violation(CHECK.reason, place.name, text, where))


CHECK: Final = Check(
    rank=6,
    reason=Reason(
        "capabilities",
        Group.WAY_AROUND,
        "A container adds a capability that reaches every GPU of its node.",
        example="`capabilities: {add: [CAP_SYS_ADMIN]}`.",
        to_do="remove it; IPC_LOCK, NET_ADMIN and others are fine.",
        detail=(
            f"Those are {', '.join(_REACHING)}, and whatever is spelled with other letters than "
            "ASCII has."
        ),
    ),
    treatments=REFUSED,
    texts=Texts(
        looks_at=f"{', '.join(_REACHING)}; any case, with or without `CAP_`; all that is not ASCII",
        comment="SYS_ADMIN and the like",
    ),
    webhook=PodCondition(
        container="has(c.securityContext) && has(c.securityContext.capabilities)"
        " && has(c.securityContext.capabilities.add)"
        f" && c.securityContext.capabilities.add.exists(a, a.{matches(_PATTERN)})"
    ),
    backstop=Backstop("an added capability reaches devices; remove it"),
    container_rule=capabilities,
)
