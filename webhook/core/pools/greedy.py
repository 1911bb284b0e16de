"""First-fit-decreasing: a plan without a solver, and a bound beside it."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice

from webhook.core.gpu.strategies import Strategy
from webhook.core.pools.demand import Fit
from webhook.core.pools.layouts import Layout, holds, maximal_layouts
from webhook.core.pools.model import SHARING, DemandGroup, Stock
from webhook.core.pools.plan import FREE, Plan, PlannedGpu, Unplaced, free_gpus


@dataclass(slots=True)
class _Place:
    """A GPU that is being filled: its devices given, memory and places taken."""

    gpu: PlannedGpu
    layouts: tuple[Layout, ...]
    given: Counter[str] = field(default_factory=Counter)
    memory: int = 0
    pods: int = 0


@dataclass(slots=True)
class _Server:
    """A node that is being filled. `strategy` is that of its plugin, None while it is open."""

    host: int
    places: list[_Place]
    strategy: Strategy | None = None


def plan_greedily(stock: Stock, groups: Sequence[DemandGroup]) -> Plan:
    """Return a plan by first-fit-decreasing: the largest pods first, to the cheapest that fits."""
    nodes = free_gpus(stock)
    servers = []
    for index, host in enumerate(stock.hosts):
        layouts = maximal_layouts(host.model)
        servers += [
            _Server(index, [_Place(gpu, layouts) for gpu in nodes[name]]) for name in host.nodes
        ]
    left: Counter[str] = Counter()
    for group in sorted(groups, key=lambda each: _size(each, stock), reverse=True):
        fits = sorted(group.fits, key=lambda fit: _cost(fit, group.gpus, stock))
        for name in group.names:
            found = next(filter(None, (_find(fit, group.gpus, servers, stock) for fit in fits)), [])
            for place, fit in found:
                _take(place, name, fit)
            if not found:
                left[name] += 1
    for server in servers:
        for place in server.places:
            if place.given:
                place.gpu.layout = next(x for x in place.layouts if holds(x, place.given))
    gpus = tuple(place.gpu for server in servers for place in server.places)
    reason = "no space was found by first-fit-decreasing"
    return Plan(gpus, tuple(Unplaced(name, n, reason) for name, n in left.items()), "")


def lower_bound(stock: Stock, groups: Iterable[DemandGroup]) -> float:
    """Return USD an hour that no plan for these pods can fall below.

    Each pod counts as the cheapest part of a GPU that it fits on: of a MIG device the larger of
    its compute slices and memory slots.
    """
    return sum(
        len(each.names) * min(_cost(fit, each.gpus, stock) for fit in each.fits) for each in groups
    )


def _size(group: DemandGroup, stock: Stock) -> float:
    least = min(group.fits, key=lambda fit: _cost(fit, group.gpus, stock))
    return group.gpus + _part(least, stock)


def _cost(fit: Fit, gpus: int, stock: Stock) -> float:
    return (stock.hosts[fit.host].price or 0) * gpus * _part(fit, stock)


def _part(fit: Fit, stock: Stock) -> float:
    """How much of a GPU a fit takes, at least."""
    model, replicas = stock.hosts[fit.host].model, stock.replicas
    if fit.strategy is Strategy.MIG:
        device = model.device(fit.profile)
        return max(device.profile.slices / model.slices, device.size / model.slots)
    if fit.strategy is Strategy.MPS:
        return 1 / replicas.mps
    if fit.strategy is Strategy.TIME_SLICING:
        return max(1 / replicas.time_slicing, fit.memory / (model.memory or 1))
    return 1.0


def _find(fit: Fit, gpus: int, servers: list[_Server], stock: Stock) -> list[tuple[_Place, Fit]]:
    """Return the places for one pod, on a GPU in use before a free one."""
    wanted = fit.strategy if fit.strategy in SHARING else Strategy.EXCLUSIVE
    for used in (True, False):
        for server in servers:
            if server.host != fit.host or server.strategy not in (None, wanted):
                continue
            if used and server.strategy is None:
                continue
            space = (p for p in server.places if _has_space(p, fit, stock, used=used))
            found = list(islice(space, gpus))
            if len(found) == gpus:
                server.strategy = wanted
                return [(place, fit) for place in found]
    return []


def _has_space(place: _Place, fit: Fit, stock: Stock, *, used: bool) -> bool:
    if place.gpu.strategy == FREE:
        return not used or fit.strategy is Strategy.EXCLUSIVE
    if place.gpu.strategy != fit.strategy or not used:
        return False
    if fit.strategy is Strategy.MIG:
        return any(holds(each, place.given + Counter([fit.profile])) for each in place.layouts)
    if fit.strategy is Strategy.MPS:
        return place.pods < stock.replicas.mps
    memory = stock.hosts[fit.host].model.memory or 0
    space = place.memory + fit.memory <= memory and place.pods < stock.replicas.time_slicing
    return fit.strategy is Strategy.TIME_SLICING and space


def _take(place: _Place, name: str, fit: Fit) -> None:
    place.gpu.strategy = fit.strategy.value
    place.gpu.serve(name)
    place.pods += 1
    place.memory += fit.memory
    if fit.strategy is Strategy.MIG:
        place.given[fit.profile] += 1
