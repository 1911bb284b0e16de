"""Demands that the same can serve, together."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace

from webhook.core.pools.demand import Demand, Fit
from webhook.core.pools.model import DemandGroup, Stock
from webhook.core.pools.packing import rounded_kinds


def group_demands(demands: Iterable[Demand], stock: Stock) -> tuple[DemandGroup, ...]:
    """Return the pods that have a fit, those with the same fits together."""
    served = [each for each in demands if each.fits]
    rounded = _rounded_memory(served, stock)
    found: dict[tuple[int, tuple[Fit, ...]], list[str]] = defaultdict(list)
    for each in served:
        fits = {replace(f, memory=rounded[f.host].get(f.memory, 0)) for f in each.fits}
        found[each.gpus, tuple(sorted(fits))] += [each.name] * each.replicas
    return tuple(DemandGroup(gpus, fits, tuple(many)) for (gpus, fits), many in found.items())


def _rounded_memory(demands: Iterable[Demand], stock: Stock) -> Mapping[int, Mapping[int, int]]:
    kinds: dict[int, set[int]] = defaultdict(set)
    for fit in (fit for each in demands for fit in each.fits):
        kinds[fit.host] |= {fit.memory} - {0}
    places = stock.replicas.time_slicing
    return {
        host: rounded_kinds(found, places, stock.hosts[host].model.memory or 0)
        for host, found in kinds.items()
    }
