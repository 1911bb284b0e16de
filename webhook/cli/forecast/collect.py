"""What exists in a cluster that makes pods, decided as if its namespaces enforced."""

import argparse
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from webhook.cli import loaders
from webhook.cli.cluster import loaders as sources
from webhook.cli.cluster import resources
from webhook.cli.cluster.client import ClusterClient, Unavailable
from webhook.cli.evaluate import Context
from webhook.cli.forecast import evaluate, groups, quotas
from webhook.cli.forecast.evaluate import AuditRow
from webhook.cli.progress import progress
from webhook.core.api import names, vocabulary
from webhook.core.api.admission import Mode
from webhook.core.decision.unoffered import list_unusable
from webhook.core.integrations import kubernetes

NEVER: Final = ("kube-system", "kube-public", "kube-node-lease", "gpu-operator")
"""Namespaces that the chart never touches, besides its own (values: excludedNamespaces)."""


@dataclass(frozen=True, slots=True)
class Audit:
    """What was looked at and what came of it. `idle` counts workloads that touch no GPU."""

    namespace: str | None
    context: Context
    policy: str
    rows: tuple[AuditRow, ...]
    idle: int
    notes: tuple[str, ...]

    def mode_of(self, namespace: str) -> str | None:
        """Return the mode of a namespace, None where it did not opt in."""
        return self.context.cluster.namespaces.get(namespace, {}).get(names.MODE)


def collect(client: ClusterClient, args: argparse.Namespace) -> Audit:
    """Read what exists and decide it.

    Raises:
        InputError: a file cannot be read.
        Unavailable: the cluster cannot be read.
    """
    namespace = args.namespace
    chosen = sources.policy(client, args.install, args.policy)
    with progress("reading nodes and namespaces …"):
        cluster = sources.cluster(client, args.inventory, namespace)
    with progress("reading workloads and pods …"):
        objects, notes = sources.existing(client, namespace)
        pods = list(client.each(kubernetes.POD, namespace))
    forced = {names.MODE: Mode.ENFORCE.value}
    inventory = loaders.inventory_of(cluster, chosen.policy)
    context = Context(chosen.policy, inventory, cluster, forced)
    found = groups.group(objects, pods)
    with progress(f"judging {len(found)} workloads and pods …"):
        rows, unreadable = evaluate.forecast(found, context)
    left_out = () if namespace else (*NEVER, args.install.namespace)
    kept = tuple(row for row in rows if row.result.namespace not in left_out)
    idle_nodes = (f"not offered: {text}" for text in list_unusable(inventory))
    quota = _quota_notes(client, namespace, kept)
    keys = (
        text
        for name, labels in cluster.namespaces.items()
        for text in vocabulary.keys_of_namespace({"name": name, "labels": labels})
    )
    more = (*notes, *map(str, unreadable), *quota, *keys, *idle_nodes)
    idle = len(found) - len({id(row.group.root) for row in rows})
    return Audit(namespace, context, chosen.source, _requesting(kept, namespace), idle, more)


def _requesting(rows: tuple[AuditRow, ...], namespace: str | None) -> tuple[AuditRow, ...]:
    """Of the whole cluster only namespaces with GPU requests: nobody opts the others in."""
    if namespace is not None:
        return rows
    using = {row.result.namespace for row in rows if row.result.verdict.requests}
    return tuple(row for row in rows if row.result.namespace in using)


def _quota_notes(
    client: ClusterClient, namespace: str | None, rows: Iterable[AuditRow]
) -> tuple[str, ...]:
    try:
        return tuple(quotas.notes(client.each(resources.RESOURCE_QUOTA, namespace), rows))
    except Unavailable as error:
        return (f"quotas are not looked at: {error}",)
