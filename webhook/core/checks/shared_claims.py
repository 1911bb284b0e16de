"""The check of claims of dynamic resource allocation that other pods can use too."""

from collections.abc import Iterator
from typing import Final

from webhook.core.api.reason import Group, Reason
from webhook.core.api.violation import Violation
from webhook.core.checks.check import REFUSED, Backstop, Check, PodCondition, Texts
from webhook.core.checks.finding import Finding, Subject, quote

TEMPLATE: Final = "resourceClaimTemplateName"


def shared_claims(seen: Subject) -> Iterator[Finding]:
    """Yield each claim that a pod names, since other pods can use it too.

    Fields: spec.resourceClaims. Allowed: claims that are made for this pod, from a template. The
    owner of a claim is checked for those only (scheduler and kubelet, `mustCheckOwner`).
    """
    for index, claim in enumerate(seen.pod.spec.resource_claims or ()):
        if not claim.get(TEMPLATE):
            named = quote(str(claim.get("resourceClaimName", "")))
            text = (
                f"resourceClaims[{index}] names claim {named}, maybe another pod's; use a template"
            )
            yield Finding(Violation(CHECK.reason, "", text, f"spec.resourceClaims[{index}]"))


CHECK: Final = Check(
    rank=17,
    reason=Reason(
        "shared_claims",
        Group.WAY_AROUND,
        "The pod names a ResourceClaim, whose devices other pods can use too.",
        example="`resourceClaims: [{name: gpu, resourceClaimName: other-pod-gpu-x7k2p}]`.",
        to_do="use `resourceClaimTemplateName`, or request `nvidia.com/gpu`.",
        detail=(
            "Any pod can name the claim that was made for another one, and runs on the same GPU."
        ),
    ),
    treatments=REFUSED,
    texts=Texts(looks_at="resourceClaims by name", comment="claims by name: any pod's"),
    webhook=PodCondition(
        pod="has(o.spec.resourceClaims) && o.spec.resourceClaims.exists(r,"
        f" !has(r.{TEMPLATE}) || r.{TEMPLATE} == '')"
    ),
    backstop=Backstop("a claim by name may be another pod's; use resourceClaimTemplateName"),
    pod_rule=shared_claims,
)
