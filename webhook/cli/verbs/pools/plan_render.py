"""What `pools plan` prints."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from webhook.cli import output
from webhook.cli.output import Column, Rendering
from webhook.cli.text import Text
from webhook.cli.verbs.pools.plan_collect import Planned
from webhook.core.pools.plan import FREE, PlannedGpu

_COLUMNS: tuple[Column, ...] = (
    ("NODE", "node"), ("GPUS", "gpus"), ("PRODUCT", "product"), ("STRATEGY", "strategy"),
    ("LAYOUT", "layout"), ("SERVES", "serves"),
)  # fmt: skip


def render_plan(found: Planned) -> Rendering:
    """Return a plan as tools and people read it."""
    plan = found.plan
    totals = [
        f"{len(plan.used)} of {len(plan.gpus)} GPUs in use, {plan.price:.2f} USD an hour",
        plan.how,
    ]
    totals += _freed(found)
    moves = [
        f"{each.setting.node}: {each.plugin}, {each.mig} -> {each.setting.pool}, "
        f"{each.setting.mig_config}"
        for each in found.changes
    ]
    left = [f"{each.name}: {each.replicas} not placed: {each.reason}" for each in plan.unplaced]
    parts = [*map(output.note, totals), *map(output.item, left)]
    if moves:
        parts += [Text("\nNodes that move (gpu-sharing pools move):"), *map(output.item, moves)]
    notes = [output.item(each) for each in found.assumptions]
    return Rendering(
        record=plan_record(found),
        screen=(output.table(_COLUMNS, _rows(found)), "", *parts, "", "Assumed:", *notes),
    )


def plan_record(found: Planned) -> dict[str, Any]:
    """Return a plan as tools get it. The keys are an interface."""
    plan = found.plan
    return {
        "gpus": [_gpu(each) for each in plan.gpus],
        "unplaced": plan.unplaced,
        "assumptions": [*found.assumptions, plan.how],
        "moves": [
            {
                "node": each.setting.node,
                "from": {"pool": each.plugin, "migConfig": each.mig},
                "to": {"pool": each.setting.pool, "migConfig": each.setting.mig_config},
            }
            for each in found.changes
        ],
        "summary": {
            "used": len(plan.used),
            "free": len(plan.gpus) - len(plan.used),
            "price": round(plan.price, 4),
            "how": plan.how,
            **_today(found),
        },
    }


def _today(found: Planned) -> dict[str, Any]:
    """What pods keep busy today, and what the plan frees of it."""
    if found.busy is None:
        return {}
    prices = {name: host.price or 0 for host in found.stock.hosts for name in host.nodes}
    money = sum(prices[name] * count for name, count in found.busy.items())
    used = sum(found.busy.values())
    return {
        "usedToday": used,
        "priceToday": round(money, 4),
        "frees": {
            "gpus": used - len(found.plan.used),
            "price": round(money - found.plan.price, 4),
        },
    }


def _freed(found: Planned) -> list[str]:
    today = _today(found)
    if not today:
        return []
    frees = today["frees"]
    return [
        f"today pods keep {today['usedToday']} GPUs busy: the plan frees {frees['gpus']} of them, "
        f"{frees['price']:.2f} USD an hour"
    ]


def _gpu(gpu: PlannedGpu) -> dict[str, Any]:
    return {
        "node": gpu.node,
        "index": gpu.index,
        "product": gpu.product,
        "strategy": gpu.strategy,
        "layout": dict(gpu.layout),
        "serves": gpu.serves,
    }


def _rows(found: Planned) -> Iterator[dict[str, Any]]:
    """A line for GPUs of a node that become and serve the same."""
    groups: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    for gpu in found.plan.gpus:
        layout = " ".join(f"{count}x{profile}" for profile, count in gpu.layout.items())
        serves = ", ".join(f"{count} {name}" for name, count in gpu.serves.items())
        groups[gpu.node, gpu.product, gpu.strategy, layout, serves].append(gpu.index)
    for (node, product, strategy, layout, serves), indexes in groups.items():
        yield {
            "node": node,
            "gpus": _range(indexes),
            "product": product,
            "strategy": FREE if strategy == FREE else output.strategy_cell(strategy),
            "layout": layout,
            "serves": serves,
        }


def _range(indexes: list[int]) -> str:
    whole = indexes == list(range(indexes[0], indexes[-1] + 1))
    if whole and len(indexes) > 1:
        return f"{indexes[0]}-{indexes[-1]}"
    return ",".join(map(str, indexes))
