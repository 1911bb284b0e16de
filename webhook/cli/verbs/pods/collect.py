"""Pods that request a GPU, with their decisions."""

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from webhook.cli.cluster import flags, loaders, namespace_policy, types
from webhook.cli.cluster.client import ClusterClient, Forbidden
from webhook.cli.cluster.types import LivePod
from webhook.cli.inspect import decision_annotation
from webhook.core.api import names
from webhook.core.api.admission import Mode
from webhook.core.decision import classify
from webhook.core.decision.values import GpuRequest
from webhook.core.integrations import kubernetes
from webhook.core.policy.values import Policy
from webhook.core.record_values import DecisionRecord

Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class GpuPod:
    """A pod that requests a GPU. `decision` is None where the pod bears none out."""

    live: LivePod
    requests: tuple[GpuRequest, ...]
    decision: DecisionRecord | None
    workload: str
    tenant: str | None
    mode: str | None

    @property
    def strategy(self) -> str | None:
        """How it got its GPU."""
        return self.decision.strategy if self.decision else None

    @property
    def unreviewed(self) -> bool:
        """Whether it uses a GPU in an enforcing namespace without a decision."""
        annotated = names.DECISION in (self.live.meta.annotations or {})
        return not (annotated or self.live.ended) and self.mode == Mode.ENFORCE


@dataclass(frozen=True, slots=True)
class PodList:
    """The pods that were wanted. `total` counts those that request a GPU at all."""

    namespace: str | None
    pods: tuple[GpuPod, ...]
    total: int
    now: datetime
    notes: tuple[str, ...]


def collect(client: ClusterClient, args: argparse.Namespace) -> PodList:
    """Read the pods of a namespace or of all. Raises Unavailable."""
    namespace = flags.namespace_of(args, client)
    notes: tuple[str, ...] = ()
    labels: Mapping[str, Labels] = {}
    try:
        labels = dict(loaders.namespaces(client, namespace))
    except Forbidden as forbidden:
        notes = (f"modes and defaults of namespaces are not known: {forbidden}",)
    policy = namespace_policy.policy_or_default(client, args.install, None).policy
    live = map(types.live_pod, client.each(kubernetes.POD, namespace))
    read = (gpu_pod(each, labels.get(each.meta.namespace), policy) for each in live)
    found = sorted(
        (each for each in read if each is not None),
        key=lambda each: (each.live.meta.namespace, each.live.meta.name),
    )
    wanted = tuple(each for each in found if _is_wanted(each, args))
    return PodList(namespace, wanted, len(found), args.now, notes)


def _is_wanted(each: GpuPod, args: argparse.Namespace) -> bool:
    strategy = each.strategy or "none"
    return args.strategy in (None, strategy) and args.workload in (None, each.workload)


def gpu_pod(live: LivePod, labels: Labels | None, policy: Policy) -> GpuPod | None:
    """Return a pod with its requests, None for one without.

    `labels` are its namespace's, None if unknown.
    """
    facts = classify.classify(live.pod, labels or {}, policy)
    if not facts.requests:
        return None
    decision = decision_annotation.decision_of(live.pod)
    return GpuPod(
        live=live,
        requests=facts.requests,
        decision=decision,
        workload=(decision.workload if decision else None) or facts.workload.value,
        tenant=decision.tenant if decision else facts.tenant,
        mode=(labels or {}).get(names.MODE),
    )
