"""The rule on what a pod asks for: each name must amount to a strategy that the pod may use."""

from collections.abc import Iterator
from typing import Final

from webhook.core.api import mig, names, pod, reasons
from webhook.core.api.model import ISOLATED, Ask, Facts, Strategy, Violation
from webhook.core.api.pod import NodeSelectorTerm, Pod, Requirement
from webhook.core.checks.finding import Finding, Subject
from webhook.core.decision.allowed import means, refusal
from webhook.core.policy.values import Otherwise, Policy, Row, SeveralGpus, of_tenant, row_of

_SHARING: Final = {
    frozenset({"mps"}): Strategy.MPS,
    frozenset({"time-slicing"}): Strategy.TIME_SLICING,
}
_UNSHARED: Final = frozenset({"none"})


def subject(facts: Facts) -> Subject:
    """Work out once what several rules need: a large pod repeats few names many times."""
    resources = dict.fromkeys(ask.resource for ask in facts.asks)
    strategies = {each: meaning(facts.pod, each) for each in resources}
    return Subject(facts, strategies, frozenset(facts.idle))


def unsafe(seen: Subject, rules: Policy) -> Iterator[Finding]:
    """Every ask is pinned to where its name is safe for this workload, and this tenant.

    Fields: resources of every container; spec.nodeSelector and the required node affinity.
    Source: the policy's matrix; see `meaning` for what a name amounts to.
    """
    kept = {each: _separate(each, seen.facts, rules) for each in seen.strategies.values() if each}
    for ask in seen.facts.asks:
        strategy = seen.strategies[ask.resource]
        if strategy is None:
            yield Finding(_unpinned(ask))
        elif not kept[strategy] or strategy not in _allowed(_row(seen.facts, rules), ask):
            yield Finding(_forbidden(ask, strategy, seen.facts))


def _unpinned(ask: Ask) -> Violation:
    text = (
        f"{ask.resource}: nothing pins it to nodes where that name is safe; the mutating "
        "webhook did not see the pod, or another one changed it: create the pod again"
    )
    return Violation(reasons.NOT_REWRITTEN, ask.place.name, text, "spec.affinity")


def _forbidden(ask: Ask, strategy: Strategy, facts: Facts) -> Violation:
    tenant = of_tenant(facts.workload, facts.tenant)
    who = "a tenant's pod" if tenant else f"workload {facts.workload}"
    text = f"{ask.resource} on nodes with {strategy}: not allowed for {who}; remove that affinity"
    reason = refusal(row_of(facts.workload, facts.tenant), reasons.STRATEGY_NOT_ALLOWED)
    return Violation(reason, ask.place.name, text, "spec.affinity")


def _row(facts: Facts, rules: Policy) -> Row:
    return rules.matrix[row_of(facts.workload, facts.tenant)]


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
    tenant = of_tenant(facts.workload, facts.tenant)
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
