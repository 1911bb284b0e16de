"""Is a pod safe as it stands? Rules on the rewritten pod, whoever rewrote it; prefers nothing."""

from collections.abc import Iterator
from typing import Final

from webhook.core import mig, names, pod
from webhook.core.classify import places
from webhook.core.model import ISOLATED, Ask, Facts, Strategy, Violation
from webhook.core.pod import NodeSelectorTerm, Pod, Requirement
from webhook.core.policy import Otherwise, Policy, Row, RowName, SeveralGpus, row_of
from webhook.core.reasons import Reason
from webhook.core.wants import means, refusal

_HIDDEN: Final = frozenset({"void", "none", ""})
_SHARING: Final = {
    frozenset({"mps"}): Strategy.MPS,
    frozenset({"time-slicing"}): Strategy.TIME_SLICING,
}
_UNSHARED: Final = frozenset({"none"})


def check(facts: Facts, rules: Policy) -> tuple[Violation, ...]:
    """Return everything that makes the pod unsafe: all at once, so that one mend suffices."""
    asks = (_unsafe(ask, facts, rules) for ask in facts.asks)
    found = (*facts.violations, *(each for each in asks if each), *_visible(facts))
    return tuple(dict.fromkeys(found))


def introduced(now: tuple[Violation, ...], before: tuple[Violation, ...]) -> tuple[Violation, ...]:
    """What an update makes worse: an older pod's label or finalizer can always be changed."""
    return tuple(each for each in now if each not in before)


def _visible(facts: Facts) -> Iterator[Violation]:
    """No container names GPUs by NVIDIA_VISIBLE_DEVICES.

    The kubelet lets the pod's own variable win over the device plugin's, so any value but
    `void` or `none` reaches GPUs that were not given (NVIDIA container toolkit, cuda_image.go).
    """
    for place, container in places(facts.pod):
        for variable in container.env or ():
            literal = variable.value_from is None and (variable.value or "") in _HIDDEN
            if variable.name == names.VISIBLE_DEVICES and not literal:
                text = f"env {variable.name} reaches GPUs that were not given to it; remove it"
                yield Violation(Reason.GPU_VISIBILITY, place.name, text, f"env.{variable.name}")


def _unsafe(ask: Ask, facts: Facts, rules: Policy) -> Violation | None:
    strategy = meaning(facts.pod, ask.resource)
    if strategy is None:
        text = (
            f"{ask.resource}: nothing pins it to nodes where that name is safe; the mutating "
            "webhook did not see the pod, or another one changed it: create the pod again"
        )
        return Violation(Reason.NOT_REWRITTEN, ask.place.name, text, "spec.affinity")
    name = row_of(facts.workload, facts.tenant)
    if strategy in _allowed(rules.matrix[name], ask) and _separate(strategy, facts, rules):
        return None
    who = "a tenant's pod" if name is RowName.TENANT else f"workload {facts.workload}"
    text = f"{ask.resource} on nodes with {strategy}: not allowed for {who}; remove that affinity"
    reason = refusal(name, Reason.STRATEGY_NOT_ALLOWED)
    return Violation(reason, ask.place.name, text, "spec.affinity")


def _allowed(row: Row, ask: Ask) -> frozenset[Strategy]:
    whole = row.otherwise is Otherwise.EXCLUSIVE or (
        ask.count > 1 and row.several_gpus is SeveralGpus.EXCLUSIVE
    )
    listed = frozenset(choice.strategy for choice in row.choices)
    return listed | {Strategy.EXCLUSIVE} if whole else listed


def _separate(strategy: Strategy, facts: Facts, rules: Policy) -> bool:
    """Whether tenants stay apart.

    | strategy | tenant pools | tenant's pod | other pod |
    |---|---|---|---|
    | exclusive, mig | any | yes | yes |
    | mps, time-slicing | isolated | no | yes |
    | mps, time-slicing | shared | if pinned to its own pool | if pinned off every pool |
    """
    if strategy in ISOLATED:
        return True
    tenant = row_of(facts.workload, facts.tenant) in (RowName.TENANT, RowName.TENANT_TRAINING)
    if not rules.shared_tenant_pools:
        return not tenant
    if not tenant:
        return absent(facts.pod, names.TENANT)
    return facts.tenant is not None and values(facts.pod, names.TENANT) == frozenset({facts.tenant})


def meaning(subject: Pod, resource: str) -> Strategy | None:
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
    sharing = values(subject, label)
    if named is not None and named[1]:
        return Strategy.TIME_SLICING
    if sharing != _UNSHARED:
        found = _SHARING.get(sharing or frozenset())
        return found if found in means(resource) else None
    if named is not None:
        return Strategy.MIG
    return _unshared(subject) if resource == names.GPU else None


def _unshared(subject: Pod) -> Strategy | None:
    if absent(subject, names.GPU_SLICES):
        return Strategy.EXCLUSIVE
    products = values(subject, names.GPU_PRODUCT)
    slices = products and all(mig.of_product(product) for product in products)
    return Strategy.MIG if slices else None


def values(subject: Pod, key: str) -> frozenset[str] | None:
    """The values of a node label that the pod's required placement leaves; None for any."""
    selector = (subject.spec.node_selector or {}).get(key)
    if selector is not None:
        return frozenset({selector})
    each = [_values(term, key) for term in _live_terms(subject)]
    left = [found for found in each if found is not None]
    return frozenset().union(*left) if each and len(left) == len(each) else None


def absent(subject: Pod, key: str) -> bool:
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
