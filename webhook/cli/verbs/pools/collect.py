"""The pools that are there: offers, what is free, and what is wrong."""

import argparse
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from webhook.cli import loaders
from webhook.cli.cluster import flags
from webhook.cli.cluster import loaders as sources
from webhook.cli.pool_data import load_catalog
from webhook.cli.verbs.pools.holders import live_pods, used_by_node
from webhook.core.api import node
from webhook.core.api.node import Node
from webhook.core.gpu.dialects.gfd.labels import PRODUCT
from webhook.core.gpu.reading import is_of_gpus, read_node
from webhook.core.gpu.values import Offer
from webhook.core.policy.values import Policy
from webhook.core.pools.catalog import whole_product
from webhook.core.pools.diagnosis import diagnose
from webhook.core.pools.diagnosis.problem import NodeProblem
from webhook.core.pools.moving import PLUGIN_CONFIG


@dataclass(frozen=True, slots=True)
class PoolNode:
    """One node with GPUs. `used` is by resource, None where pods were not looked at."""

    name: str
    product: str
    offers: tuple[Offer, ...]
    problems: tuple[NodeProblem, ...]
    pool: str
    used: Mapping[str, int] | None


@dataclass(frozen=True, slots=True)
class Pools:
    """What was looked at: nodes with GPUs, and the policy that declares pools."""

    nodes: tuple[PoolNode, ...]
    policy: Policy


def collect(args: argparse.Namespace) -> Pools:
    """Read nodes of a file, or nodes and pods of the cluster.

    Raises:
        InputError: a file cannot be read.
        Unavailable: the cluster cannot be read.
    """
    if args.inventory is not None:
        policy = loaders.load_policy(args.policy)
        return _pools(loaders.load_cluster(args.inventory).nodes, policy, None)
    with flags.open_cluster(args) as client:
        policy = sources.policy(client, args.install, args.policy).policy
        return _pools(sources.nodes(client), policy, used_by_node(live_pods(client)))


def _pools(
    nodes: Iterable[Node], policy: Policy, used: Mapping[str, Mapping[str, int]] | None
) -> Pools:
    catalog = load_catalog()
    made: list[PoolNode] = []
    for each in (each for each in nodes if is_of_gpus(each)):
        found = read_node(each, policy.pools)
        labels = node.labels(each)
        name = each.metadata.name
        label = labels.get(PRODUCT, "")
        product = whole_product(label) or next((o.product for o in found.offers), "")
        problems = diagnose(each, found, catalog)
        mine = None if used is None else used.get(name, {})
        pool = labels.get(PLUGIN_CONFIG, "")
        made.append(PoolNode(name, product, found.offers, problems, pool, mine))
    return Pools(tuple(made), policy)
