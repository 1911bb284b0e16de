"""The inventory of a cluster's nodes: equal nodes grouped, once a snapshot."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from webhook.core.api import names, node, quantity
from webhook.core.api.node import Node
from webhook.core.gpu.dialect import Advertised
from webhook.core.gpu.dialects import DIALECTS
from webhook.core.gpu.placement import repelling_taints
from webhook.core.gpu.resources import parse_resource
from webhook.core.gpu.values import (
    Contradiction,
    Inventory,
    NodeGroup,
    NodeLabels,
    Offer,
    OfferKind,
    Unusable,
)

_NOISE: Final = frozenset(key for dialect in DIALECTS for key in dialect.noise)
"""Kept out of the labels so that equal nodes group."""

_Key = tuple[tuple[Offer, ...], tuple[node.Taint, ...], str | None]


@dataclass(frozen=True, slots=True)
class NodeOffers:
    """What one node offers, and what it has and does not offer.

    `unlabelled` says that it has GPU resources and the labels of no dialect.
    """

    offers: tuple[Offer, ...]
    unusable: tuple[Unusable, ...]
    unlabelled: bool


def read_node(subject: Node) -> NodeOffers:
    """Return what one node offers, as the first dialect reads it that it speaks."""
    labels = node.labels(subject)
    advertised, malformed = _advertised(subject)
    dialect = next((each for each in DIALECTS if each.is_spoken(labels)), None)
    if dialect is None:
        return NodeOffers((), malformed, unlabelled=bool(advertised))
    found = [dialect.read_offer(each) for each in advertised]
    return NodeOffers(
        offers=tuple(each for each in found if isinstance(each, Offer)),
        unusable=(*malformed, *(each for each in found if isinstance(each, Unusable))),
        unlabelled=False,
    )


def build_inventory(nodes: Iterable[Node]) -> Inventory:
    """Group nodes by what they offer, to whom: 5,000 equal nodes make one group.

    The order of the nodes does not matter.
    """
    groups: dict[_Key, list[NodeLabels]] = {}
    unusable: dict[str, tuple[Unusable, ...]] = {}
    unlabelled = seen = 0
    for each in sorted(nodes, key=lambda n: n.metadata.name):
        seen += 1
        found = read_node(each)
        unlabelled += found.unlabelled
        if found.unusable:
            unusable[each.metadata.name] = found.unusable
        if found.offers:
            labels = {k: v for k, v in node.labels(each).items() if k not in _NOISE}
            key = found.offers, repelling_taints(node.taints(each)), labels.get(names.TENANT)
            groups.setdefault(key, []).append(NodeLabels(each.metadata.name, labels))
    made = tuple(NodeGroup(o, t, tenant, tuple(many)) for (o, t, tenant), many in groups.items())
    return Inventory(made, _amounts(made), unusable, unlabelled, seen)


def _amounts(groups: Iterable[NodeGroup]) -> Mapping[OfferKind, int]:
    """The amounts of the whole cluster, by which offers are ranked.

    Not of what a pod reaches, so that a second run on a rewritten pod ranks the same.
    """
    amounts: Counter[OfferKind] = Counter()
    for group in groups:
        for offer in group.offers:
            amounts[offer.kind] += offer.amount * len(group.nodes)
    return amounts


def _advertised(subject: Node) -> tuple[list[Advertised], tuple[Unusable, ...]]:
    """The GPU resources of a node by name, and those whose quantity cannot be read."""
    labels = node.labels(subject)
    found: list[Advertised] = []
    malformed: list[Unusable] = []
    for name, raw in sorted(node.allocatable(subject).items()):
        resource = parse_resource(name)
        if resource is None:
            continue
        try:
            amount = quantity.count(raw)
        except quantity.QuantityError as error:
            malformed.append(Unusable(Contradiction.MALFORMED_QUANTITY, name, str(error)))
            continue
        if amount:
            found.append(Advertised(resource, amount, labels))
    return found, tuple(malformed)
