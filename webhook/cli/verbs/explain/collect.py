"""One pod's GPU decision: what its annotation says, and what would be decided now."""

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from webhook.cli.cluster import namespace_policy
from webhook.cli.cluster.client import ClusterClient, Permission
from webhook.cli.cluster.dry_run import diff, rebuild, submit
from webhook.cli.cluster.dry_run.outcome import Now, Untried
from webhook.cli.cluster.namespace_policy import NamespacePolicy
from webhook.cli.cluster.types import LivePod
from webhook.cli.inspect import decision_annotation
from webhook.core import pod_annotation
from webhook.core.api import names
from webhook.core.api.admission import Mode
from webhook.core.decision import classify
from webhook.core.decision.values import Question
from webhook.core.policy.values import Row, RowName, row_of
from webhook.core.record_values import DecisionRecord


@dataclass(frozen=True, slots=True)
class Explained:
    """A pod, what its annotation says, and what would be decided now.

    `decision` is None where there is no annotation, or none in our form. `agrees` tells whether
    the pod requests what the annotation says. `now` is None where nothing would be decided.
    """

    live: LivePod
    rules: NamespacePolicy
    facts: Question
    decision: DecisionRecord | None
    agrees: bool
    now: Now | Untried | None
    source: str

    @property
    def row_name(self) -> RowName:
        """The row of the policy that is for this pod."""
        return row_of(self.facts.workload, self.facts.tenant or None)

    @property
    def row(self) -> Row:
        """What that row says."""
        return self.rules.place.policy.matrix[self.row_name]

    @property
    def difference(self) -> str | None:
        """Why another decision would be made now, None where it would not, or nobody knows."""
        if self.decision is None or not self.agrees or not isinstance(self.now, Now):
            return None
        return diff.difference(self.decision, self.now, self.row)

    @property
    def missing(self) -> tuple[Permission, ...]:
        """The missing permissions that leave something unknown."""
        untried = self.now.missing if isinstance(self.now, Untried) else ()
        return (*self.rules.missing, *untried)

    @property
    def unreviewed(self) -> bool:
        """Whether it requests a GPU, in an enforcing namespace, without a decision of ours."""
        annotated = names.DECISION in (self.live.meta.annotations or {})
        return bool(self.facts.requests) and self.rules.place.mode is Mode.ENFORCE and not annotated


def collect(client: ClusterClient, args: argparse.Namespace, name: str) -> Explained:
    """Read what is needed and try the pod again. Raises Unavailable."""
    namespace = args.namespace or client.namespace
    live = rebuild.read_live_pod(client, name, namespace)
    found = namespace_policy.read_namespace_policy(client, args.install, args.policy, namespace)
    place = found.place
    facts = classify.classify(live.pod, place.labels, place.policy)
    decision = pod_annotation.read((live.meta.annotations or {}).get(names.DECISION))
    agrees = decision is not None and decision_annotation.agrees(decision, live.pod)
    if place.mode is None or not (facts.requests or facts.violations):
        return Explained(live, found, facts, decision, agrees, None, "")
    made = rebuild.rebuild_pod(client, live)
    now = submit.try_pod(client, made.pod, place)
    return Explained(live, found, facts, decision, agrees, now, made.source)


def added_affinity(live: LivePod) -> list[str]:
    """Return the node requirements that the webhook added to a pod, each once."""
    affinity = (live.raw.get("spec") or {}).get("affinity") or {}
    required = (affinity.get("nodeAffinity") or {}).get(names.REQUIRED) or {}
    added = decision_annotation.affinity_of(live.pod)
    found = (
        each
        for term in required.get("nodeSelectorTerms") or ()
        for each in decision_annotation.split_affinity(term.get("matchExpressions") or (), added)[1]
    )
    return list(dict.fromkeys(map(_words, found)))


def _words(each: Mapping[str, Any]) -> str:
    values = ", ".join(each.get("values") or ())
    return f"{each.get('key')} {each.get('operator')} {values}".strip()
