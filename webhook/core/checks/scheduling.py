"""Rules on where a pod may land: without the scheduler, and on pools of others."""

from collections.abc import Iterator

from webhook.core.api import names, reasons
from webhook.core.api.model import Violation
from webhook.core.api.pod import Toleration
from webhook.core.checks.finding import Finding, Subject, quote


def node_name(seen: Subject) -> Iterator[Finding]:
    """No pod is created on a node of its own choice, past the scheduler and NoSchedule taints.

    Fields: spec.nodeName on CREATE; the scheduler sets it later. Allowed: absent, empty.
    Source: Kubernetes, "Assigning Pods to Nodes", `nodeName`.
    """
    name = seen.pod.spec.node_name
    if name:
        text = f"nodeName {quote(name)} passes the scheduler by; use nodeSelector"
        yield Finding(Violation(reasons.NODE_NAME, "", text, "spec.nodeName"))


def tolerations(seen: Subject) -> Iterator[Finding]:
    """No pod tolerates the taints of pools that are not meant for it.

    Fields: spec.tolerations, to which an update may add.
    Source: Kubernetes, "Taints and Tolerations": an empty key with Exists matches every taint.

    | key | operator | value | found |
    |---|---|---|---|
    | absent, empty | any | any | yes |
    | gpu-sharing.io/tenant | Exists | - | yes |
    | gpu-sharing.io/tenant | Equal, absent | the pod's own tenant | no |
    | gpu-sharing.io/tenant | Equal, absent | any other | yes |
    | any other | any | any | no |
    """
    for each in seen.pod.spec.tolerations or ():
        effect = f" with effect {each.effect[:20]}" if each.effect else ""
        if not each.key:
            text = f"a toleration without a key tolerates every taint{effect}; name a key"
        elif each.key == names.TENANT and not _own(each, seen.tenant):
            text = f"a toleration of {names.TENANT}{effect} reaches other tenants' pools; remove it"
        else:
            continue
        evidence = f"{each.operator}={each.value}"
        where = "spec.tolerations"
        yield Finding(Violation(reasons.TOLERATIONS, "", text, where), evidence)


def _own(each: Toleration, tenant: str | None) -> bool:
    return each.operator in (None, "", "Equal") and bool(tenant) and each.value == tenant
