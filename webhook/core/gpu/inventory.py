"""The inventory of a cluster's nodes: equal nodes grouped, once a snapshot."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Final

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

NodeReader = Callable[[Node, tuple[DeclaredPool, ...]], NodeOffers]
"""Returns what a node offers, by itself or by the pools that select it."""
_Key = tuple[tuple[Offer, ...], tuple[Taint, ...], str | None, str]


def build_inventory(
    nodes: Iterable[Node],
    pools: tuple[DeclaredPool, ...] = (),
    momentary: tuple[str, ...] = (),
    read: NodeReader = read_node,
) -> Inventory:
    """Group nodes by what they offer, to whom: 5,000 equal nodes make one group.

    The order of the nodes does not matter. `momentary` are the first letters of the keys of
    taints that come and go. To `read` each node is nine tenths of the work.
    """
    groups: dict[_Key, list[NodeLabels]] = {}
    unusable: dict[str, tuple[Unusable, ...]] = {}
    owners: dict[str, str] = {}
    barred: dict[str, list[NodeLabels]] = {}
    seen = 0

    def add(subject: Node, found: NodeOffers, declared: str) -> None:
        labels = {k: v for k, v in node.labels(subject).items() if k not in _NOISE}
        named = NodeLabels(subject.metadata.name, labels)
        if found.offers:
            taints = lasting_taints(node.taints(subject), momentary)
            key = found.offers, taints, labels.get(names.TENANT), declared
            groups.setdefault(key, []).append(named)
        for resource in {} if declared else found.barred:
            barred.setdefault(resource, []).append(named)

    for each in sorted(nodes, key=lambda n: n.metadata.name):
        seen += 1
        found = read(each, pools)
        if found.unusable:
            unusable[each.metadata.name] = found.unusable
            if names.TENANT in node.labels(each):
                owners[each.metadata.name] = node.labels(each)[names.TENANT]
        add(each, found, "")
    for pool in pools:
        add(pool.node, read_pool(pool), pool.name)
    made = tuple(
        NodeGroup(offers, taints, tenant, tuple(many), declared)
        for (offers, taints, tenant, declared), many in groups.items()
    )
    frozen = {resource: tuple(many) for resource, many in barred.items()}
    return Inventory(made, _amounts(made), unusable, owners, frozen, seen)


def _amounts(groups: Iterable[NodeGroup]) -> Mapping[OfferKind, int]:
    """The amounts of the whole cluster, by which offers are ranked.

    Not of what a pod reaches, so that a second run on a rewritten pod ranks the same.
    """
    amounts: Counter[OfferKind] = Counter()
    for group in groups:
        for offer in group.offers:
            amounts[offer.kind] += offer.amount * len(group.nodes)
    return amounts
