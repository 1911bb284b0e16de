"""The inventory of a cluster's nodes: equal nodes grouped, once a snapshot."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from operator import attrgetter
from typing import Final

from msgspec import Struct

from webhook.core.api import names, node
from webhook.core.api.node import Node, Taint
from webhook.core.gpu.dialects import DIALECTS
from webhook.core.gpu.placement import lasting_taints
from webhook.core.gpu.reading import NodeOffers, read_node, read_pool
from webhook.core.gpu.unusable import Unusable
from webhook.core.gpu.values import DeclaredPool, Inventory, NodeGroup, NodeLabels, Offer, OfferKind

_NOISE: Final = frozenset(key for dialect in DIALECTS for key in dialect.noise)
"""Kept out of the labels so that equal nodes group."""
by_name: Final = attrgetter("metadata.name")
"""The order in which nodes are added."""


class GroupKey(Struct, frozen=True, cache_hash=True, gc=False):
    """What the nodes of one group have in common."""

    offers: tuple[Offer, ...]
    taints: tuple[Taint, ...]
    tenant: str | None
    declared: str = ""


class NodeEntry(Struct, frozen=True, gc=False):
    """What one node adds to the inventory, its `key` None where it offers nothing."""

    named: NodeLabels
    key: GroupKey | None
    unusable: tuple[Unusable, ...]
    barred: tuple[str, ...]


def read_entry(
    subject: Node, pools: tuple[DeclaredPool, ...], momentary: tuple[str, ...]
) -> NodeEntry:
    """Return what a node adds. `momentary` are the first letters of taints that come and go."""
    return _entry(subject, read_node(subject, pools), momentary)


def _entry(
    subject: Node, found: NodeOffers, momentary: tuple[str, ...], declared: str = ""
) -> NodeEntry:
    labels = {k: v for k, v in node.labels(subject).items() if k not in _NOISE}
    taints = lasting_taints(node.taints(subject), momentary)
    key = GroupKey(found.offers, taints, labels.get(names.TENANT), declared)
    named = NodeLabels(subject.metadata.name, labels)
    return NodeEntry(named, key if found.offers else None, found.unusable, found.barred)


def build_inventory(
    nodes: Iterable[Node],
    pools: tuple[DeclaredPool, ...] = (),
    momentary: tuple[str, ...] = (),
) -> Inventory:
    """What nodes, in any order, and declared pools offer."""
    found = Grouping()
    for each in sorted(nodes, key=by_name):
        found.add(read_entry(each, pools, momentary))
    return found.inventory(pools, momentary)


class Grouping:
    """Nodes by what they offer to whom, added by name: equal ones are one group."""

    def __init__(self) -> None:
        self._groups = defaultdict[GroupKey, list[NodeLabels]](list)
        self._unusable: dict[str, tuple[Unusable, ...]] = {}
        self._owners: dict[str, str] = {}
        self._barred = defaultdict[str, list[NodeLabels]](list)
        self._count = 0

    def add(self, entry: NodeEntry) -> None:
        """Add a node."""
        self._count += 1
        if entry.key is not None:
            self._groups[entry.key].append(entry.named)
        if entry.unusable:
            self._unusable[entry.named.name] = entry.unusable
            if names.TENANT in entry.named.labels:
                self._owners[entry.named.name] = entry.named.labels[names.TENANT]
        for resource in entry.barred:
            self._barred[resource].append(entry.named)

    def inventory(self, pools: tuple[DeclaredPool, ...], momentary: tuple[str, ...]) -> Inventory:
        """Return what was added, and what declared pools offer."""
        for each in pools:
            declared = _entry(each.node, read_pool(each), momentary, each.name)
            if declared.key is not None:
                self._groups[declared.key].append(declared.named)
        made = tuple(
            NodeGroup(key.offers, key.taints, key.tenant, tuple(many), key.declared)
            for key, many in self._groups.items()
        )
        frozen = {resource: tuple(many) for resource, many in self._barred.items()}
        return Inventory(made, _amounts(made), self._unusable, self._owners, frozen, self._count)


def _amounts(groups: Iterable[NodeGroup]) -> Mapping[OfferKind, int]:
    """The amounts of the whole cluster, by which offers are ranked.

    Not of what a pod reaches, so that a second run on a rewritten pod ranks the same.
    """
    amounts: Counter[OfferKind] = Counter()
    for group in groups:
        for offer in group.offers:
            amounts[offer.kind] += offer.amount * len(group.nodes)
    return amounts
