"""Nodes -> the Inventory: equal nodes grouped, once per snapshot; no choice is made here."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

from webhook.core.api import names, node
from webhook.core.api.model import Inventory, NodeGroup, NodeLabels, Offer, OfferKind
from webhook.core.gpu import placement
from webhook.core.gpu.dialects import gfd

# Labels that differ on every node and that no pod selects by; kept out so that equal nodes group.
_NOISE: Final = frozenset({names.GFD_TIMESTAMP})

_Key = tuple[tuple[Offer, ...], tuple[node.Taint, ...], str | None]


def of_nodes(nodes: Iterable[node.Node]) -> Inventory:
    """Group nodes by what they offer, to whom; 5,000 equal nodes make one Shape.

    Nodes with NVIDIA resources but without the labels of GPU Feature Discovery offer nothing
    and are counted as `unlabelled`. The order of the nodes does not matter.
    """
    groups: dict[_Key, list[NodeLabels]] = {}
    unlabelled = seen = 0
    for each in sorted(nodes, key=lambda n: n.metadata.name):
        seen += 1
        found = gfd.of_node(each)
        unlabelled += not found and gfd.advertises(each) and not _discovered(node.labels(each))
        if found:
            labels = {k: v for k, v in node.labels(each).items() if k not in _NOISE}
            groups.setdefault(_key(each, found), []).append(NodeLabels(each.metadata.name, labels))
    shapes = (NodeGroup(o, t, tenant, tuple(many)) for (o, t, tenant), many in groups.items())
    made = tuple(shapes)
    return Inventory(made, _amounts(made), unlabelled, seen)


def _amounts(shapes: Iterable[NodeGroup]) -> Mapping[OfferKind, int]:
    """Of the whole cluster, so that a second run on a pinned pod ranks the same."""
    amounts: Counter[OfferKind] = Counter()
    for shape in shapes:
        for offer in shape.offers:
            amounts[offer.kind] += offer.amount * len(shape.nodes)
    return amounts


def _key(each: node.Node, found: tuple[Offer, ...]) -> _Key:
    taints = placement.repelling(node.taints(each))
    return found, taints, node.labels(each).get(names.TENANT)


def _discovered(labels: Mapping[str, str]) -> bool:
    mixed = (k for k in labels if k.startswith(names.MIG) and k.endswith(names.SHARING_SUFFIX))
    return names.GPU_SHARING in labels or any(True for _ in mixed)
