"""The choices that the matrix allows each request, or why it has none."""

from collections.abc import Iterable
from typing import Final

from webhook.core.api import denials, names
from webhook.core.api.reason import Reason
from webhook.core.api.violation import Violation
from webhook.core.decision.values import Candidate, GpuRequest, Question
from webhook.core.gpu.meaning import possible_strategies
from webhook.core.gpu.resources import parse_resource
from webhook.core.gpu.strategies import FALLBACK, Strategy
from webhook.core.policy.values import Choice, Otherwise, Policy, Row, RowName, SeveralGpus

_WHOLE: Final = Choice(FALLBACK)
_SLICES: Final = tuple(
    Choice(each) for each in Strategy if each.traits.takes_profile and each.traits.isolated
)
_NEVER: Final = {
    RowName.TRAINING: denials.TRAINING_NEVER_SHARES,
    RowName.TENANT_TRAINING: denials.TRAINING_NEVER_SHARES,
    RowName.TENANT: denials.TENANT_NEEDS_ISOLATION,
}


def denial_reason(row: RowName, otherwise: Reason) -> Reason:
    """Return the reason that a row gives when nothing it allows is offered."""
    return _NEVER.get(row, otherwise)


def find_candidates(question: Question, policy: Policy) -> list[Candidate | Violation]:
    """Return a candidate for each request, or the violation of more than the matrix gives.

    A candidate has no choices where the matrix gives nothing of that name.
    """
    return [_candidate(request, question, policy) for request in question.requests]


def _candidate(request: GpuRequest, question: Question, policy: Policy) -> Candidate | Violation:
    profile = question.constraints.profile
    possible = possible_strategies(request.resource)
    if profile is not None:
        possible = frozenset(each for each in possible if each.traits.takes_profile)
    choices = _only(choices_of(request, question), possible)
    if not choices or request.count == 1:
        return Candidate(request, choices)
    plain = request.resource == names.GPU and profile is None
    if plain and question.row.several_gpus is SeveralGpus.EXCLUSIVE:
        return Candidate(request, (_WHOLE,))
    return _several(Candidate(request, choices), question, policy, plain=plain)


def choices_of(request: GpuRequest, question: Question) -> tuple[Choice, ...]:
    """Return the choices of a request: its row's, and what that falls back to.

    A pod that nothing classifies may also have the unshared MIG device that it names: who names
    one knows what it is, and it takes nothing from anybody.
    """
    row, found = question.row, parse_resource(request.resource)
    sliced = question.constraints.profile is not None or (found and found.profile)
    named = _SLICES if sliced and question.row_name is RowName.UNCLASSIFIED else ()
    fallback = (_WHOLE,) if row.otherwise is Otherwise.EXCLUSIVE else ()
    listed = {choice.strategy for choice in row.choices}
    added = (each for each in (*named, *fallback) if each.strategy not in listed)
    return (*row.choices, *added)


def _several(
    candidate: Candidate, question: Question, policy: Policy, *, plain: bool
) -> Candidate | Violation:
    """More than one GPU in a container.

    | asked | severalGpus | severalMigDevices | |
    |---|---|---|---|
    | nvidia.com/gpu | exclusive | any | that many whole GPUs |
    | anything | share | allow / deny | that many shares, MIG among them / without MIG |
    | slices by name or annotation | other | allow | that many unshared slices |
    | slices by name or annotation | any | deny | several_mig_devices |
    | anything else | other | any | several_gpus_not_allowed |
    """
    request = candidate.request
    slices = tuple(c for c in candidate.choices if c.strategy.traits.one_per_process)
    shares = tuple(c for c in candidate.choices if not c.strategy.traits.one_per_process)
    if question.row.several_gpus is SeveralGpus.SHARE:
        left = candidate.choices if policy.several_mig_devices else shares
        return Candidate(request, left) if left else _several_mig_devices(request)
    if plain or not slices:
        return _several_gpus(request, question)
    if not policy.several_mig_devices:
        return _several_mig_devices(request)
    return Candidate(request, slices)


def _only(choices: Iterable[Choice], strategies: frozenset[Strategy]) -> tuple[Choice, ...]:
    return tuple(choice for choice in choices if choice.strategy in strategies)


def strategy_names(row: Row) -> tuple[str, ...]:
    """Return the names of the strategies of a row, in its order."""
    return tuple(dict.fromkeys(choice.strategy.value for choice in row.choices))


def _several_gpus(request: GpuRequest, question: Question) -> Violation:
    """Name what an administrator can allow.

    A label would be no mend: what the pod is for does not change with what it asks.
    """
    row = question.row_name
    given = f"the policy gives {who(question)} 1 in a container"
    text = f"{request.resource}: {request.count} requested, {given}"
    if request.resource != names.GPU:
        text += " (more shares add no compute); write 1"
        return refuse(request, denials.SEVERAL_GPUS_NOT_ALLOWED, text)
    also = ", which isolate too" if row is RowName.TENANT else ""
    mend = (
        f"write 1, or ask an administrator to allow whole GPUs{also} "
        f"(policy: matrix.{row}.severalGpus: exclusive)"
    )
    return refuse(request, denials.SEVERAL_GPUS_NOT_ALLOWED, f"{text}; {mend}")


def _several_mig_devices(request: GpuRequest) -> Violation:
    message = (
        f"{request.resource}: {request.count} MIG devices requested, a CUDA process uses one; "
        "write 1 and take a larger profile, or use one container for each"
    )
    return refuse(request, denials.SEVERAL_MIG_DEVICES, message)


def who(question: Question) -> str:
    """Return whose pod it is, in the words of a refusal."""
    tenant = question.row_name is RowName.TENANT
    return "a tenant's pod" if tenant else f"workload {question.workload}"


def refuse(request: GpuRequest, reason: Reason, text: str) -> Violation:
    """Return the violation of a request."""
    return Violation(reason, request.container.name, text, "resources.limits")
