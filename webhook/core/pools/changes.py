"""What a plan changes on nodes that exist, and what it frees."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from webhook.core.api import node
from webhook.core.api.node import Node
from webhook.core.gpu.reading import read_node
from webhook.core.pools.moving import MIG_CONFIG, PLUGIN_CONFIG
from webhook.core.pools.settings import NodeSetting


@dataclass(frozen=True, slots=True)
class NodeChange:
    """A node that has to move, with its two labels before."""

    setting: NodeSetting
    plugin: str
    mig: str


def changes(settings: Iterable[NodeSetting], nodes: Iterable[Node]) -> Iterator[NodeChange]:
    """Yield the nodes whose offers are not yet those of their pool, by their labels."""
    labels = {each.metadata.name: node.labels(each) for each in nodes}
    for setting in settings:
        mine = labels.get(setting.node, {})
        plugin, mig = mine.get(PLUGIN_CONFIG, "whole"), mine.get(MIG_CONFIG, "all-disabled")
        if (plugin, mig) != (setting.pool, setting.mig_config):
            yield NodeChange(setting, plugin, mig)


def busy_gpus(subject: Node, count: int, used: Mapping[str, int]) -> int:
    """Return how many of a node's GPUs its pods keep busy today, at most all.

    Shares and slices count as the GPUs that they fill: which GPU has them is not known.
    """
    offers = read_node(subject).offers
    whole = sum(o.amount // max(o.replicas, 1) for o in offers if o.profile is None)
    devices = sum(o.amount for o in offers if o.profile is not None)
    busy = 0.0
    for offer in offers:
        mine = used.get(offer.resource, 0)
        if offer.profile is None:
            busy += math.ceil(mine / max(offer.replicas, 1))
        elif devices:
            busy += mine / devices * (count - whole)
    return min(count, math.ceil(busy))
