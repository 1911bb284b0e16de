"""Why a workload has no pods, or why they look so, gathered; and the record that tools get."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from webhook.cli.cluster import events as happenings
from webhook.cli.cluster.client import Absent, Access, Lacking, Right
from webhook.cli.cluster.dry_run import outcome, rebuild, submit
from webhook.cli.cluster.dry_run.outcome import Now, Untried
from webhook.cli.cluster.dry_run.rebuild import Anew
from webhook.cli.cluster.namespace_policy import Rules
from webhook.cli.cluster.targets import Target
from webhook.cli.cluster.types import LivePod
from webhook.cli.inspect import decision_annotation, scheduler_message
from webhook.cli.verbs.why import denials, owner_tree
from webhook.cli.verbs.why.denials import Refused
from webhook.cli.verbs.why.owner_tree import Family


class State(StrEnum):
    """How a workload stands, in a word."""

    REFUSED = "refused"
    WOULD_BE_REFUSED = "would be refused"
    WAITS = "waits"
    RUNS = "runs"
    UNKNOWN = "unknown"
    NO_PODS = "no pods"


@dataclass(frozen=True, slots=True)
class Trial:
    """A pod of the workload, tried now."""

    anew: Anew
    now: Now | Untried


@dataclass(frozen=True, slots=True)
class Waiting:
    """Pods that wait or failed for one reason: what is said of them, and what that means."""

    pods: tuple[str, ...]
    state: str
    message: str
    meaning: str | None


@dataclass(frozen=True, slots=True)
class Reasoned:
    """A workload and all that explains it."""

    members: Family
    rules: Rules
    refused: tuple[Refused, ...]
    waiting: tuple[Waiting, ...]
    trials: tuple[Trial, ...]
    notes: tuple[str, ...]
    unseen: tuple[Right, ...]

    @property
    def missing(self) -> tuple[Right, ...]:
        """The rights without which something could not be told."""
        untried = (each.now.missing for each in self.trials if isinstance(each.now, Untried))
        rights = (right for each in untried for right in each)
        return tuple(dict.fromkeys((*self.rules.missing, *self.unseen, *rights)))

    @property
    def state(self) -> State:
        """The first that is true, in the order of State."""
        if any(each.now for each in self.refused):
            return State.REFUSED
        answers = [each.now for each in self.trials if isinstance(each.now, Now)]
        if any(not each.allowed for each in answers):
            return State.WOULD_BE_REFUSED
        if self.waiting:
            return State.WAITS
        if self.members.pods:
            return State.RUNS
        return State.UNKNOWN if self.unseen else State.NO_PODS


def gather(access: Access, target: Target, found: Rules) -> Reasoned:
    """Look at a workload, its pods and its events, as far as the caller may.

    Raises:
        Unavailable: there is no such object and nothing is told of it, or the cluster is silent.
    """
    namespace = found.place.namespace
    members = owner_tree.of(access, target, namespace)
    unseen, events = list(members.missing), []
    try:
        events = list(happenings.of_namespace(access, namespace))
    except Lacking as lacking:
        unseen.append(lacking.right)
    refused = denials.find(members, events)
    nothing = not (members.subject or members.pods or refused or unseen)
    if nothing:
        raise Absent(f"there is no {target.text} in namespace {namespace}")
    stuck = not members.pods or any(each.now for each in refused)
    trials = tuple(_trials(access, members, found)) if stuck else ()
    answers = [each.now for each in trials if isinstance(each.now, Now)]
    return Reasoned(
        members=members,
        rules=found,
        refused=tuple(denials.explained(each, answers) for each in refused),
        waiting=tuple(waiting(members.pods)),
        trials=trials,
        notes=tuple(_notes(members)),
        unseen=tuple(unseen),
    )


def _trials(access: Access, members: Family, found: Rules) -> Iterator[Trial]:
    """Try a pod of each template, where somebody would look at it."""
    place = found.place
    if members.subject is None or place.mode is None:
        return
    for each in rebuild.of_workload(members.subject, place.policy.pod_templates):
        yield Trial(each, submit.now(access, each.pod, place))


def waiting(pods: tuple[LivePod, ...]) -> Iterator[Waiting]:
    """Pods that do not run, by what is said of them."""
    found: dict[tuple[str, str], list[str]] = {}
    for pod in pods:
        said = _said(pod)
        if said is not None:
            found.setdefault(said, []).append(pod.meta.name)
    for (state, message), names in found.items():
        yield Waiting(tuple(names), state, message, scheduler_message.meaning(message))


def _said(pod: LivePod) -> tuple[str, str] | None:
    scheduled = pod.condition("PodScheduled")
    if scheduled is not None and scheduled.status == "False":
        return "Pending", scheduled.message or scheduled.reason
    if pod.status.phase == "Failed" and pod.status.message:
        return pod.state, pod.status.message
    if pod.status.phase == "Pending" and not pod.pod.spec.node_name:
        return "Pending", "no scheduler has looked at it yet"
    return None


def _notes(members: Family) -> Iterator[str]:
    root = members.root
    if members.absent:
        yield f"there is no {root.kind.lower()}/{root.metadata.name} now; events still tell of it"
    if root.spec.suspend:
        yield "it is suspended: it makes no pods until that is lifted (by a queue, or by hand)"
    if denials.wanted(members) == 0 and not root.spec.suspend:
        yield "it is to have no pods: its replicas are 0, or it is done"
    if root.spec.paused:
        yield "its rollout is paused"
    if root.kind == "CronJob" and len(members.makers) == 1:
        yield "it has made no Job yet, or keeps none"


def strategy(pod: LivePod) -> str | None:
    """How a pod got its GPU, as its annotation says and its requests bear out."""
    told = decision_annotation.decision_of(pod.pod)
    return told.strategy if told else None


def record(made: Reasoned) -> dict[str, Any]:
    """What tools get; the keys are an interface."""
    members = made.members
    root = members.root
    states = Counter(pod.state for pod in members.pods)
    got = Counter(filter(None, map(strategy, members.pods)))
    return {
        "namespace": members.namespace,
        "kind": root.kind,
        "name": root.metadata.name,
        "mode": made.rules.mode,
        "state": made.state.value,
        "wanted": denials.wanted(members),
        "pods": {"count": len(members.pods), "states": dict(states), "strategies": dict(got)},
        "refusals": [denials.record(each) for each in made.refused],
        "waiting": [
            {"pods": list(w.pods), "state": w.state, "message": w.message, "meaning": w.meaning}
            for w in made.waiting
        ],
        "now": [_trial(each) for each in made.trials],
        "notes": list(made.notes),
        "missing": [right.record for right in made.missing],
    }


def _trial(each: Trial) -> dict[str, Any]:
    if isinstance(each.now, Untried):
        return {"template": each.anew.source, "decided": None, "why": each.now.why}
    return {"template": each.anew.source, "decided": outcome.record(each.now), "why": None}
