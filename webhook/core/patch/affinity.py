"""The node requirements of what was decided, put into the node affinity of a pod."""

from collections.abc import Iterator
from typing import Any, Final

from webhook.core.api import names, pod
from webhook.core.api.pod import NodeSelectorTerm, Pod
from webhook.core.decision.values import Allocation
from webhook.core.gpu.values import NodeRequirement
from webhook.core.patch.operation import Op, pointer

_NODE_AFFINITY: Final = ("spec", "affinity", "nodeAffinity")


def added(subject: Pod, allocations: tuple[Allocation, ...]) -> Iterator[tuple[str, str]]:
    """Yield key and operator of each node requirement that some term lacks."""
    terms = pod.required_terms(subject)
    for each in _requirements(allocations):
        if terms is None or not all(_has(term, each) for term in terms):
            yield each.key, each.operator


def _requirements(allocations: tuple[Allocation, ...]) -> tuple[NodeRequirement, ...]:
    return tuple(dict.fromkeys(r for each in allocations for r in each.requirements))


def operations(subject: Pod, allocations: tuple[Allocation, ...]) -> Iterator[Op]:
    """Put the requirements into every term: terms are alternatives, so each must carry them."""
    requirements = _requirements(allocations)
    terms = pod.required_terms(subject)
    if terms is None:
        yield _first_term(subject, [_expression(each) for each in requirements])
        return
    for index, term in enumerate(terms):
        at = (*_NODE_AFFINITY, names.REQUIRED, "nodeSelectorTerms", str(index), "matchExpressions")
        if not term.match_expressions and not term.match_fields:
            continue  # such a term matches nothing; with one it would begin to
        missing = [_expression(each) for each in requirements if not _has(term, each)]
        if missing and term.match_expressions is None:
            yield Op("add", pointer(*at), missing)
        elif missing:
            yield from (Op("add", pointer(*at, "-"), each) for each in missing)


def _first_term(subject: Pod, expressions: list[dict[str, Any]]) -> Op:
    """Create the required node affinity with as many parents as are missing."""
    required = {"nodeSelectorTerms": [{"matchExpressions": expressions}]}
    affinity = subject.spec.affinity
    if affinity is None:
        return Op("add", pointer("spec", "affinity"), {"nodeAffinity": {names.REQUIRED: required}})
    if affinity.node_affinity is None:
        return Op("add", pointer(*_NODE_AFFINITY), {names.REQUIRED: required})
    return Op("add", pointer(*_NODE_AFFINITY, names.REQUIRED), required)


def _expression(required: NodeRequirement) -> dict[str, Any]:
    bare = {"key": required.key, "operator": required.operator}
    return bare | {"values": list(required.values)} if required.values else bare


def _has(term: NodeSelectorTerm, required: NodeRequirement) -> bool:
    return any(
        each.key == required.key
        and each.operator == required.operator
        and set(each.values or ()) == set(required.values)
        for each in term.match_expressions or ()
    )
