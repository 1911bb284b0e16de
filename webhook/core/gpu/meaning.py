"""What a GPU request amounts to, by its name and the pod's placement.

The forms of the dialects read backwards: a pod that requires all that a form requires lands only
on nodes that show it.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from webhook.core.api import pod
from webhook.core.api.pod import NodeSelectorTerm, Pod, Requirement
from webhook.core.gpu.dialect import form_of, shows_product
from webhook.core.gpu.dialects import DIALECTS
from webhook.core.gpu.resources import ResourceKind, parse_resource
from webhook.core.gpu.strategies import Strategy
from webhook.core.gpu.values import DeclaredPool, Form, NodeRequirement

_Values = Mapping[str, frozenset[str] | None]
"""The values of labels that a pod's placement leaves, None for any."""


def _forms(kind: ResourceKind) -> Iterator[Form]:
    for dialect in DIALECTS:
        for strategy in Strategy:
            yield from (form for form in dialect.forms(strategy) if kind in form.kinds)


FORMS: Final[Mapping[ResourceKind, tuple[Form, ...]]] = {
    kind: tuple(_forms(kind)) for kind in ResourceKind
}
"""Every form of every dialect, by the resource names that it is for."""
PRESENT: Final = ("In", "Exists", "Gt", "Lt")
"""Operators of requirements that no node without the label meets."""
_POSSIBLE: Final = {
    kind: frozenset(form.strategy for form in forms) for kind, forms in FORMS.items()
}


def possible_strategies(resource: str) -> frozenset[Strategy]:
    """Return the strategies that a resource name can stand for, whatever the node.

    | name | can be (device plugin README) |
    |---|---|
    | nvidia.com/gpu | any |
    | nvidia.com/gpu.shared | mps, time-slicing |
    | nvidia.com/mig-<p> | mig, time-slicing |
    | nvidia.com/mig-<p>.shared | time-slicing |
    """
    found = parse_resource(resource)
    return _POSSIBLE[found.kind] if found else frozenset()


def strategy_of_request(
    subject: Pod, resource: str, pools: tuple[DeclaredPool, ...] = ()
) -> Strategy | None:
    """Return the strategy of a resource name on every node that the pod can reach.

    None where the pod's required placement does not tell, neither by labels of a dialect nor by
    the selector of a declared pool. A name that stands for one strategy only needs no placement.
    """
    found = parse_resource(resource)
    if found is None:
        return None
    if len(_POSSIBLE[found.kind]) == 1:
        return next(iter(_POSSIBLE[found.kind]))
    left = {key: values_left(subject, key) for key in _keys(subject)}
    if not left:
        return None
    declared = (each.offer.form for each in pools if each.offer and each.offer.resource == resource)
    for form in (*FORMS[found.kind], *declared):
        if _is_required(form_of(found, form), subject, left):
            return form.strategy
    return None


def _is_required(form: Form, subject: Pod, left: _Values) -> bool:
    """Whether the pod requires everything by which a node shows the form."""
    if not all(_implies(each, subject, left) for each in form.requirements):
        return False
    if not form.product_pattern:
        return True
    products = left.get(form.labels.product or "")
    return bool(products) and all(shows_product(form, each) for each in products or ())


def _implies(requirement: NodeRequirement, subject: Pod, left: _Values) -> bool:
    """Whether the pod's placement leaves only nodes for which the requirement holds.

    Of the operators, those that forms use: In, Exists (by values only) and DoesNotExist.
    """
    if requirement.operator == "DoesNotExist":
        return is_absent(subject, requirement.key)
    values = left.get(requirement.key)
    listed = requirement.operator == "Exists" or (values or set()) <= {*requirement.values}
    return bool(values) and listed


def _keys(subject: Pod) -> tuple[str, ...]:
    """The labels by which the pod selects, of several terms those of the first."""
    terms = _live_terms(subject)
    required = (each.key for each in terms[0].match_expressions or ()) if terms else ()
    return (*(subject.spec.node_selector or ()), *required)


def values_left(subject: Pod, key: str) -> frozenset[str] | None:
    """Return the label values that the pod's placement leaves, None for any."""
    selector = (subject.spec.node_selector or {}).get(key)
    if selector is not None:
        return frozenset({selector})
    each = [_values(term, key) for term in _live_terms(subject)]
    left = [found for found in each if found is not None]
    return frozenset().union(*left) if each and len(left) == len(each) else None


def is_present(subject: Pod, key: str) -> bool:
    """Whether the pod's required placement excludes every node without the label."""
    terms = _live_terms(subject)
    return key in (subject.spec.node_selector or {}) or (
        bool(terms)
        and all(
            any(e.key == key and e.operator in PRESENT for e in term.match_expressions or ())
            for term in terms
        )
    )


def is_absent(subject: Pod, key: str) -> bool:
    """Whether the pod's required placement excludes every node that has the label."""
    terms = _live_terms(subject)
    return bool(terms) and all(
        any(e.key == key and e.operator == "DoesNotExist" for e in term.match_expressions or ())
        for term in terms
    )


def _live_terms(subject: Pod) -> list[NodeSelectorTerm]:
    """The terms that can match a node: one without requirements matches none."""
    terms = pod.required_terms(subject) or ()
    return [term for term in terms if term.match_expressions or term.match_fields]


def _values(term: NodeSelectorTerm, key: str) -> frozenset[str] | None:
    listed = [_listed(each) for each in term.match_expressions or () if each.key == key]
    found = [each for each in listed if each is not None]
    return frozenset.intersection(*found) if found else None


def _listed(requirement: Requirement) -> frozenset[str] | None:
    return frozenset(requirement.values or ()) if requirement.operator == "In" else None
