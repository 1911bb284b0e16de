"""Facts, Policy and Inventory -> Decision: one pure function; the parts are in its siblings."""

from typing import Final

from webhook.core.api import names, reasons
from webhook.core.api.model import Allocation, Decision, Facts, Inventory, Offer, Strategy
from webhook.core.api.reason import Reason
from webhook.core.decision import affinity, allowed, diagnosis, select
from webhook.core.decision.affinity import Chosen
from webhook.core.decision.allowed import Candidate
from webhook.core.decision.select import Constraints
from webhook.core.policy.values import Policy, Row, RowName, row_of

_BY_STRATEGY: Final = {
    Strategy.MIG: reasons.MIG_SLICE,
    Strategy.MPS: reasons.MPS_SHARE,
    Strategy.TIME_SLICING: reasons.TIME_SLICED_SHARE,
}
UNCLASSIFIED_WARNING: Final = (
    f"whole GPUs, since nothing says what this is for; label {names.WORKLOAD}: "
    "training|inference|dev|tenant"
)


def decide(facts: Facts, rules: Policy, inventory: Inventory) -> Decision:
    """Return what each ask gets, or every reason why the pod gets nothing.

    The same input always gives the same answer. Only what nodes advertise counts, not what is
    free: that is the scheduler's.
    """
    if facts.violations or not facts.asks:
        return Decision(violations=facts.violations, warnings=facts.warnings)
    wanted, wrong = allowed.of_facts(facts, rules)
    if wrong:
        return Decision(violations=wrong, warnings=facts.warnings)
    terms = select.terms_of(facts, rules)
    shapes = select.reachable(facts, inventory, rules)
    found = select.assign(wanted, terms, shapes, inventory.amounts)
    if found is None:
        missing = diagnosis.explain(wanted, facts, inventory, rules)
        return Decision(violations=missing, warnings=facts.warnings)
    shape, offers = found
    chosen = tuple(Chosen(w, o, shape) for w, o in zip(wanted, offers, strict=True))
    return _decision(chosen, facts, (rules, inventory, terms))


def _decision(
    chosen: tuple[Chosen, ...], facts: Facts, world: tuple[Policy, Inventory, Constraints]
) -> Decision:
    rules, inventory, terms = world
    name = row_of(facts.workload, facts.tenant)
    row = rules.matrix[name]
    given = tuple(
        Allocation(
            each.want.ask,
            each.offer,
            _reason(each.want, each.offer, (name, row)),
            affinity.of_chosen(each, terms, inventory),
        )
        for each in chosen
    )
    taints = (t for each in chosen for t in affinity.gpu_taints(each, inventory, rules.gpu_taints))
    texts = (text for each in given for text in _warnings(each, terms, row))
    warnings = tuple(dict.fromkeys((*facts.warnings, *texts)))
    return Decision(given, (), warnings, tuple(dict.fromkeys(taints)))


def _reason(want: Candidate, offer: Offer, row: tuple[RowName, Row]) -> Reason:
    """Why this strategy; the same when the rewritten pod is decided again."""
    if row[0] is RowName.UNCLASSIFIED:
        return reasons.UNCLASSIFIED
    if offer.strategy is not Strategy.EXCLUSIVE:
        return _BY_STRATEGY[offer.strategy]
    if any(choice.strategy is Strategy.EXCLUSIVE for choice in row[1].choices):
        return reasons.WHOLE_GPU
    return reasons.SEVERAL_GPUS if want.ask.count > 1 else reasons.FALLBACK_WHOLE_GPU


def _warnings(given: Allocation, terms: Constraints, row: Row) -> tuple[str, ...]:
    """What a person should know of a grant: each at most 120 characters, as kubectl shows them."""
    offer = given.offer
    size = "memory unknown" if offer.memory is None else f"{offer.memory} MiB"
    more = "" if terms.memory else f"; annotate {names.GPU_MEMORY} to ask for more"
    match given.reason:
        case reasons.UNCLASSIFIED:
            return (UNCLASSIFIED_WARNING,)
        case reasons.FALLBACK_WHOLE_GPU:
            wanted = " or ".join(dict.fromkeys(c.strategy.value for c in row.choices))
            return (f"no {wanted} is offered for this pod: a whole GPU is given instead",)
        case reasons.MIG_SLICE if not terms.profile_name and not terms.memory:
            return (f"MIG slice {offer.profile.name if offer.profile else ''} with {size}{more}",)
        case reasons.MPS_SHARE if not terms.memory:
            return (f"MPS share of a GPU with {size}{more}",)
        case reasons.TIME_SLICED_SHARE:
            return (f"time-slicing: {size} shared with other pods, neither limited nor protected",)
        case _:
            return ()
