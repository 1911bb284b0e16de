"""The world: nodes and namespaces of a live cluster as frozen snapshots; it decides nothing."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Generic, TypeVar

from webhook.kube.label_grace import Patience, overdue, retain
from webhook.kube.list_watch import Source
from webhook.kube.namespaces import PATH, Limits, Namespaces, read_labels
from webhook.kube.reflector import Watcher

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import msgspec

    from webhook.kube.clock import Runtime
    from webhook.kube.connection import Connection
    from webhook.kube.label_grace import Kept

T = TypeVar("T")

NODES_PATH = "/api/v1/nodes"
MODE_LABEL = "gpu-sharing.io/mode"  # as a selector: has the label, whatever its value


@dataclass(frozen=True, slots=True)
class NodeReading(Generic[T]):
    """How to read nodes: `decode` as in `watch.Source`; `offers` and `grace` (s) as in `grace`."""

    decode: Callable[[msgspec.Raw], T | None]
    offers: Callable[[T], bool]
    grace: float = 300.0


class World(Generic[T]):
    """Watches nodes and namespaces. Start it after the fork: threads do not survive one.

    `on_change` gets the nodes by name whenever they differ, first after the first list, in a
    thread of the watcher; `nodes` follows once it returned. If it raises, it is called again.
    """

    def __init__(
        self,
        connection: Connection,
        reading: NodeReading[T],
        *,
        on_change: Callable[[Mapping[str, T]], None],
        runtime: Runtime,
    ) -> None:
        self._runtime = runtime
        self._on_change = on_change
        self._patience = Patience(reading.offers, reading.grace)
        self._told_nodes: Mapping[str, T | None] | None = None
        self._kept: Mapping[str, Kept[T]] = {}
        self._nodes: Mapping[str, T] | None = None
        self._labels: Mapping[str, Mapping[str, str]] | None = None
        # All nodes, since a selector cannot say "any label of nvidia.com/", and a node without
        # these labels but with GPUs is worth telling about.
        nodes = Source("nodes", NODES_PATH, reading.decode)
        namespaces = Source("namespaces", PATH, read_labels, label_selector=MODE_LABEL)
        self._watchers = (
            Watcher(connection, nodes, publish=self._take_nodes, runtime=runtime),
            Watcher(connection, namespaces, publish=self._take_namespaces, runtime=runtime),
        )
        self._lookup = Namespaces(
            connection, lambda: self._labels or {}, runtime=runtime, limits=Limits()
        )

    def start(self) -> None:
        """Start watching; once in a life."""
        for watcher in self._watchers:
            watcher.start()

    def stop(self) -> None:
        """End all threads and wait for that; the connection stays open."""
        for watcher in self._watchers:
            watcher.stop()

    def nodes(self) -> Mapping[str, T] | None:
        """Return the nodes by name, a snapshot that never changes; None before the first list."""
        return self._nodes

    def namespace(self, name: str) -> Mapping[str, str] | None:
        """Return a namespace's labels, None if unknown; blocks half a second if not watched."""
        return self._lookup.labels(name)

    def opted_in(self) -> Mapping[str, Mapping[str, str]] | None:
        """Return the labels of namespaces that have a mode; None before the first list."""
        return self._labels

    def age(self, now: float) -> float:
        """Return the seconds since the slowest watcher last heard; `now` as `runtime.now`."""
        return max(now - watcher.last_contact for watcher in self._watchers)

    def problems(self) -> tuple[str, ...]:
        """Return a sentence for each watcher that is not well, for people."""
        found = ((watcher.name, watcher.problem()) for watcher in self._watchers)
        return tuple(f"{name}: {problem}" for name, problem in found if problem)

    def _take_nodes(self, told: Mapping[str, T | None]) -> None:
        """Let patience judge what was told, or only the time if it was told before."""
        now = self._runtime.now()
        if told is self._told_nodes and not overdue(self._kept, now=now, patience=self._patience):
            return
        self._kept = retain(self._kept, told, now=now, patience=self._patience)
        nodes = {name: kept.value for name, kept in self._kept.items()}
        if self._nodes is None or nodes != self._nodes:
            frozen = MappingProxyType(nodes)
            self._on_change(frozen)
            self._nodes = frozen
        self._told_nodes = told  # last, so that a tick repeats what raised

    def _take_namespaces(self, told: Mapping[str, Mapping[str, str] | None]) -> None:
        self._labels = {name: labels for name, labels in told.items() if labels is not None}
