"""From a stock and its demands to a plan, exact where a solver is there."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from webhook.core.pools.demand import Demand, Fit
from webhook.core.pools.exact import NotSolved, Solution, solve
from webhook.core.pools.greedy import lower_bound, plan_greedily
from webhook.core.pools.model import DemandGroup, Stock, build_program
from webhook.core.pools.packing import rounded_kinds
from webhook.core.pools.plan import Plan, assign, with_reasons

OPTIMAL = "optimal: no plan leaves fewer pods, or costs less and leaves as many"

CLOSE = 1e-4


def make_plan(stock: Stock, demands: Sequence[Demand], *, exact: bool = True) -> Plan:
    """Return the plan that leaves the fewest pods, then costs least.

    Without a solver it is that of first-fit-decreasing, and says how far off it can be.
    """
    groups = _grouped(demands, stock)
    if not exact:
        return _greedy(stock, groups, demands, "--greedy was given")
    program = build_program(stock, groups)
    try:
        solution = solve(program)
    except NotSolved as error:
        return _greedy(stock, groups, demands, str(error))
    chosen = tuple(zip(program.columns, solution.values, strict=True))
    how = _proof(solution)
    if _memory_of(groups) < _memory_of(demands):
        how += "; memory needs under time-slicing are so many that they were rounded up"
    return with_reasons(assign(stock, groups, chosen), demands, how)


def _grouped(demands: Iterable[Demand], stock: Stock) -> tuple[DemandGroup, ...]:
    """The pods that have a fit, those with the same fits together."""
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


def _memory_of(asking: Iterable[Demand | DemandGroup]) -> set[tuple[int, int]]:
    return {(fit.host, fit.memory) for each in asking for fit in each.fits}


def _greedy(
    stock: Stock, groups: Sequence[DemandGroup], demands: Sequence[Demand], because: str
) -> Plan:
    found = plan_greedily(stock, groups)
    bound = min(lower_bound(stock, groups), found.price)
    how = f"not proved ({because}): {found.price:.2f} USD an hour, and none is under {bound:.2f}"
    if found.unplaced:
        how = f"not proved ({because}): another plan may place more"
    return with_reasons(found, demands, how)


def _proof(solution: Solution) -> str:
    """How good a solution is known to be: pods left and money are what counts."""
    gaps = [
        reached - bound for reached, bound in zip(solution.reached, solution.bounds, strict=True)
    ]
    if all(gap <= CLOSE for gap in gaps[:2]):
        return OPTIMAL
    return (
        f"not proved in time: at most {gaps[0]:.0f} pods more could be placed, "
        f"or {gaps[1]:.2f} USD an hour be saved"
    )
