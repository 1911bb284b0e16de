"""What `pools` prints: pools, nodes, what is wrong, or a declared pool for its autoscaler."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Final

from webhook.cli import output
from webhook.cli.output import Column, Rendering
from webhook.cli.text import Text
from webhook.cli.verbs.pools.collect import PoolNode, Pools
from webhook.core.gpu.reading import read_pool
from webhook.core.gpu.values import Offer
from webhook.core.pools.autoscaler import AUTOSCALERS, template_of

_POOLS: tuple[Column, ...] = (
    ("POOL", "name"), ("STRATEGY", "cell"), ("PRODUCT", "product"), ("RESOURCE", "resource"),
    ("MEMORY", "size"), ("NODES", "count"), ("TOTAL", "total"), ("FREE", "free"),
)  # fmt: skip
_LEAST_FIRST: Final = ("cell", "count", "size")
_NODES: tuple[Column, ...] = (
    ("NODE", "name"), ("PRODUCT", "product"), ("OFFERS", "told"), ("FREE", "free"),
    ("PROBLEMS", "codes"),
)  # fmt: skip


def render(found: Pools, *, wide: bool) -> Rendering:
    """Return pools, or with `wide` single nodes, and below them what is wrong."""
    pools = list(_pools(found))
    rows = [_wide_row(each) for each in found.nodes] if wide else [_pool_row(p) for p in pools]
    wrong = [part for each in found.nodes for part in _wrong(each)]
    return Rendering(
        record={
            "pools": pools,
            "nodes": [_node(each) for each in found.nodes],
            "problems": sum(len(each.problems) for each in found.nodes),
        },
        screen=(output.table(_NODES if wide else _POOLS, rows, _LEAST_FIRST), *wrong),
    )


def render_for(found: Pools, autoscaler: str) -> Rendering:
    """Return each declared pool as an autoscaler needs it."""
    made = [
        {
            "pool": pool.name,
            autoscaler: AUTOSCALERS[autoscaler](template_of(pool, read_pool(pool).offers)),
        }
        for pool in found.policy.pools
    ]
    return Rendering(record=made)


def _pools(found: Pools) -> Iterator[dict[str, Any]]:
    """Nodes that offer the same in the same pool, added up."""
    groups: dict[tuple[Any, ...], list[tuple[PoolNode, Offer]]] = defaultdict(list)
    for each in found.nodes:
        for offer in each.offers:
            name = each.pool or offer.strategy.value
            key = name, offer.strategy, each.product, offer.resource, offer.memory
            groups[key].append((each, offer))
    for (name, strategy, product, resource, memory), many in groups.items():
        total = sum(offer.amount for _, offer in many)
        used = [
            each.used[resource] if each.used and resource in each.used else 0 for each, _ in many
        ]
        known = all(each.used is not None for each, _ in many)
        yield {
            "name": name,
            "strategy": strategy.value,
            "product": product,
            "resource": resource,
            "memory": memory,
            "nodes": [each.name for each, _ in many],
            "total": total,
            "free": max(total - sum(used), 0) if known else None,
        }


def _pool_row(pool: dict[str, Any]) -> dict[str, Any]:
    size = f"{pool['memory']}Mi" if pool["memory"] else None
    cell = output.strategy_cell(pool["strategy"])
    return {**pool, "cell": cell, "size": size, "count": len(pool["nodes"])}


def _wide_row(each: PoolNode) -> dict[str, Any]:
    free = {
        offer.resource: offer.amount - each.used.get(offer.resource, 0)
        for offer in each.offers
        if each.used is not None
    }
    return {
        "name": each.name,
        "product": each.product,
        "told": output.amounts({offer.resource: offer.amount for offer in each.offers}),
        "free": output.amounts(free),
        "codes": ", ".join(problem.code for problem in each.problems),
    }


def _node(each: PoolNode) -> dict[str, Any]:
    return {
        "name": each.name,
        "product": each.product,
        "offers": [
            {
                "resource": offer.resource,
                "strategy": offer.strategy.value,
                "profile": offer.profile.name if offer.profile else None,
                "amount": offer.amount,
                "memory": offer.memory,
            }
            for offer in each.offers
        ],
        "problems": each.problems,
    }


def _wrong(each: PoolNode) -> Iterator[Any]:
    colours = {"error": "red", "warning": "yellow"}
    for problem in each.problems:
        head = (f"{problem.severity.value} {problem.code}", colours[problem.severity.value])
        yield Text("\n", (output.safe(each.name), "bold"), ": ", head)
        yield output.indented(problem.what)
        yield output.indented(f"what to do: {problem.mend}")
