"""The check of pods that choose their node."""

from collections.abc import Iterator
from typing import Final

from webhook.core.api.reason import Group, Reason
from webhook.core.api.violation import Violation
from webhook.core.checks.check import REFUSED_TO_TENANTS, Backstop, Check, PodCondition, Texts
from webhook.core.checks.finding import Finding, Subject, quote


def node_name(seen: Subject) -> Iterator[Finding]:
    """Yield the node that a pod chooses, past the scheduler and NoSchedule taints.

    Fields: spec.nodeName on CREATE; the scheduler sets it later. Allowed: absent, empty.
    Source: Kubernetes, "Assigning Pods to Nodes", `nodeName`.
    """
    name = seen.pod.spec.node_name
    if name:
        text = f"nodeName {quote(name)} passes the scheduler by; use nodeSelector"
        yield Finding(Violation(CHECK.reason, "", text, "spec.nodeName"))


CHECK: Final = Check(
    rank=11,
    reason=Reason(
        "node_name",
        Group.WAY_AROUND,
        "The pod names its node, so the scheduler and its taints do not count.",
        example="`nodeName: gpu-1`.",
        to_do="write `nodeSelector: {kubernetes.io/hostname: gpu-1}`.",
        detail="Nor do its taints with effect NoSchedule.",
    ),
    treatments=REFUSED_TO_TENANTS,
    texts=Texts(looks_at="nodeName on CREATE"),
    webhook=PodCondition(pod="has(o.spec.nodeName) && o.spec.nodeName != ''"),
    backstop=Backstop("the pod names its node; use nodeSelector"),
    pod_rule=node_name,
    only_created=True,
)
