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
from webhook.core.gpu.values import (
    DeclaredPool,
    Inventory,
    NodeGroup,
    NodeLabels,
    Offer,
    OfferKind,
)

_NOISE: Final = frozenset(key for dialect in DIALECTS for key in dialect.noise)
"""Kept out of the labels so that equal nodes group."""
_name: Final = attrgetter("named.name")


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
    return group_entries([read_entry(each, pools, momentary) for each in nodes], pools, momentary)


def group_entries(
    entries: Iterable[NodeEntry], pools: tuple[DeclaredPool, ...], momentary: tuple[str, ...]
) -> Inventory:
    """Group nodes by what they offer, to whom: 5,000 equal nodes make one group."""
    groups = defaultdict[GroupKey, list[NodeLabels]](list)
    unusable: dict[str, tuple[Unusable, ...]] = {}
    owners: dict[str, str] = {}
    barred = defaultdict[str, list[NodeLabels]](list)
    entries = sorted(entries, key=_name)
    for entry in entries:
        if entry.key is not None:
            groups[entry.key].append(entry.named)
        if entry.unusable:
            unusable[entry.named.name] = entry.unusable
            if names.TENANT in entry.named.labels:
                owners[entry.named.name] = entry.named.labels[names.TENANT]
        for resource in entry.barred:
            barred[resource].append(entry.named)
    for each in pools:
        declared = _entry(each.node, read_pool(each), momentary, each.name)
        if declared.key is not None:
            groups[declared.key].append(declared.named)
    made = tuple(
        NodeGroup(key.offers, key.taints, key.tenant, tuple(many), key.declared)
        for key, many in groups.items()
    )
    frozen = {resource: tuple(many) for resource, many in barred.items()}
    return Inventory(made, _amounts(made), unusable, owners, frozen, len(entries))


def _amounts(groups: Iterable[NodeGroup]) -> Mapping[OfferKind, int]:
    """The amounts of the whole cluster, by which offers are ranked.

    Not of what a pod reaches, so that a second run on a rewritten pod ranks the same.
    """
    amounts: Counter[OfferKind] = Counter()
    for group in groups:
        for offer in group.offers:
            amounts[offer.kind] += offer.amount * len(group.nodes)
    return amounts
