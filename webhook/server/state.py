"""What reviews are answered from: frozen snapshots, which whoever watches replaces."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Final

from msgspec.structs import replace

from webhook.core.api.node import Node
from webhook.core.gpu.inventory import Grouping, GroupKey, NodeEntry, by_name, read_entry
from webhook.core.gpu.values import DeclaredPool, Inventory
from webhook.core.policy.values import Policy
from webhook.process.cooperative import in_turns

Labels = Mapping[str, str]
NamespaceLookup = Callable[[str, Collection[str]], Labels | Awaitable[Labels | None]]
"""Returns the labels of a namespace, or what to wait for, which gives None for unknown ones.

Labels of another mode than the given ones are read anew, since a watch may be late.
"""

NodeReader = Callable[[Node, tuple[DeclaredPool, ...], tuple[str, ...]], NodeEntry]
"""Returns what a node adds, by itself or by the pools that select it."""

NO_LABELS: Final[Labels] = {}
FIRST_NODES: Final = 2.0
"""Seconds that a review waits for the first list of nodes, of the three that it has."""


class ServerState:
    """References that are replaced, never changed, so that a review takes each once.

    `inventory` is None before the nodes were seen. It is built anew when nodes or policy change,
    since a policy may declare pools. That is done in turns of the loop, since a thread that
    computes makes each review wait for the interpreter several times.
    """

    def __init__(
        self, policy: Policy, read: NodeReader = read_entry, patience: float = FIRST_NODES
    ) -> None:
        self.policy, self._patience = policy, patience
        self.inventory: Inventory | None = None
        self._nodes: Sequence[Node] | None = None
        self._read = read
        self._readings: dict[str, tuple[Node, NodeEntry]] = {}
        self._known = asyncio.Event()
        self._keys: dict[GroupKey | None, GroupKey | None] = {}
        self._building = asyncio.Lock()  # nodes and policy may change at once

    async def set_policy(self, policy: Policy) -> None:
        """Decide by this policy from now on."""
        async with self._building:
            await self._build(self._nodes, policy)

    async def set_nodes(self, nodes: Iterable[Node]) -> None:
        """Offer what these nodes have from now on."""
        async with self._building:
            await self._build(sorted(nodes, key=by_name), self.policy)

    async def wait_for_nodes(self) -> None:
        """Wait a while for the first nodes: a worker that starts is asked at once."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._patience):
                await self._known.wait()

    async def _build(self, nodes: Sequence[Node] | None, policy: Policy) -> None:
        """Replace the snapshot unless the new one is equal: answers are kept with it."""
        if nodes is not None:
            found = await self._group(nodes, policy)
            built = found.inventory(policy.pools, policy.momentary_taints)
            self.inventory = self.inventory if self.inventory == built else built
            self._known.set()
        self._nodes, self.policy = nodes, policy

    async def _group(self, nodes: Sequence[Node], policy: Policy) -> Grouping:
        """Group the nodes, and read those that are not the same objects as before.

        Equal keys of groups become one object, since comparing them takes longer than all else.
        """
        before = self._readings if policy is self.policy else {}
        keys, found = self._keys, Grouping()
        readings: dict[str, tuple[Node, NodeEntry]] = {}
        async for each in in_turns(nodes):
            kept = before.get(each.metadata.name)
            if kept is None or kept[0] is not each:
                entry = self._read(each, policy.pools, policy.momentary_taints)
                kept = each, replace(entry, key=keys.setdefault(entry.key, entry.key))
            readings[each.metadata.name] = kept
        if len(keys) > len(readings):  # most are of nodes as they once were
            keys.clear()
        self._readings = readings
        async for _, entry in in_turns(readings.values()):
            found.add(entry)
        return found
