"""The check of tolerations of pools that are not meant for a pod."""

from collections.abc import Iterator
from typing import Final

from webhook.core.api import names
from webhook.core.api.pod import Toleration
from webhook.core.api.reason import Group, Reason
from webhook.core.api.violation import Violation
from webhook.core.checks.cel import listed, some
from webhook.core.checks.check import REFUSED_TO_TENANTS, Backstop, Check, PodCondition, Texts
from webhook.core.checks.finding import Finding, Subject


def tolerations(seen: Subject) -> Iterator[Finding]:
    """Yield each toleration of the taints of pools that are not meant for the pod.

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
        elif each.key == names.TENANT and not _own(each, seen.namespace_tenant):
            text = f"a toleration of {names.TENANT}{effect} reaches other tenants' pools; remove it"
        else:
            continue
        evidence = f"{each.operator or ''}={each.value or ''}"
        where = "spec.tolerations"
        yield Finding(Violation(CHECK.reason, "", text, where), evidence)


def _own(each: Toleration, tenant: str | None) -> bool:
    return each.operator in (None, "", "Equal") and bool(tenant) and each.value == tenant


_OWN: Final = (
    "(!has(t.operator) || t.operator in ['', 'Equal']) && has(t.value) && t.value != ''"
    " && t.value == variables.name"
)


_SAME: Final = " && ".join(
    f"(has(t.{each}) ? t.{each} : '') == (has(u.{each}) ? u.{each} : '')"
    for each in ("key", "operator", "value", "effect")
)
_NEW: Final = (
    f"!(has(oldObject.spec.tolerations) && oldObject.spec.tolerations.exists(u, {_SAME})) && "
)


def _cel(own: str, new: str = "") -> str:
    found = f"!has(t.key) || t.key == '' || (t.key == '{names.TENANT}' && !({own}))"
    return some("o.spec.tolerations", "t", f"{new}({found})")


CHECK: Final = Check(
    rank=12,
    reason=Reason(
        "tolerations",
        Group.WAY_AROUND,
        "The pod tolerates the taints of pools that are not meant for it.",
        example="`tolerations: [{operator: Exists}]`.",
        to_do="name the keys. The webhook adds the toleration of GPU nodes itself.",
        detail="It tolerates every taint, or the taint of another tenant's pool.",
    ),
    treatments=REFUSED_TO_TENANTS,
    texts=Texts(
        looks_at="toleration of everything, or of another tenant's pool",
        comment="Exists without a key; other tenants' pools",
    ),
    webhook=PodCondition(
        pod=some("o.spec.tolerations", "t", f"!has(t.key) || t.key in {listed(('', names.TENANT))}")
    ),
    backstop=Backstop(
        "a toleration tolerates every taint or reaches other tenants' pools; name a key",
        PodCondition(pod=_cel(_OWN)),
        changed=_cel(_OWN, _NEW),
    ),
    pod_rule=tolerations,
)
