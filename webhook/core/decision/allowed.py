"""Facts and the matrix -> what each ask may be given, in order, or why it may not; no offers."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from webhook.core.api import names, reasons
from webhook.core.api.model import Ask, Facts, Strategy, Violation
from webhook.core.api.reason import Reason
from webhook.core.gpu.meaning import means
from webhook.core.policy.values import Choice, Otherwise, Policy, Row, RowName, SeveralGpus, row_of

_WHOLE: Final = Choice(Strategy.EXCLUSIVE)
_NEVER: Final = {
    RowName.TRAINING: (reasons.TRAINING_NEVER_SHARES, "training gets whole GPUs only"),
    RowName.TENANT_TRAINING: (reasons.TRAINING_NEVER_SHARES, "training gets whole GPUs only"),
    RowName.TENANT: (reasons.TENANT_NEEDS_ISOLATION, "a tenant's pod gets an isolated device only"),
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """An ask with the choices that it may be given, best first."""

    ask: Ask
    choices: tuple[Choice, ...]


def refusal(row: RowName, otherwise: Reason) -> Reason:
    """The reason that a row gives when what it allows is not to be had."""
    return _NEVER[row][0] if row in _NEVER else otherwise


def of_facts(facts: Facts, policy: Policy) -> tuple[tuple[Candidate, ...], tuple[Violation, ...]]:
    """Return a want for each ask, or the violations of those that the matrix refuses."""
    row = row_of(facts.workload, facts.tenant)
    found = [_want(ask, facts, row, policy) for ask in facts.asks]
    wrong = tuple(each for each in found if isinstance(each, Violation))
    return tuple(each for each in found if isinstance(each, Candidate)), wrong


def _want(ask: Ask, facts: Facts, row_name: RowName, policy: Policy) -> Candidate | Violation:
    row = policy.matrix[row_name]
    by_name = means(ask.resource) - ({Strategy.MPS, Strategy.EXCLUSIVE} if facts.profile else set())
    choices = _only(_choices(row), by_name)
    if not choices:
        return _not_allowed(ask, facts, row_name, row)
    if ask.count == 1:
        return Candidate(ask, choices)
    any_kind = ask.resource == names.GPU and facts.profile is None
    return _many(Candidate(ask, choices), plain=any_kind, rules=(row_name, policy))


def _many(want: Candidate, *, plain: bool, rules: tuple[RowName, Policy]) -> Candidate | Violation:
    """More than one GPU in a container.

    | asked | severalGpus | severalMigDevices | |
    |---|---|---|---|
    | nvidia.com/gpu | exclusive | any | that many whole GPUs |
    | anything | share | allow / deny | that many shares, MIG among them / without MIG |
    | slices by name or annotation | other | allow | that many unshared slices |
    | slices by name or annotation | any | deny | several_mig_devices |
    | anything else | other | any | several_gpus_not_allowed |
    """
    row_name, policy = rules
    several = policy.matrix[row_name].several_gpus
    if plain and several is SeveralGpus.EXCLUSIVE:
        return Candidate(want.ask, (_WHOLE,))
    slices = tuple(c for c in want.choices if c.strategy is Strategy.MIG)
    shares = tuple(c for c in want.choices if c.strategy is not Strategy.MIG)
    if several is SeveralGpus.SHARE:
        left = want.choices if policy.several_mig_devices else shares
        return Candidate(want.ask, left) if left else _several_mig(want.ask)
    if plain or not slices:
        return _several(want.ask, row_name)
    return Candidate(want.ask, slices) if policy.several_mig_devices else _several_mig(want.ask)


def _choices(row: Row) -> tuple[Choice, ...]:
    fallback = row.otherwise is Otherwise.EXCLUSIVE
    listed = any(choice.strategy is Strategy.EXCLUSIVE for choice in row.choices)
    return row.choices if listed or not fallback else (*row.choices, _WHOLE)


def _only(choices: Iterable[Choice], strategies: frozenset[Strategy]) -> tuple[Choice, ...]:
    return tuple(choice for choice in choices if choice.strategy in strategies)


def _not_allowed(ask: Ask, facts: Facts, row_name: RowName, row: Row) -> Violation:
    reason, why = _NEVER.get(row_name, (reasons.STRATEGY_NOT_ALLOWED, ""))
    allowed = ", ".join(dict.fromkeys(choice.strategy.value for choice in row.choices))
    why = why or f"workload {facts.workload} may use {allowed}"
    asked = ask.resource if ask.resource != names.GPU else f"annotation {names.MIG_PROFILE}"
    mend = f"write limits {names.GPU}"
    if facts.profile is not None and ask.resource == names.GPU:
        mend = "remove the annotation"
    if row_name is not RowName.TENANT:
        mend += f", or set another {names.WORKLOAD}"
    return Violation(reason, ask.place.name, f"{asked}: {why}; {mend}", "resources.limits")


def _several(ask: Ask, row_name: RowName) -> Violation:
    who = "a tenant's pod" if row_name is RowName.TENANT else f"workload {row_name}"
    message = (
        f"{ask.resource}: {ask.count} asked, {who} gets 1 in a container (more shares add no "
        "compute); write 1, or label whole-GPU work gpu-sharing.io/workload=training"
    )
    return Violation(reasons.SEVERAL_GPUS_NOT_ALLOWED, ask.place.name, message, "resources.limits")


def _several_mig(ask: Ask) -> Violation:
    message = (
        f"{ask.resource}: {ask.count} MIG devices asked, a CUDA process uses one; "
        "write 1 and take a larger profile, or use one container for each"
    )
    return Violation(reasons.SEVERAL_MIG_DEVICES, ask.place.name, message, "resources.limits")
