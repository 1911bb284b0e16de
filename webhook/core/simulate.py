"""What both sides would say of a pod that does not exist yet.

Changes and asks nobody.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from webhook.core.admit import admit
from webhook.core.api import names
from webhook.core.api.admission import AdmissionRequest, Mode, Side
from webhook.core.api.pod import Pod
from webhook.core.gpu.values import Inventory
from webhook.core.patch import apply as patched
from webhook.core.policy.values import Policy
from webhook.core.verdict import Verdict


class Simulated(Struct, frozen=True):
    """The verdict of both sides, and the pod as it would be."""

    verdict: Verdict
    after: Mapping[str, Any]


def simulate(
    request: AdmissionRequest, pod: Mapping[str, Any], policy: Policy, inventory: Inventory
) -> Simulated:
    """Answer a CREATE of `pod` as both sides would in turn.

    `request` tells all but the pod and the side. In audit mode only the mutating side is asked:
    it leaves the pod as it is, so that the other would judge what enforcement never lets be.

    Raises:
        msgspec.ValidationError: a wrong type in the pod; the message has the path.
    """
    first = replace(request, side=Side.MUTATE, pod=msgspec.convert(pod, Pod))
    verdict = admit(first, policy, inventory)
    after = patched.apply(pod, verdict.patch)
    if not verdict.allowed or request.mode is Mode.AUDIT:
        return Simulated(verdict, after)
    second = replace(first, side=Side.VALIDATE, pod=msgspec.convert(after, Pod))
    checked = admit(second, policy, inventory)
    if not checked.allowed:
        return Simulated(checked, after)
    warnings = (*verdict.warnings, *checked.warnings)
    return Simulated(replace(verdict, warnings=warnings, warned=checked.warned), after)


def mode_of(namespace_labels: Mapping[str, str]) -> Mode:
    """The mode of a namespace.

    One that has not opted in is looked at as if it enforced.
    """
    audited = namespace_labels.get(names.MODE) == Mode.AUDIT
    return Mode.AUDIT if audited else Mode.ENFORCE
