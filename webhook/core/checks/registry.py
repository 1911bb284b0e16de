"""The rules on a pod as it stands, joined: what they find, and what the policy makes of it."""

import re
from collections.abc import Iterator
from typing import Final

from webhook.core.api import reasons
from webhook.core.api.model import Violation
from webhook.core.api.reason import Reason, truncate
from webhook.core.checks import devices, environment, host, mounts, reserved, scheduling
from webhook.core.checks import security_context as context
from webhook.core.checks.finding import ContainerRule, Finding, PodRule, Subject
from webhook.core.policy.values import Policy, Treatment, treatment

CONTAINER_RULES: Final[tuple[ContainerRule, ...]] = (
    environment.gpu_visibility,
    environment.cuda_visibility,
    environment.env_from,
    environment.mps_environment,
    context.privileged,
    context.capabilities,
    mounts.reserved_mounts,
    devices.claimed_devices,
)
POD_RULES: Final[tuple[PodRule, ...]] = (
    host.host_path,
    host.host_namespaces,
    devices.runtime_class,
    devices.device_annotations,
    devices.resource_claims,
    scheduling.node_name,
    scheduling.tolerations,
    reserved.reserved_names,
)
_MOST_WARNED: Final = 5


_CODE: Final = re.compile(r"\[([a-z_]+)\]$")
REASONS: Final = reasons.REASONS
"""Every reason that there is, by its code."""


def parse_code(text: str) -> Reason | None:
    """Return the reason whose code a text ends with, in square brackets."""
    found = _CODE.search(text)
    return REASONS.get(found[1]) if found else None


def check(seen: Subject) -> Iterator[Finding]:
    """Yield every way around the device plugin; each container once, also without a request."""
    for place, container in seen.containers.items():
        for container_rule in CONTAINER_RULES:
            yield from container_rule(seen, place, container)
    for pod_rule in POD_RULES:
        yield from pod_rule(seen)


def introduced(now: tuple[Finding, ...], before: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """What an update makes worse: an older pod's label or finalizer can always be changed.

    A pod that exists has its node from the scheduler, so that is never new.
    """
    known = frozenset(before)
    return tuple(
        each for each in now if each not in known and each.violation.reason is not reasons.NODE_NAME
    )


def judge(
    found: tuple[Finding, ...], rules: Policy, *, tenant: bool
) -> tuple[tuple[Violation, ...], tuple[str, ...]]:
    """Return what refuses the pod and what only warns: whose pod it is and the policy say so."""
    treated = [
        (each.violation, treatment(rules, each.violation.reason, tenant=tenant)) for each in found
    ]
    refused = tuple(each for each, what in treated if what is Treatment.REFUSE)
    warned = dict.fromkeys(
        truncate(each.text, each.reason) for each, what in treated if what is Treatment.WARN
    )
    return refused, _first(tuple(warned))


def _first(texts: tuple[str, ...]) -> tuple[str, ...]:
    if len(texts) <= _MOST_WARNED:
        return texts
    kept = _MOST_WARNED - 1
    return (*texts[:kept], f"and {len(texts) - kept} more warnings of this kind")
