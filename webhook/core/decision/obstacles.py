"""What keeps a pod from the nodes that would serve it."""

from collections.abc import Hashable, Iterable, Sequence
from itertools import islice
from typing import Final

from webhook.core.api import names
from webhook.core.api.pod import NodeSelectorTerm, Pod, Requirement, required_terms
from webhook.core.gpu.placement import is_gpu_taint, requirement_holds, tolerates
from webhook.core.gpu.reach import (
    NODE_NAME,
    asked_values,
    distinct_nodes,
    label_keys,
    nodes_having,
    way_of,
)
from webhook.core.gpu.values import NodeGroup, NodeLabels

_MOST: Final = 4
_MOST_NODES, _MOST_KEYS = 200, 50  # that are looked at for a message
_AUTOSCALED: Final = (
    *("karpenter.sh/", "karpenter.k8s.aws/", "eks.amazonaws.com/", "cloud.google.com/"),
    *("kubernetes.azure.com/", "agentpool", "node.kubernetes.io/instance-type", "alpha.eksctl.io/"),
)
"""Keys of labels that autoscalers and clouds give to the nodes of a pool."""


def tell_obstacle(pod: Pod, found: str | tuple[NodeGroup, ...], gpu_taints: frozenset[str]) -> str:
    """Return what keeps the pod from all nodes of the groups, and what mends it.

    `found` is what `find_obstacle` returns. The first that is true:

    | of those nodes | told |
    |---|---|
    | the pod names another by nodeName | nodeName |
    | some are selected | the taints of these that the pod does not tolerate |
    | none is selected | what the nearest ones lack of nodeSelector and required node affinity |

    Taints of nodes that the pod does not select anyway are no cause.
    """
    return found if isinstance(found, str) else _of_taints(pod, found, gpu_taints)


def find_obstacle(pod: Pod, groups: Sequence[NodeGroup]) -> str | tuple[NodeGroup, ...]:
    """Return why the pod selects none of the groups, or those that it selects."""
    if pod.spec.node_name:
        return f"spec.nodeName is {pod.spec.node_name}, which offers none of them; remove it"
    keys, known = label_keys(pod), dict[Hashable, tuple[_Lack, ...]]()
    lacking = []
    for group, node in _looked_at(pod, groups, keys):
        way = bool(group.declared), way_of(node, keys)
        if way not in known:
            known[way] = _lacking(pod, node, declared=way[0])
        lacking.append((group, node, known[way]))
    selected = {id(group): group for group, _, lacks in lacking if not lacks}
    if selected:
        return tuple(selected.values())
    least = min(len(lacks) for _, _, lacks in lacking)
    return _of_labels([(node, lacks) for _, node, lacks in lacking if len(lacks) == least])


def _looked_at(
    pod: Pod, groups: Sequence[NodeGroup], keys: frozenset[str] | None
) -> list[tuple[NodeGroup, NodeLabels]]:
    """Return the first nodes that differ in what the pod asks for."""
    every = ((group, node) for group in groups for node in distinct_nodes(group, keys))
    found = list(islice(every, _MOST_NODES + 1))
    selector, asked = pod.spec.node_selector, asked_values(pod)
    if len(found) > _MOST_NODES and selector and asked and required_terms(pod) is None:
        some = ((group, node) for group in groups for node in nodes_having(group, asked[0]))
        held = (at for at in some if all(at[1].labels.get(k) == v for k, v in selector.items()))
        found = list(islice(held, _MOST_NODES)) or found
    return found[:_MOST_NODES]


def _of_taints(pod: Pod, groups: Iterable[NodeGroup], gpu_taints: frozenset[str]) -> str:
    tolerations = pod.spec.tolerations or ()
    taints = {
        f"{taint.key}{'=' + taint.value if taint.value else ''}:{taint.effect}"
        for group in groups
        for taint in group.taints
        if not is_gpu_taint(taint, gpu_taints) and not tolerates(tolerations, taint)
    }
    listed = ", ".join(sorted(taints)[:_MOST])
    return f"it does not tolerate {listed}; add a toleration, if those nodes are meant for it"


def _of_labels(nearest: list[tuple[NodeLabels, tuple["_Lack", ...]]]) -> str:
    """Name what the nearest nodes lack, with the values that they have instead."""
    _, lacks = nearest[0]
    wanted = " and ".join(dict.fromkeys(text for _, text in lacks))
    key = lacks[0][0]
    values = sorted({node.labels[key] for node, _ in nearest if key in node.labels})
    have = f"{key}={' or '.join(values[:_MOST])}" if values else ""
    if key == NODE_NAME:
        have = ", ".join(sorted(node.name for node, _ in nearest)[:_MOST])
    mend = f"they have {have}: write that, or remove it" if have else f"none has {key}: remove it"
    if not key or any(each in f"{lacks[0][1]} " for each in (" NotIn ", " DoesNotExist ")):
        mend = "remove it"
    elif have and any(each in lacks[0][1] for each in (" Gt [", " Lt [")):
        mend = f"they have {have}: write a number that they meet, or remove it"
    if key.startswith(_AUTOSCALED):
        mend += ", or have the pool declared in the policy (pools) if its nodes are still to come"
    return f"its {wanted} selects none of their nodes; {mend}"


_Lack = tuple[str, str]
"""The key of what a node lacks, and the requirement in words."""


_EMPTY: Final[tuple[_Lack, ...]] = (("", "required node affinity without any requirement"),)
"""Of terms that are all empty, which match no node."""


def _lacking(pod: Pod, node: NodeLabels, *, declared: bool) -> tuple[_Lack, ...]:
    """What a node lacks of the pod's selector, and of its nearest term."""
    unmet = (
        (key, f"nodeSelector {key}={value}")
        for key, value in (pod.spec.node_selector or {}).items()
        if node.labels.get(key) != value and _is_told(key, node, declared=declared)
    )
    selector = sorted(islice(unmet, _MOST_KEYS))
    terms = required_terms(pod)
    if terms is None:
        return tuple(selector)
    lacks = [
        _of_term(term, node, declared=declared)
        for term in terms
        if term.match_expressions or term.match_fields
    ]
    return (*selector, *min(lacks, key=len, default=_EMPTY))


def _of_term(term: NodeSelectorTerm, node: NodeLabels, *, declared: bool) -> tuple[_Lack, ...]:
    labels = [
        (each.key, _in_words(each))
        for each in term.match_expressions or ()
        if not requirement_holds(each, node.labels) and _is_told(each.key, node, declared=declared)
    ]
    name = {names.NODE_NAME_FIELD: node.name}
    fields = [
        (NODE_NAME, _in_words(each))
        for each in term.match_fields or ()
        if not requirement_holds(each, name)
    ]
    return (*labels, *fields)


def _is_told(key: str, node: NodeLabels, *, declared: bool) -> bool:
    """Whether a node tells of a label: a declared pool says only what it lists."""
    return not declared or key in node.labels or key.startswith(names.PREFIX)


def _in_words(requirement: Requirement) -> str:
    values = ", ".join((requirement.values or ())[:_MOST])
    listed = f" [{values}]" if values else ""
    return f"required node affinity {requirement.key} {requirement.operator}{listed}"
