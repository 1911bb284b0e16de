"""Which nodes a pod can reach: selectors, required affinity and taints.

Source: Kubernetes, component-helpers scheduling/corev1 (nodeaffinity, helpers).
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from webhook.core.api import names
from webhook.core.api.node import Taint
from webhook.core.api.pod import NodeSelectorTerm, Pod, Requirement, Toleration, required_terms
from webhook.core.gpu.values import NodeLabels, NodeRequirement

# What Go's ParseInt reads; Python's int() also takes spaces, underscores and other digits.
_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,18}", re.ASCII)
REPELLING: Final = frozenset({"NoSchedule", "NoExecute"})


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


def _term_holds(term: NodeSelectorTerm, node: NodeLabels, *, partial: bool) -> bool:
    expressions, fields = term.match_expressions or (), term.match_fields or ()
    if not expressions and not fields:
        return False
    if partial:
        expressions = tuple(each for each in expressions if _is_known(each.key, node))
    name = {names.NODE_NAME_FIELD: node.name}
    return all(requirement_holds(e, node.labels) for e in expressions) and all(
        requirement_holds(f, name) for f in fields
    )


def _is_known(key: str, node: NodeLabels) -> bool:
    return key in node.labels or key.startswith(names.PREFIX)


def selects_node(pod: Pod, node: NodeLabels, *, partial: bool = False) -> bool:
    """Whether the pod's nodeSelector and required node affinity allow the node.

    A `partial` node has more labels than are listed, but of ours: what requests one of those is
    no obstacle.
    """
    selector = pod.spec.node_selector or {}
    known = (key for key in selector if not partial or _is_known(key, node))
    if any(node.labels.get(key) != selector[key] for key in known):
        return False
    terms = required_terms(pod)
    return terms is None or any(_term_holds(term, node, partial=partial) for term in terms)


def tolerates(tolerations: Iterable[Toleration], taint: Taint) -> bool:
    """Whether one of the tolerations matches the taint."""
    return any(_matches(toleration, taint) for toleration in tolerations)


def _matches(toleration: Toleration, taint: Taint) -> bool:
    """Whether a toleration matches a taint, as the scheduler compares them.

    | operator | matches |
    |---|---|
    | Exists | any value; without a key any taint |
    | Equal, none | an equal value |
    | Gt, Lt (KEP-5471) | both are integers, and the taint's is greater, or less |
    | one that is not known | any value: only the API server refuses what it does not know |
    """
    if toleration.effect and toleration.effect != taint.effect:
        return False
    if toleration.operator == "Exists" and not toleration.key:
        return True
    if toleration.key != taint.key:
        return False
    if toleration.operator in ("Gt", "Lt"):
        return _compares(toleration.operator, taint.value, (toleration.value or "",))
    equal = toleration.operator in (None, "", "Equal")
    return not equal or (toleration.value or "") == (taint.value or "")


def lasting_taints(taints: Iterable[Taint], momentary: tuple[str, ...]) -> tuple[Taint, ...]:
    """The taints that keep pods away for good, in a stable order.

    Those whose keys begin with one of `momentary`, or end with one after its `*`, come and go by
    themselves: waiting them out is the scheduler's job, and autoscalers act on waiting pods only.
    """
    starts = tuple(each for each in momentary if not each.startswith("*"))
    ends = tuple(each[1:] for each in momentary if each.startswith("*"))
    lasting = (
        taint
        for taint in taints
        if taint.effect in REPELLING
        and not taint.key.startswith(starts)
        and not taint.key.endswith(ends)
    )
    return tuple(sorted(lasting, key=lambda t: (t.key, t.effect, t.value or "")))


def is_gpu_taint(taint: Taint, gpu_taints: frozenset[str]) -> bool:
    """Whether a taint is one of `KEY` or `KEY=VALUE`, which mean that there are GPUs."""
    return taint.key in gpu_taints or f"{taint.key}={taint.value or ''}" in gpu_taints
