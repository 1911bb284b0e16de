"""The check of claims and device classes of dynamic resource allocation."""

from collections.abc import Iterator
from typing import Final

from webhook.core.api import names
from webhook.core.api.containers import ContainerRef
from webhook.core.api.pod import Container
from webhook.core.api.reason import Group, Reason
from webhook.core.api.violation import Violation
from webhook.core.checks.check import REFUSED_TO_TENANTS, Backstop, Check, PodCondition, Texts
from webhook.core.checks.finding import Finding, Subject, quote
from webhook.core.checks.shared_claims import TEMPLATE


def resource_claims(seen: Subject) -> Iterator[Finding]:
    """Yield each claim of a pod, which does not show what a template asks for.

    Fields: spec.resourceClaims. Allowed: none. Claims by name are found by `shared_claims` too.
    Source: Kubernetes, "Dynamic Resource Allocation"; dra-driver-nvidia-gpu.
    """
    for index, claim in enumerate(seen.pod.spec.resource_claims or ()):
        named = quote(str(claim.get(TEMPLATE) or claim.get("resourceClaimName") or ""))
        text = f"resourceClaims[{index}] ({named}) may share GPUs; request nvidia.com/gpu instead"
        yield Finding(Violation(CHECK.reason, "", text, f"spec.resourceClaims[{index}]"))


def claimed_devices(_: Subject, place: ContainerRef, container: Container) -> Iterator[Finding]:
    """Yield the claims of a container, and device classes that it requests as resources.

    Fields: resources.claims, and names in resources.limits and requests, of every container.
    Allowed: no claim, no name that begins with `deviceclass.resource.kubernetes.io/`.
    Source: KEP-5004, implicit extended resources of every DeviceClass.
    """
    resources = container.resources
    if resources is None:
        return
    limits = resources.limits or {}
    for name in {**limits, **(resources.requests or {})}:
        if name.startswith(names.DEVICE_CLASS):
            text = f"{name[:100]} is a device of DRA; request nvidia.com/gpu instead"
            where = f"resources.{'limits' if name in limits else 'requests'}[{name}]"
            yield Finding(Violation(CHECK.reason, place.name, text, where))
    if resources.claims:
        text = "resources.claims may share GPUs; request nvidia.com/gpu instead"
        yield Finding(Violation(CHECK.reason, place.name, text, "resources.claims"))


_CLASSES: Final = f"k.startsWith('{names.DEVICE_CLASS}')"
_CLAIMS: Final = "has(c.resources) && has(c.resources.claims) && size(c.resources.claims) > 0"

CHECK: Final = Check(
    rank=14,
    reason=Reason(
        "resource_claims",
        Group.WAY_AROUND,
        "The pod requests devices by a claim, which this webhook cannot see.",
        example="`deviceclass.resource.kubernetes.io/gpu.nvidia.com: 1`.",
        to_do="request `nvidia.com/gpu`.",
        detail="That is a ResourceClaim or a DeviceClass. Several pods may use one claim.",
    ),
    treatments=REFUSED_TO_TENANTS,
    texts=Texts(
        looks_at=f"resourceClaims, resources.claims, `{names.DEVICE_CLASS}…`",
        comment="dynamic resource allocation",
    ),
    webhook=PodCondition(
        pod="has(o.spec.resourceClaims) && size(o.spec.resourceClaims) > 0",
        container=_CLAIMS,
        resource=_CLASSES,
    ),
    backstop=Backstop("a claim or a device class may share GPUs; request nvidia.com/gpu"),
    pod_rule=resource_claims,
    container_rule=claimed_devices,
)
