"""What a pod requests must amount to a strategy that its row of the matrix allows."""

from collections.abc import Iterator

from webhook.core.api import names, reasons
from webhook.core.api.model import ISOLATED, Ask, Facts, Strategy, Violation
from webhook.core.checks.finding import Finding, Subject
from webhook.core.decision.allowed import refusal
from webhook.core.decision.classify import places
from webhook.core.gpu import meaning
from webhook.core.policy.values import Otherwise, Policy, Row, SeveralGpus, of_tenant, row_of


def subject_of(facts: Facts) -> Subject:
    """Return what the checks look at: a large pod repeats few resource names many times."""
    resources = dict.fromkeys(ask.resource for ask in facts.asks)
    return Subject(
        pod=facts.pod,
        containers=dict(places(facts.pod)),
        tenant=facts.tenant,
        idle=frozenset(facts.idle),
        strategies={each: meaning.of_request(facts.pod, each) for each in resources},
        malformed=bool(facts.violations),
    )


def unsafe_requests(facts: Facts, seen: Subject, rules: Policy) -> Iterator[Finding]:
    """Yield every request that is not pinned to where its name is safe for this pod.

    Fields: resources of every container; spec.nodeSelector and the required node affinity.
    Source: the policy's matrix; see `gpu.meaning` for what a name amounts to.
    """
    kept = {each: _separate(each, facts, rules) for each in seen.strategies.values() if each}
    for ask in facts.asks:
        strategy = seen.strategies[ask.resource]
        if strategy is None:
            yield Finding(_unpinned(ask))
        elif not kept[strategy] or strategy not in _allowed(_row(facts, rules), ask):
            yield Finding(_forbidden(ask, strategy, facts))


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
        return meaning.is_absent(facts.pod, names.TENANT)
    return facts.tenant is not None and meaning.values_left(facts.pod, names.TENANT) == frozenset(
        {facts.tenant}
    )
