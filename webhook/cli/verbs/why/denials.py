"""What was refused to a workload, from events and conditions, equal refusals once."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from webhook.cli.cluster.dry_run.outcome import Now
from webhook.cli.cluster.events import ClusterEvent
from webhook.cli.cluster.types import Condition, Maker
from webhook.cli.inspect import denial
from webhook.cli.inspect.denial import By, Denial
from webhook.cli.verbs.why import owner_tree
from webhook.cli.verbs.why.owner_tree import OwnerTree
from webhook.core.record_values import Cause

_FAILED: Final = ("FailedCreate", "FailedToCreate")
"""How controllers begin the reason of an event about a pod that they could not make."""

_ENOUGH: Final = 900
"""Characters by which messages are compared: events cut the longest ones at 1024 bytes."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A refusal: of whom, how often, when, and if it still holds."""

    refusal: Denial
    whose: str
    count: int | None = None
    first: datetime | None = None
    last: datetime | None = None
    now: bool = False


def find_refusals(members: OwnerTree, events: Iterable[ClusterEvent]) -> tuple[Refused, ...]:
    """Everything that was refused to a family, the newest first. Those of others at the end."""
    about = owner_tree.concerns(members)
    told = (_of_event(each) for each in events if about(each.kind, each.name, each.uid))
    stated = (each for maker in members.makers for each in _of_conditions(maker))
    merged = _merged([*(each for each in told if each), *stated])
    judged = [replace(each, now=_holds(each, members)) for each in merged]
    return tuple(sorted(judged, key=_order))


def _order(each: Refused) -> tuple[bool, bool, float]:
    return not each.now, not each.refusal.ours, -(each.last.timestamp() if each.last else 0.0)


def _of_event(event: ClusterEvent) -> Refused | None:
    if event.refused:
        causes = event.record.violations if event.record else ()
        found = Denial(By.WEBHOOK, event.message, causes or (Cause(message=event.message),))
    else:
        found = denial.read_denial(event.message)
        if not found.ours and not event.reason.startswith(_FAILED):
            return None
    whose = f"{event.kind}/{event.name}"
    return Refused(found, whose, event.count, event.first, event.last)


def _of_conditions(maker: Maker) -> Iterator[Refused]:
    for each in maker.status.conditions or ():
        if _tells_of_a_failure(each):
            whose = f"{maker.kind}/{maker.metadata.name}"
            yield Refused(denial.read_denial(each.message), whose)


def _tells_of_a_failure(condition: Condition) -> bool:
    """A ReplicaFailure. Another controller's condition only if it quotes our refusal."""
    if condition.type == "ReplicaFailure":
        return condition.status == "True"
    return denial.read_denial(condition.message).ours


def _merged(found: Iterable[Refused]) -> list[Refused]:
    known: list[Refused] = []
    for each in found:
        at = next((i for i, one in enumerate(known) if _same(one.refusal, each.refusal)), None)
        if at is None:
            known.append(each)
        else:
            known[at] = _joined(known[at], each)
    return known


def _same(one: Denial, other: Denial) -> bool:
    """Whether two texts tell of one refusal. Events cut theirs, controllers add a link."""
    first, second = (each.text.rstrip("…")[:_ENOUGH] for each in (one, other))
    return one.by is other.by and (first.startswith(second) or second.startswith(first))


def _joined(one: Refused, other: Refused) -> Refused:
    """Two tell of the same: whoever counted more is nearer to the truth.

    Events of others are one for each pod, since they name it.
    """
    total = max if one.refusal.ours else sum
    firsts = [each.first for each in (one, other) if each.first]
    lasts = [each.last for each in (one, other) if each.last]
    return replace(
        one,
        refusal=one.refusal if one.refusal.known else other.refusal,
        count=total([each.count or 0 for each in (one, other)]) or None,
        first=min(firsts, default=None),
        last=max(lasts, default=None),
    )


def explained(each: Refused, answers: Iterable[Now]) -> Refused:
    """Return the refusal with the causes of a dry run refused alike."""
    if each.refusal.known:
        return each
    for now in answers:
        tried = Denial(each.refusal.by, now.text, now.causes)
        if now.text and tried.known and _same(each.refusal, tried):
            return replace(each, refusal=tried)
    return each


def _holds(each: Refused, members: OwnerTree) -> bool:
    """Whether it still keeps pods away: some are missing, and nothing newer was made since."""
    current = members.current
    if missing_pods(members) == 0:
        return False
    if each.last is None:
        return True
    made = [pod.meta.creation_timestamp for pod in members.pods]
    later = [current.metadata.creation_timestamp, *made]
    return all(moment is None or each.last >= moment for moment in later)


def wanted_pods(members: OwnerTree) -> int | None:
    """How many pods there should be now. It is None where that cannot be said."""
    root, current = members.root, members.current
    match current.kind:
        case "Pod":
            return 1
        case "ReplicaSet" | "StatefulSet" | "Deployment":
            source = root if root.kind == "Deployment" else current
            return 1 if source.spec.replicas is None else source.spec.replicas
        case "DaemonSet":
            return current.status.desired_number_scheduled
        case "Job":
            return 0 if _ended(current) or current.spec.suspend else current.spec.parallelism or 1
        case _:
            return None


def _ended(job: Maker) -> bool:
    ended = (
        c.status == "True" for c in job.status.conditions or () if c.type in ("Complete", "Failed")
    )
    return any(ended)


def missing_pods(members: OwnerTree) -> int | None:
    """How many pods are missing. It is None where that cannot be said."""
    number = wanted_pods(members)
    if number is None:
        return None
    made = [pod for pod in members.pods if _of_current(pod.meta.controller, members)]
    return max(number - len(made), 0)


def _of_current(owner: Any, members: OwnerTree) -> bool:
    """During a rollout only the newest ReplicaSet's pods count."""
    current = members.current
    return owner is None or not current.metadata.uid or owner.uid == current.metadata.uid
