"""Every request must amount to a strategy that the matrix allows."""

from collections.abc import Iterator
from typing import Final

from webhook.core.api import denials, limits, names
from webhook.core.api.violation import Violation
from webhook.core.checks.cel import VARIABLES
from webhook.core.checks.finding import Finding, Subject
from webhook.core.decision.allowed import choices_of, denial_reason
from webhook.core.decision.values import GpuRequest, Question
from webhook.core.gpu import meaning
from webhook.core.gpu.strategies import FALLBACK, Strategy
from webhook.core.policy.values import Policy, SeveralGpus

BACKSTOP: Final = {
    denials.TOO_LARGE: limits.TOO_MANY_PARTS.message,
    denials.NOT_REWRITTEN: (
        "a GPU request is not restricted to nodes where its name is safe: the webhook did not "
        "see the pod, or something changed it; create it again"
    ),
    denials.TENANT_NEEDS_ISOLATION: (
        "a tenant's pod gets an isolated device only, or a share in its namespace's own pool where "
        "the policy allows it; nobody else gets any there"
    ),
}
"""What the backstop says of requests, in the chart's ValidatingAdmissionPolicy."""


def subject_of(question: Question, policy: Policy) -> Subject:
    """Return what the checks look at: a large pod repeats few resource names many times."""
    resources = dict.fromkeys(each.resource for each in question.requests)
    return Subject(
        pod=question.pod,
        containers=question.containers,
        namespace_tenant=question.constraints.namespace_tenant,
        isolated=question.constraints.isolated,
        allowances=policy.tenant_allowances,
        idle=frozenset(question.idle),
        variables={
            place: tuple([each for each in one.env or () if each.name.startswith(VARIABLES)])
            for place, one in question.containers.items()
        },
        strategies={
            each: meaning.strategy_of_request(question.pod, each, policy.pools)
            for each in resources
        },
        malformed=bool(question.violations),
    )


def unsafe_requests(question: Question, seen: Subject) -> Iterator[Finding]:
    """Yield every request whose affinity does not make its name safe.

    Fields: resources of every container; spec.nodeSelector and the required node affinity.
    Source: the policy's matrix; see `gpu.meaning` for what a name amounts to.
    """
    strategies = {each for each in seen.strategies.values() if each is not None}
    own = _in_own_pool(question)
    elsewhere = meaning.is_present(question.pod, names.TENANT) and not own
    kept_apart = {each: _keeps_tenants_apart(each, question, own=own) for each in strategies}
    for request in question.requests:
        strategy = seen.strategies[request.resource]
        if strategy is None:
            yield Finding(_unpinned(request))
        elif elsewhere:
            yield Finding(_elsewhere(request))
        elif not kept_apart[strategy] or not _is_allowed(strategy, request, question):
            yield Finding(_forbidden(request, strategy, question))


def _unpinned(request: GpuRequest) -> Violation:
    text = (
        f"{request.resource}: nothing pins it to nodes where that name is safe; the mutating "
        "webhook did not see the pod, or another one changed it: create the pod again"
    )
    return Violation(denials.NOT_REWRITTEN, request.container.name, text, "spec.affinity")


def _elsewhere(request: GpuRequest) -> Violation:
    text = f"{request.resource} on nodes of another tenant; remove that pin on {names.TENANT}"
    reason = denials.TENANT_NEEDS_ISOLATION
    return Violation(reason, request.container.name, text, "spec.affinity")


def _forbidden(request: GpuRequest, strategy: Strategy, question: Question) -> Violation:
    isolated = question.constraints.isolated
    who = "a tenant's pod" if isolated else f"workload {question.workload}"
    on = f"{request.resource} on nodes with {strategy}"
    text = f"{on}: not allowed for {who}; remove that affinity"
    reason = denial_reason(question.row_name, denials.STRATEGY_NOT_ALLOWED)
    return Violation(reason, request.container.name, text, "spec.affinity")


def _is_allowed(strategy: Strategy, request: GpuRequest, question: Question) -> bool:
    """Whether the row has the strategy, or falls back to it for this request."""
    several = request.count > 1 and question.row.several_gpus is SeveralGpus.EXCLUSIVE
    if strategy is FALLBACK and several:
        return True
    return any(choice.strategy is strategy for choice in choices_of(request, question))


def _keeps_tenants_apart(strategy: Strategy, question: Question, *, own: bool) -> bool:
    """Whether no tenant shares a device with anybody else.

    | strategy | tenant pools | tenant's pod | other pod |
    |---|---|---|---|
    | isolated | any | yes | yes |
    | shared | isolated | no | yes |
    | shared | shared | if pinned to its own pool | if pinned off every pool |
    """
    constraints = question.constraints
    if strategy.traits.isolated or not constraints.shared_tenant_pools:
        return strategy.traits.isolated or not constraints.isolated
    return own if constraints.isolated else meaning.is_absent(question.pod, names.TENANT)


def _in_own_pool(question: Question) -> bool:
    """Whether a pod is pinned to its namespace's pool: its own label opens none."""
    tenant, left = (
        question.constraints.namespace_tenant,
        meaning.values_left(question.pod, names.TENANT),
    )
    return left is not None and tenant is not None and left <= {tenant}
