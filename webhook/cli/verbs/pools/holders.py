"""Pods of the cluster that request GPUs, and what they hold."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from webhook.cli.cluster import types
from webhook.cli.cluster.client import ClusterClient
from webhook.core.api.containers import Role
from webhook.core.decision.classify import requests_of
from webhook.core.integrations import kubernetes


def live_pods(client: ClusterClient) -> Iterator[dict[str, Any]]:
    """Yield the pods that request GPUs and have not ended.

    Raises:
        Unavailable: the cluster does not show them.
    """
    for each in client.each(kubernetes.POD):
        live = types.live_pod(each)
        if not live.ended and requests_of(live.pod):
            yield each


def used_by_node(pods: Iterable[dict[str, Any]]) -> Mapping[str, Mapping[str, int]]:
    """Return the GPUs that pods hold, by node and resource. Init containers give theirs back."""
    found: dict[str, Counter[str]] = {}
    for raw in pods:
        where = (raw.get("spec") or {}).get("nodeName")
        if where:
            for each in requests_of(types.live_pod(raw).pod):
                if each.container.role is not Role.INIT:
                    found.setdefault(where, Counter())[each.resource] += each.count
    return found
