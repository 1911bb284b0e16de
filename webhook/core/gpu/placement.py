"""Which nodes a pod can reach: selectors, required affinity and taints.

Source: Kubernetes, component-helpers scheduling/corev1 (nodeaffinity, helpers).
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from webhook.core.api import names
from webhook.core.api.node import Taint
from webhook.core.api.pod import NodeSelectorTerm, Pod, Requirement, Toleration, required_terms
from webhook.core.gpu.values import NodeGroup, NodeLabels, NodeRequirement

# What Go's ParseInt reads; Python's int() also takes spaces, underscores and other digits.
_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,18}", re.ASCII)
REPELLING: Final = frozenset({"NoSchedule", "NoExecute"})
# Taints of the node's momentary state come and go by themselves; waiting them out is the
# scheduler's job, and a refusal because of a reboot would be wrong a minute later.
TRANSIENT: Final = ("node.kubernetes.io/", "node.cloudprovider.kubernetes.io/")


def requirement_holds(
    requirement: Requirement | NodeRequirement, labels: Mapping[str, str]
) -> bool:
    """Whether one requirement holds for a node.

    | operator | label absent | label present |
    |---|---|---|
    | In | no | value is listed |
    | NotIn | yes | value is not listed |
    | Exists / DoesNotExist | no / yes | yes / no |
    | Gt / Lt | no | both are integers and label >/< the one value |
    """
    value = labels.get(requirement.key)
    listed = requirement.values or ()
    match requirement.operator:
        case "In":
            return value in listed
        case "NotIn":
            return value not in listed
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
        case "Gt" | "Lt":
            return _compares(requirement.operator, value, listed)
        case _:
            return False


def _compares(operator: str, value: str | None, listed: tuple[str, ...]) -> bool:
    if value is None or len(listed) != 1:
        return False
    if not _INTEGER.fullmatch(value) or not _INTEGER.fullmatch(listed[0]):
        return False
    left, right = int(value), int(listed[0])
    return left > right if operator == "Gt" else left < right


def _term_holds(term: NodeSelectorTerm, node: NodeLabels) -> bool:
    expressions, fields = term.match_expressions or (), term.match_fields or ()
    if not expressions and not fields:
        return False
    name = {names.NODE_NAME_FIELD: node.name}
    return all(requirement_holds(e, node.labels) for e in expressions) and all(
        requirement_holds(f, name) for f in fields
    )


def selects_node(pod: Pod, node: NodeLabels) -> bool:
    """Whether the pod's nodeSelector and required node affinity allow the node."""
    selector = pod.spec.node_selector
    if selector and any(node.labels.get(key) != value for key, value in selector.items()):
        return False
    terms = required_terms(pod)
    return terms is None or any(_term_holds(term, node) for term in terms)


def tolerates(tolerations: Iterable[Toleration], taint: Taint) -> bool:
    """Whether one of the tolerations matches the taint."""
    return any(_matches(toleration, taint) for toleration in tolerations)


def _matches(toleration: Toleration, taint: Taint) -> bool:
    if toleration.effect and toleration.effect != taint.effect:
        return False
    if toleration.operator == "Exists":
        return not toleration.key or toleration.key == taint.key
    equal = toleration.operator in (None, "", "Equal")
    return equal and toleration.key == taint.key and (toleration.value or "") == (taint.value or "")


def repelling_taints(taints: Iterable[Taint]) -> tuple[Taint, ...]:
    """The taints that keep pods away for good, in a stable order."""
    lasting = (
        taint
        for taint in taints
        if taint.effect in REPELLING and not taint.key.startswith(TRANSIENT)
    )
    return tuple(sorted(lasting, key=lambda t: (t.key, t.effect, t.value or "")))


def can_reach(pod: Pod, group: NodeGroup, gpu_taints: frozenset[str]) -> bool:
    """Whether the pod, with our GPU toleration, can land in the group."""
    tolerations = pod.spec.tolerations or ()
    if not all(t.key in gpu_taints or tolerates(tolerations, t) for t in group.taints):
        return False
    if not pod.spec.node_selector and required_terms(pod) is None:
        return True
    return any(selects_node(pod, node) for node in group.nodes)
