"""Why a workload has no pods, or why they wait."""

import argparse
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from webhook.cli.cluster import namespace_policy
from webhook.cli.cluster.client import ClusterClient, Forbidden, NotFound, Permission
from webhook.cli.cluster.dry_run import rebuild, submit
from webhook.cli.cluster.dry_run.outcome import Now, Untried
from webhook.cli.cluster.dry_run.rebuild import RebuiltPod
from webhook.cli.cluster.events import list_events
from webhook.cli.cluster.namespace_policy import NamespacePolicy
from webhook.cli.cluster.targets import Target
from webhook.cli.cluster.types import LivePod
from webhook.cli.inspect import decision_annotation, scheduler_message
from webhook.cli.verbs.why import denials, owner_tree
from webhook.cli.verbs.why.denials import Refused
from webhook.cli.verbs.why.owner_tree import OwnerTree


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

    anew: RebuiltPod
    now: Now | Untried


@dataclass(frozen=True, slots=True)
class WaitingPods:
    """Pods that wait or failed for one reason, and what it means."""

    pods: tuple[str, ...]
    state: str
    message: str
    meaning: str | None


@dataclass(frozen=True, slots=True)
class Diagnosed:
    """A workload and all that explains it."""

    members: OwnerTree
    rules: NamespacePolicy
    refused: tuple[Refused, ...]
    waiting: tuple[WaitingPods, ...]
    trials: tuple[Trial, ...]
    notes: tuple[str, ...]
    unseen: tuple[Permission, ...]

    @property
    def missing(self) -> tuple[Permission, ...]:
        """The missing permissions that leave something unknown."""
        untried = (each.now.missing for each in self.trials if isinstance(each.now, Untried))
        rights = (each for several in untried for each in several)
        return tuple(dict.fromkeys((*self.rules.missing, *self.unseen, *rights)))

    @property
    def counts(self) -> tuple[Mapping[str, int], Mapping[str, int]]:
        """How many pods are in each state, and have each strategy."""
        decisions = (decision_annotation.decision_of(each.pod) for each in self.members.pods)
        strategies = (each.strategy for each in decisions if each and each.strategy)
        return Counter(each.state for each in self.members.pods), Counter(strategies)

    @property
    def state(self) -> State:
        """The first that is true, in the order of State."""
        if any(each.now for each in self.refused):
            return State.REFUSED
        answers = [each.now for each in self.trials if isinstance(each.now, Now)]
        if any(not each.allowed or each.kept_out for each in answers):
            return State.WOULD_BE_REFUSED
        if self.waiting:
            return State.WAITS
        if self.members.pods:
            return State.RUNS
        return State.UNKNOWN if self.unseen else State.NO_PODS


def collect(client: ClusterClient, args: argparse.Namespace, target: Target) -> Diagnosed:
    """Look at a workload, its pods and its events, as far as the caller may.

    Raises:
        Unavailable: there is no such object and nothing is told of it, or the cluster is silent.
    """
    namespace = args.namespace or client.namespace
    found = namespace_policy.read_namespace_policy(client, args.install, None, namespace)
    members = owner_tree.read_owner_tree(client, target, namespace)
    unseen, events = list(members.missing), []
    try:
        events = list(list_events(client, namespace))
    except Forbidden as forbidden:
        unseen.append(forbidden.permission)
    refused = denials.find_refusals(members, events)
    nothing = not (members.subject or members.pods or refused or unseen)
    if nothing:
        raise NotFound(f"there is no {target.text} in namespace {namespace}")
    stuck = not members.pods or any(each.now for each in refused)
    trials = tuple(_trials(client, members, found)) if stuck else ()
    answers = [each.now for each in trials if isinstance(each.now, Now)]
    return Diagnosed(
        members=members,
        rules=found,
        refused=tuple(denials.explained(each, answers) for each in refused),
        waiting=tuple(find_waiting(members.pods)),
        trials=trials,
        notes=tuple(_notes(members)),
        unseen=tuple(unseen),
    )


def _trials(client: ClusterClient, members: OwnerTree, found: NamespacePolicy) -> Iterator[Trial]:
    """Try a pod of each template, where somebody would look at it."""
    place = found.place
    if members.subject is None or place.mode is None:
        return
    for each in rebuild.rebuild_workload(members.subject, place.policy.pod_templates):
        yield Trial(each, submit.try_pod(client, each.pod, place))


def find_waiting(pods: tuple[LivePod, ...]) -> Iterator[WaitingPods]:
    """Pods that do not run, by what is said of them."""
    found: dict[tuple[str, str], list[str]] = {}
    for pod in pods:
        said = _said(pod)
        if said is not None:
            found.setdefault(said, []).append(pod.meta.name)
    for (state, message), names in found.items():
        yield WaitingPods(tuple(names), state, message, scheduler_message.meaning(message))


def _said(pod: LivePod) -> tuple[str, str] | None:
    scheduled = pod.condition("PodScheduled")
    if scheduled is not None and scheduled.status == "False":
        return "Pending", scheduled.message or scheduled.reason
    if pod.status.phase == "Failed" and pod.status.message:
        return pod.state, pod.status.message
    if pod.status.phase == "Pending" and not pod.pod.spec.node_name:
        return "Pending", "no scheduler has looked at it yet"
    return None


def _notes(members: OwnerTree) -> Iterator[str]:
    root = members.root
    if members.absent:
        yield f"there is no {root.kind.lower()}/{root.metadata.name} now; its events are there"
    if root.spec.suspend:
        yield "it is suspended: it makes no pods until that is lifted (by a queue, or by hand)"
    if denials.wanted_pods(members) == 0 and not root.spec.suspend:
        yield "it is to have no pods: its replicas are 0, or it is done"
    if root.spec.paused:
        yield "its rollout is paused"
    if root.kind == "CronJob" and len(members.makers) == 1:
        yield "it has made no Job yet, or keeps none"
