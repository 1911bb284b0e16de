"""The check of capabilities that reach the node."""

import re
from collections.abc import Iterator
from typing import Final

from webhook.core.api.containers import ContainerRef
from webhook.core.api.pod import Container
from webhook.core.api.reason import Group, Reason
from webhook.core.api.violation import Violation
from webhook.core.checks.cel import listed, matches
from webhook.core.checks.check import REFUSED, Backstop, Check, PodCondition, Texts
from webhook.core.checks.finding import Finding, Subject, quote

_BASELINE: Final = (
    *("AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD"),
    *("NET_BIND_SERVICE", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"),
)
REACHING: Final = (
    "ALL",  # no capability by itself
    "SYS_ADMIN",  # what the toolkit itself takes for privileged
    "SYS_RAWIO",  # the device's memory
    "SYS_MODULE",  # the kernel
    "DAC_READ_SEARCH",  # files of the node by handle
    *("BPF", "PERFMON"),  # memory of every process
)
_TRACING: Final = ("SYS_PTRACE",)  # into processes that hold a GPU, where the pod sees them
# containerd's strings.ToUpper makes an S of the long s, so no letter but ASCII's is read at all.
_BLANK: Final = r"[ \t\n\r\f\v]*"


def _pattern(names: tuple[str, ...]) -> str:
    return rf"^{_BLANK}(?i:(CAP_)?({'|'.join(names)})){_BLANK}\Z|[^\x00-\x7F]"


# man 7 capabilities: these, those above, and no other.
_REST: Final = (
    *(
        "AUDIT_CONTROL",
        "AUDIT_READ",
        "BLOCK_SUSPEND",
        "CHECKPOINT_RESTORE",
        "IPC_LOCK",
        "IPC_OWNER",
    ),
    *("LEASE", "LINUX_IMMUTABLE", "MAC_ADMIN", "MAC_OVERRIDE", "NET_ADMIN", "NET_BROADCAST"),
    *("NET_RAW", "SYSLOG", "SYS_BOOT", "SYS_NICE", "SYS_PACCT", "SYS_RESOURCE", "SYS_TIME"),
    *("SYS_TTY_CONFIG", "WAKE_ALARM"),
)
KNOWN: Final = (*_BASELINE, *REACHING[1:], *_TRACING, *_REST)
_FOUND: Final = re.compile(_pattern(REACHING), re.ASCII)
_FOUND_ON_HOST: Final = re.compile(_pattern((*REACHING, *_TRACING)), re.ASCII)


def capabilities(seen: Subject, place: ContainerRef, container: Container) -> Iterator[Finding]:
    """Yield each added capability that reaches the node, or that no tenant may have.

    Fields: securityContext.capabilities.add of every container, in any case, with or without
    `CAP_` (as container runtimes read them). Source: Pod Security Standards, "Baseline";
    nvidia-container-toolkit privileged.go; man 7 capabilities.

    | capability | tenant's pod | other pod |
    |---|---|---|
    | of the baseline | allowed | allowed |
    | in `tenantCapabilities` of the policy | allowed | as below |
    | SYS_PTRACE | found | found with hostPID |
    | SYS_ADMIN and the like; not ASCII | found | found |
    | any other | found | allowed |
    """
    context = container.security_context
    pattern = _FOUND_ON_HOST if seen.pod.spec.host_pid else _FOUND
    for each in (context.capabilities.add if context and context.capabilities else None) or ():
        wrong = _is_denied(each, seen) if seen.isolated else pattern.search(each) is not None
        if wrong:
            name = each.strip().upper().removeprefix("CAP_") if each.isascii() else each
            who = "is not for tenants' pods" if seen.isolated else "reaches the node's devices"
            text = f"capability {quote(name)} {who}; remove it"
            where = f"securityContext.capabilities.add[{name}]"
            yield Finding(Violation(CHECK.reason, place.name, text, where))


def _is_denied(name: str, seen: Subject) -> bool:
    known = name.upper().removeprefix("CAP_") if name.isascii() else ""
    return known not in _BASELINE and known not in seen.allowances.capabilities


_ADDS: Final = (
    "has(c.securityContext) && has(c.securityContext.capabilities)"
    " && has(c.securityContext.capabilities.add) && c.securityContext.capabilities.add.exists(a, "
)
_LISTED: Final = '{{ dig "tenantCapabilities" list (.Values.policy | default dict) | toJson }}'
_KNOWN: Final = (
    "[a.upperAscii()].exists(u, u in variables.capabilities"
    " || (u.startsWith('CAP_') && u.substring(4) in variables.capabilities))"
)
_TRACES: Final = (
    f"has(o.spec.hostPID) && o.spec.hostPID && a.{matches(_pattern((*REACHING, *_TRACING)))}"
)

CHECK: Final = Check(
    rank=6,
    reason=Reason(
        "capabilities",
        Group.WAY_AROUND,
        "A container adds a capability that reaches the node, or that is not for tenants.",
        example="`capabilities: {add: [CAP_SYS_ADMIN]}`.",
        to_do=(
            "remove it. In tenants' pods those of Pod Security's baseline are fine and those in "
            "`tenantCapabilities` of the policy; `kubectl debug --profile=restricted` adds none."
        ),
        detail=(
            f"In other pods those are {', '.join(REACHING)}, with hostPID also "
            f"{', '.join(_TRACING)}, and whatever is spelled with other letters than ASCII has."
        ),
    ),
    treatments=REFUSED,
    texts=Texts(
        looks_at=(
            "of tenants all but Pod Security's baseline and `tenantCapabilities`; of others "
            f"{', '.join(REACHING)}, with hostPID {', '.join(_TRACING)}; any case, with or "
            "without `CAP_`; all that is not ASCII"
        ),
        comment="tenants: the baseline only",
    ),
    webhook=PodCondition(
        container=f"{_ADDS}!(a in {listed((*_BASELINE, *(f'CAP_{n}' for n in _BASELINE)))}))"
    ),
    backstop=Backstop(
        "an added capability reaches the node, or is not for tenants; remove it",
        PodCondition(
            container=f"{_ADDS}variables.tenant ? !{_KNOWN}"
            f" : (a.{matches(_pattern(REACHING))} || ({_TRACES})))"
        ),
        variables={"capabilities": f"{listed(_BASELINE)} + {_LISTED}"},
    ),
    container_rule=capabilities,
)
