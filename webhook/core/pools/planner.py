"""From a stock and its demands to a plan, exact where a solver is there."""

from collections.abc import Iterable, Sequence

from webhook.core.pools.demand import Demand
from webhook.core.pools.exact import NotSolved, Solution, solve
from webhook.core.pools.greedy import lower_bound, plan_greedily
from webhook.core.pools.grouping import group_demands
from webhook.core.pools.model import DemandGroup, Stock, build_program
from webhook.core.pools.plan import Plan, assign, with_reasons

OPTIMAL = "optimal: no plan leaves fewer pods, or costs less and leaves as many"

CLOSE = 1e-4


def make_plan(stock: Stock, demands: Sequence[Demand], *, exact: bool = True) -> Plan:
    """Return the plan that leaves the fewest pods, then costs least.

    Without a solver it is that of first-fit-decreasing, and says how far off it can be.
    """
    groups = group_demands(demands, stock)
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
