"""What reviews are answered from: frozen snapshots, which whoever watches replaces."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from typing import Final

from webhook.core.api.node import Node
from webhook.core.gpu.inventory import NodeEntry, NodeReader, build_inventory, read_entry
from webhook.core.gpu.values import DeclaredPool, Inventory
from webhook.core.policy.values import Policy

Labels = Mapping[str, str]
NamespaceLookup = Callable[[str, Collection[str]], Labels | Awaitable[Labels | None]]
"""Returns the labels of a namespace, or what to wait for, which gives None for unknown ones.

Labels of another mode than the given ones are read anew, since a watch may be late.
"""

NO_LABELS: Final[Labels] = {}


class ServerState:
    """References that are replaced, never changed, so that a review takes each once.

    `inventory` is None before the nodes were seen. It is built anew when nodes or policy change,
    since a policy may declare pools, and in a thread: 5,000 nodes take a quarter of a second, of
    which the few that changed since are a small part.
    """

    def __init__(self, policy: Policy, read: NodeReader = read_entry) -> None:
        self.policy = policy
        self.inventory: Inventory | None = None
        self._nodes: Sequence[Node] | None = None
        self._read = read
        self._readings: dict[str, tuple[Node, NodeEntry]] = {}
        self._building = asyncio.Lock()  # nodes and policy may change at once

    async def set_policy(self, policy: Policy) -> None:
        """Decide by this policy from now on."""
        async with self._building:
            await self._build(self._nodes, policy)

    async def set_nodes(self, nodes: Iterable[Node]) -> None:
        """Offer what these nodes have from now on."""
        async with self._building:
            await self._build(tuple(nodes), self.policy)

    async def _build(self, nodes: Sequence[Node] | None, policy: Policy) -> None:
        if nodes is not None:
            self.inventory = await asyncio.to_thread(self._built, nodes, policy)
        self._nodes, self.policy = nodes, policy

    def _built(self, nodes: Sequence[Node], policy: Policy) -> Inventory:
        """The present snapshot where the new one is equal: answers are kept with it."""
        read = self._reader(policy)
        built = build_inventory(nodes, policy.pools, policy.momentary_taints, read)
        return self.inventory if self.inventory == built else built

    def _reader(self, policy: Policy) -> NodeReader:
        """Return what reads nodes, but for those that are the same objects as before."""
        before, self._readings = self._readings if policy is self.policy else {}, {}

        def read(
            subject: Node, pools: tuple[DeclaredPool, ...], momentary: tuple[str, ...]
        ) -> NodeEntry:
            kept = before.get(subject.metadata.name)
            if kept is None or kept[0] is not subject:
                kept = subject, self._read(subject, pools, momentary)
            self._readings[subject.metadata.name] = kept
            return kept[1]

        return read
