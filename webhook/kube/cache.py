"""Nodes and namespaces of a live cluster, as frozen snapshots that watches replace."""

from __future__ import annotations

import asyncio
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from msgspec import Struct

from webhook.core.api import names
from webhook.kube.label_grace import Patience, overdue, retain
from webhook.kube.list_watch import WatchedResource
from webhook.kube.namespaces import NAMESPACES_PATH, LookupLimits, NamespaceLabels, read_labels
from webhook.kube.reflector import Reflector
from webhook.process.cooperative import in_turns

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    import msgspec

    from webhook.kube.client import ApiClient
    from webhook.kube.clock import Runtime
    from webhook.kube.label_grace import KeptNode

    Labels = Mapping[str, str]

T = TypeVar("T")

NODES_PATH: Final = "/api/v1/nodes"


class NodeReading(Struct, Generic[T], frozen=True):
    """How to read nodes: `decode` as in WatchedResource, `offers` and `grace` as in Patience."""

    decode: Callable[[msgspec.Raw], T | None]
    offers: Callable[[T], bool]
    grace: float = 300.0


class Listeners(Struct, Generic[T], frozen=True):
    """Who gets nodes, and labels of namespaces, by name whenever they differ."""

    nodes: Callable[[Mapping[str, T]], Awaitable[None]]
    labels: Callable[[Mapping[str, Labels]], Awaitable[None]]


class ClusterCache(Generic[T]):
    """Watches nodes and namespaces.

    `nodes` follows once its listener returned. If that raises, it is called again.
    """

    def __init__(
        self,
        client: ApiClient,
        reading: NodeReading[T],
        *,
        listeners: Listeners[T],
        runtime: Runtime,
    ) -> None:
        self._listeners = listeners
        self._now = runtime.now
        self._patience = Patience(reading.offers, reading.grace)
        self._published: Mapping[str, T | None] | None = None
        self._kept: Mapping[str, KeptNode[T]] = {}
        self._nodes: Mapping[str, T] | None = None
        self._labels: Mapping[str, Labels] | None = None
        # All nodes, since a selector cannot say "any label of nvidia.com/", and a node without
        # these labels but with GPUs is worth a message.
        nodes = WatchedResource("nodes", NODES_PATH, reading.decode)
        namespaces = WatchedResource(
            "namespaces", NAMESPACES_PATH, read_labels, label_selector=names.MODE
        )
        self.node_reflector = Reflector(client, nodes, publish=self._take_nodes, runtime=runtime)
        self.namespace_reflector = Reflector(
            client, namespaces, publish=self._take_namespaces, runtime=runtime
        )
        lookup = NamespaceLabels(
            client, lambda: self._labels or {}, runtime=runtime, limits=LookupLimits()
        )
        self.namespace_labels = lookup.labels

    async def run(self) -> None:
        """Watch until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.node_reflector.run())
            tasks.create_task(self.namespace_reflector.run())

    def nodes(self) -> Mapping[str, T] | None:
        """Return the nodes by name, or None before the first list."""
        return self._nodes

    def opted_in(self) -> Mapping[str, Labels] | None:
        """Return the labels of namespaces that have a mode, or None before any are known."""
        return self._labels

    def assume(self, labels: Mapping[str, Labels]) -> None:
        """Believe these labels of namespaces until they are listed."""
        self._labels = labels

    def age(self, now: float) -> float:
        """Return the seconds since the slower watch last heard of the cluster."""
        reflectors = (self.node_reflector, self.namespace_reflector)
        return max(now - each.last_contact for each in reflectors)

    async def _take_nodes(self, published: Mapping[str, T | None]) -> None:
        """Let patience judge what was published, or only the time if it was judged before."""
        now, patience = self._now(), self._patience
        if published is self._published and not overdue(self._kept, now=now, patience=patience):
            return
        kept = await retain(self._kept, published, now=now, patience=patience)
        nodes = {name: entry.value async for name, entry in in_turns(kept.items())}
        if self._nodes is None or nodes != self._nodes:
            frozen = MappingProxyType(nodes)
            await self._listeners.nodes(frozen)
            self._nodes = frozen
        self._kept = kept
        self._published = published  # last, so that a tick repeats what raised

    async def _take_namespaces(self, published: Mapping[str, Labels | None]) -> None:
        found = {name: labels for name, labels in published.items() if labels is not None}
        if found != self._labels:
            self._labels = found
            await self._listeners.labels(found)
