"""The newest policy and inventory as frozen snapshots; whoever watches replaces them."""

import threading
from collections.abc import Iterable

from webhook.core.api.node import Node
from webhook.core.gpu.inventory import build_inventory
from webhook.core.gpu.values import Inventory
from webhook.core.policy.values import Policy


class Snapshots:
    """References that are replaced, never changed: a reader takes one and needs no lock.

    The inventory is built anew when nodes or policy change, since a policy may declare pools.
    """

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.inventory: Inventory | None = None
        self._nodes: tuple[Node, ...] | None = None
        self._building = threading.Lock()  # the watcher's thread and the ticker both build

    def set_policy(self, policy: Policy) -> None:
        """Decide by this policy from now on."""
        with self._building:
            self.policy = policy
            self._build()

    def set_nodes(self, nodes: Iterable[Node]) -> None:
        """Offer what these nodes have from now on."""
        with self._building:
            self._nodes = tuple(nodes)
            self._build()

    def _build(self) -> None:
        if self._nodes is not None:
            self.inventory = build_inventory((*self._nodes, *self.policy.pools))
