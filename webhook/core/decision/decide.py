"""Question, Policy and Inventory to a Decision: one pure function, its steps in the siblings."""

from collections.abc import Iterator
from typing import Final

import msgspec
from msgspec.structs import replace

from webhook.core.api import names, pod, reasons
from webhook.core.api.reason import Reason, truncate
from webhook.core.api.violation import Violation
from webhook.core.api.workload import Workload
from webhook.core.decision import affinity, allowed, alternatives, diagnosis, model_memory, select
from webhook.core.decision.values import (
    Allocation,
    Candidate,
    Decision,
    ModelMemory,
    Question,
    Search,
    Selection,
)
from webhook.core.gpu.reach import reach_of
from webhook.core.gpu.strategies import FALLBACK
from webhook.core.gpu.values import Inventory
from webhook.core.policy.values import Policy, RowName

_TO_LABEL: Final = (
    f"nothing says what this is for; label {names.WORKLOAD}: training|inference|dev|tenant"
)
UNCLASSIFIED_WARNING: Final = f"whole GPUs, since {_TO_LABEL}"
VIRTUAL_WARNING: Final = "it may be a vGPU: the hypervisor may share its card with other machines"
NAMED_WARNING: Final = f"MIG as it is named, but {_TO_LABEL}"
_MOST_KEPT: Final = 4096
"""Bytes of what is asked: what is longer is decided each time."""
_ENCODER: Final = msgspec.json.Encoder()


def decide(question: Question, policy: Policy, inventory: Inventory) -> Decision:
    """Return what each request gets, or every reason why the pod gets nothing.

    The same input always gives the same answer. Only what nodes advertise counts, not what is
    free: that is the scheduler's.
    """
    if question.violations or not question.requests:
        return Decision(violations=question.violations, warnings=question.warnings)
    model = _model_memory(question, policy)
    asked = _asked(question, model)
    if len(asked) > _MOST_KEPT:
        return _decide(question, model, policy, inventory)
    # With the policy, so that no other one gets its id as long as this is kept.
    _, kept = select.keep(
        inventory,
        (id(policy), asked),
        lambda: (policy, _decide(question, model, policy, inventory)),
    )
    decided: Decision = kept
    return decided


def _asked(question: Question, model: ModelMemory | None) -> bytes:
    """All that a decision reads of a pod, as bytes."""
    spec, placed = question.pod.spec, names.STRATEGY in pod.labels(question.pod)
    where = spec.node_name, spec.node_selector, spec.affinity, spec.tolerations, placed
    who = question.row_name, question.workload, question.constraints, question.memory
    return _ENCODER.encode((question.requests, who, where, model, question.warnings))


def _decide(
    question: Question, model: ModelMemory | None, policy: Policy, inventory: Inventory
) -> Decision:
    groups = select.keep_selected(question.pod, inventory, "groups", dict[int, bool])
    reaches = reach_of(question.pod, policy.gpu_taints, groups)
    search = Search(question, policy, inventory, reaches)
    found = allowed.find_candidates(question, policy)
    candidates = tuple(each for each in found if isinstance(each, Candidate))
    denied = tuple(each for each in found if isinstance(each, Violation))
    if denied:
        then = _decide(_with_one_each(question, found), model, policy, inventory).violations
        return Decision(violations=(*denied, *then), warnings=question.warnings)
    nothing = [each for each in candidates if not each.choices]
    if nothing:
        refused = tuple(alternatives.refused_names(nothing, search))
        return Decision(violations=refused, warnings=question.warnings)
    for each in (*_estimated(candidates, model, search), search):
        selected = select.select_offers(candidates, each)
        if selected:
            return _decision(selected, each)
    missing = diagnosis.explain(candidates, search)
    return Decision(violations=missing, warnings=question.warnings)


def _with_one_each(question: Question, found: list[Candidate | Violation]) -> Question:
    """The question once 1 is written where that is told."""
    pairs = zip(question.requests, found, strict=True)
    requests = (replace(r, count=1) if isinstance(f, Violation) else r for r, f in pairs)
    return replace(question, requests=tuple(requests))


def _model_memory(question: Question, policy: Policy) -> ModelMemory | None:
    """The estimate for inference that asks for any GPU, and states neither memory nor profile."""
    constraints = question.constraints
    stated = constraints.memory is not None or constraints.profile is not None
    plain = all(each.resource == names.GPU for each in question.requests)
    if stated or not plain or question.workload is not Workload.INFERENCE:
        return None
    return model_memory.estimate_memory(question) if policy.model_memory else None


def _estimated(
    candidates: tuple[Candidate, ...], model: ModelMemory | None, search: Search
) -> Iterator[Search]:
    """Yield the search for offers with the memory of the model that inference serves.

    | estimate | searched |
    |---|---|
    | none | nothing |
    | at most what is offered to it | offers with the estimate |
    | more than any offer has | those with the most: an estimate refuses nobody |
    """
    question = search.question
    most = min(select.most_memory(each, search) for each in candidates) if model else 0
    if model is None or not most:
        return
    text = (
        f"about {model.mebibytes} MiB for {model.model}; annotate {names.GPU_MEMORY} if it is not"
        f" [{reasons.MEMORY_ESTIMATED}]"
    )
    needed = replace(question.constraints, memory=min(model.mebibytes, most))
    warnings = (*question.warnings, text)
    yield replace(search, question=replace(question, constraints=needed, warnings=warnings))


def _decision(selected: tuple[Selection, ...], search: Search) -> Decision:
    question = search.question
    allocations = tuple(_allocation(each, search) for each in selected)
    taints = (taint for each in selected for taint in affinity.gpu_taints(each, search))
    texts = (text for each in allocations for text in _warnings(each, search))
    warnings = tuple(dict.fromkeys((*question.warnings, *texts)))
    return Decision(allocations, (), warnings, tuple(dict.fromkeys(taints)))


def _allocation(selected: Selection, search: Search) -> Allocation:
    return Allocation(
        selected.candidate.request,
        selected.offer,
        _reason(selected, search.question),
        affinity.requirements_for(selected, search),
    )


def _reason(selected: Selection, question: Question) -> Reason:
    """Why this strategy, the same when the rewritten pod is decided again."""
    strategy = selected.offer.strategy
    if question.row_name is RowName.UNCLASSIFIED:
        return reasons.UNCLASSIFIED
    if strategy is not FALLBACK or any(c.strategy is FALLBACK for c in question.row.choices):
        return strategy.traits.reason
    several = selected.candidate.request.count > 1
    return reasons.SEVERAL_GPUS if several else reasons.FALLBACK_WHOLE_GPU


def _warnings(allocation: Allocation, search: Search) -> tuple[str, ...]:
    """The warnings of an allocation, each at most 120 characters, as kubectl shows them."""
    virtual = (VIRTUAL_WARNING,) if allocation.offer.virtual else ()
    return (*virtual, *_of_strategy(allocation, search))


def _of_strategy(allocation: Allocation, search: Search) -> tuple[str, ...]:
    question = search.question
    if allocation.reason is reasons.UNCLASSIFIED:
        whole = allocation.offer.strategy is FALLBACK
        return (UNCLASSIFIED_WARNING if whole else NAMED_WARNING,)
    if allocation.reason is reasons.FALLBACK_WHOLE_GPU:
        why = diagnosis.why_fallback(allocation.request, search)
        return (truncate(f"a whole GPU: {why}", allocation.reason),)
    offer, traits = allocation.offer, allocation.offer.strategy.traits
    memory, profile = question.constraints.memory, question.constraints.profile
    if not traits.warning or ((memory or profile) and not traits.warns_always):
        return ()
    text = traits.warning.format(
        size="memory unknown" if offer.memory is None else f"{offer.memory} MiB",
        profile=offer.profile.name if offer.profile else "",
        more="" if memory else f"; annotate {names.GPU_MEMORY} to request more",
    )
    return (text,)
