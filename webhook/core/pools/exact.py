"""The exact optimum of a program, by the solver HiGHS (the extra `plan`)."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from webhook.core.pools.model import Objective, Program, Supply

PROOF_SECONDS: Final = 30.0
"""For each of the objectives that a plan is judged by."""
TIE_SECONDS: Final = 4.0
"""For all together that only break ties: those that come too late break none."""
_EXACT: Final = 1e-6


class NotSolved(Exception):  # noqa: N818 - an outcome, with what the solver says of it
    """The solver is not installed, or found nothing in time."""


@dataclass(frozen=True, slots=True)
class Solution:
    """How much of each column is chosen, and what no other choice falls below.

    `reached` and `bounds` are by objective. They are equal where the optimum is proved.
    """

    values: tuple[int, ...]
    reached: tuple[float, ...]
    bounds: tuple[float, ...]


def solve(program: Program) -> Solution:
    """Return the best choice, each objective in its turn.

    Raises:
        NotSolved: there is no solver here, or it finds nothing in time.
    """
    try:
        import highspy  # noqa: PLC0415 - an extra, and 80 MB with numpy
    except ImportError:
        raise NotSolved("highspy is not installed (pip install 'gpu-sharing[plan]')") from None

    solver, count = _load(program, highspy), len(program.columns)
    steps: list[_Optimum] = []
    ties_end = math.inf
    for objective in (each for each in program.objectives if each.weights):
        now = solver.getRunTime()
        if not objective.proved:
            ties_end = min(ties_end, now + TIE_SECONDS)
        if now >= ties_end:
            break
        if steps:  # what was found holds for the next too
            start = highspy.HighsSolution()
            start.col_value = steps[-1].values
            solver.setSolution(start)
        found = _minimise(solver, objective, min(now + PROOF_SECONDS, ties_end), highspy)
        if found is None and objective.proved:
            raise NotSolved(f"nothing was found in {PROOF_SECONDS:.0f} s")
        if found is None:
            break
        steps.append(found)
    return Solution(
        values=tuple(map(round, steps[-1].values)) if steps else (0,) * count,
        reached=tuple(each.reached for each in steps),
        bounds=tuple(each.bound for each in steps),
    )


def _load(program: Program, highspy: Any) -> Any:
    """Return a solver that has the columns and rows of a program."""
    # HiGHS prints a banner where callbacks are turned on
    quiet = type("Quiet", (highspy.Highs,), {"enableCallbacks": lambda _: None})
    solver = quiet()
    for option, value in (("output_flag", False), ("mip_rel_gap", 0.0), ("mip_abs_gap", _EXACT)):
        solver.setOptionValue(option, value)
    for column in program.columns:
        solver.addVariable(0, column.most)
    count = len(program.columns)
    solver.changeColsIntegrality(count, list(range(count)), [highspy.HighsVarType.kInteger] * count)
    for supply, weights in _rows(program).items():
        most = float(program.capacity.get(supply, 0))
        least = most if supply in program.exact else -highspy.kHighsInf
        solver.addRow(least, most, len(weights), list(weights), list(weights.values()))
    return solver


@dataclass(frozen=True, slots=True)
class _Optimum:
    values: list[float]
    reached: float
    bound: float


def _rows(program: Program) -> Mapping[Supply, Mapping[int, float]]:
    rows: dict[Supply, dict[int, float]] = {}
    for index, column in enumerate(program.columns):
        for supply, taken in column.takes.items():
            if taken:
                rows.setdefault(supply, {})[index] = taken
    return rows


def _minimise(solver: Any, objective: Objective, limit: float, highspy: Any) -> _Optimum | None:
    """Minimise one objective, and hold its value for those that follow. None: not in time."""
    indexes, costs = list(objective.weights), list(objective.weights.values())
    solver.setOptionValue("time_limit", limit)
    solver.changeColsCost(len(indexes), indexes, costs)
    solver.run()
    info = solver.getInfo()
    if info.primal_solution_status != highspy.SolutionStatus.kSolutionStatusFeasible:
        return None
    values, reached = list(solver.getSolution().col_value), info.objective_function_value
    bound = min(reached, info.mip_dual_bound)
    solver.changeColsCost(len(indexes), indexes, [0.0] * len(indexes))
    slack = _EXACT * max(1.0, abs(reached))
    solver.addRow(-highspy.kHighsInf, reached + slack, len(indexes), indexes, costs)
    return _Optimum(values, reached, bound)
