"""What a request for a GPU amounts to, by its resource name and the pod's required placement."""

from typing import Final

from webhook.core.api import mig, names, pod
from webhook.core.api.model import Strategy
from webhook.core.api.pod import NodeSelectorTerm, Pod, Requirement

_SHARING: Final = {
    frozenset({"mps"}): Strategy.MPS,
    frozenset({"time-slicing"}): Strategy.TIME_SLICING,
}
_UNSHARED: Final = frozenset({"none"})


def means(resource: str) -> frozenset[Strategy]:
    """The strategies that a resource name can stand for, whatever the node (device plugin README).

    | name | can be |
    |---|---|
    | nvidia.com/gpu | any |
    | nvidia.com/gpu.shared | mps, time-slicing |
    | nvidia.com/mig-<p> | mig, time-slicing |
    | nvidia.com/mig-<p>.shared | time-slicing |
    """
    if resource == names.GPU:
        return frozenset(Strategy)
    if resource == names.SHARED_GPU:
        return frozenset({Strategy.MPS, Strategy.TIME_SLICING})
    named = mig.of_resource(resource)
    if named is not None and not named[1]:
        return frozenset({Strategy.MIG, Strategy.TIME_SLICING})
    return frozenset({Strategy.TIME_SLICING})


def of_request(subject: Pod, resource: str) -> Strategy | None:
    """The strategy that a resource name amounts to on every node the pod can reach, by its pins.

    | resource | pinned to | strategy |
    |---|---|---|
    | nvidia.com/gpu | sharing none, no slices label | exclusive |
    | nvidia.com/gpu | sharing none, products that are all -MIG- | mig |
    | nvidia.com/gpu[.shared] | sharing mps / time-slicing | that |
    | nvidia.com/mig-<p> | its sharing none / time-slicing | mig / time-slicing |
    | nvidia.com/mig-<p>.shared | anything | time-slicing |
    | any | anything else | unknown: None |
    """
    named = mig.of_resource(resource)
    label = names.GPU_SHARING if named is None else named[0].resource + names.SHARING_SUFFIX
    sharing = values_left(subject, label)
    if named is not None and named[1]:
        return Strategy.TIME_SLICING
    if sharing != _UNSHARED:
        found = _SHARING.get(sharing or frozenset())
        return found if found in means(resource) else None
    if named is not None:
        return Strategy.MIG
    return _unshared(subject) if resource == names.GPU else None


def _unshared(subject: Pod) -> Strategy | None:
    if is_absent(subject, names.GPU_SLICES):
        return Strategy.EXCLUSIVE
    products = values_left(subject, names.GPU_PRODUCT)
    slices = products and all(mig.of_product(product) for product in products)
    return Strategy.MIG if slices else None


def values_left(subject: Pod, key: str) -> frozenset[str] | None:
    """The values of a node label that the pod's required placement leaves; None for any."""
    selector = (subject.spec.node_selector or {}).get(key)
    if selector is not None:
        return frozenset({selector})
    each = [_values(term, key) for term in _live_terms(subject)]
    left = [found for found in each if found is not None]
    return frozenset().union(*left) if each and len(left) == len(each) else None


def is_absent(subject: Pod, key: str) -> bool:
    """Whether the pod's required placement excludes every node that has the label."""
    terms = _live_terms(subject)
    return bool(terms) and all(
        any(e.key == key and e.operator == "DoesNotExist" for e in term.match_expressions or ())
        for term in terms
    )


def _live_terms(subject: Pod) -> list[NodeSelectorTerm]:
    """The terms that can match a node; one without requirements matches none."""
    terms = pod.required_terms(subject) or ()
    return [term for term in terms if term.match_expressions or term.match_fields]


def _values(term: NodeSelectorTerm, key: str) -> frozenset[str] | None:
    listed = [_listed(each) for each in term.match_expressions or () if each.key == key]
    found = [each for each in listed if each is not None]
    return frozenset.intersection(*found) if found else None


def _listed(requirement: Requirement) -> frozenset[str] | None:
    return frozenset(requirement.values or ()) if requirement.operator == "In" else None
