"""Engine: the linear and mixed-integer programs of secrecy, solved by HiGHS (via highspy).

The only file that imports it.
"""

from collections.abc import Sequence
from typing import Any

import highspy
import numpy as np
from scipy import sparse

from cupral.methods.secrecy.panel import Mask, Vector

FAR = 1e7
"""Largest change of a cell, where the target's is 1: stands for 'as far as you like'."""
_OPTIMAL = highspy.HighsModelStatus.kOptimal


class Router:
    """Cheapest doubts: min cost |d| with relations d = 0, d[target] given, |d| within limits.

    Each cell has two columns, its rise and its fall. Only bounds change from target to target,
    so that each solution starts from the last basis.
    """

    def __init__(self, relations: sparse.csr_array, cost: Vector) -> None:
        self._size = relations.shape[1]
        self._places = np.arange(2 * self._size, dtype=np.int32)
        both = sparse.hstack([relations, -relations], format="csc")
        self._solver = _solver()
        _load(self._solver, both, np.concatenate([cost, cost]))

    def price(self, cost: Vector) -> None:
        """Change the cost of moving each cell."""
        both = np.concatenate([cost, cost])
        self._solver.changeColsCost(self._places.size, self._places, both)

    def doubt(self, target: int, sign: float, rise: Vector, fall: Vector) -> Vector | None:
        """The cheapest doubt that moves the target by `sign` (1 or -1); None if there is none.

        `rise` and `fall` limit every other cell, counted in the target's move.
        """
        upper = np.minimum(np.concatenate([rise, fall]), FAR)
        lower = np.zeros(upper.size)
        upper[[target, target + self._size]] = 0.0
        moved = target if sign > 0 else target + self._size
        upper[moved] = lower[moved] = 1.0
        self._solver.changeColsBounds(self._places.size, self._places, lower, upper)
        self._solver.run()
        if self._solver.getModelStatus() != _OPTIMAL:
            return None
        found = np.asarray(self._solver.getSolution().col_value)
        return _clean(found[: self._size] - found[self._size :])


class Ceiling:
    """Highest value of one cell's change, with the prices of the limits that hold it down."""

    def __init__(self, relations: sparse.csr_array) -> None:
        self._size = relations.shape[1]
        self._places = np.arange(self._size, dtype=np.int32)
        self._solver = _solver()
        _load(self._solver, sparse.csc_array(relations), np.zeros(self._size))

    def highest(
        self, target: int, sign: float, rise: Vector, fall: Vector
    ) -> tuple[float, Vector, Vector]:  # fmt: skip
        """max sign * d[target]; the doubt that reaches it, and each limit's price.

        The price of a cell is positive where more rise of it would help, negative where more
        fall would.
        """
        cost = np.zeros(self._size)
        cost[target] = -sign
        self._solver.changeColsCost(self._size, self._places, cost)
        lower, upper = -np.minimum(fall, FAR), np.minimum(rise, FAR)
        self._solver.changeColsBounds(self._size, self._places, lower, upper)
        self._solver.run()
        solution = self._solver.getSolution()
        doubt = _clean(np.asarray(solution.col_value))
        return sign * float(doubt[target]), doubt, -np.asarray(solution.col_dual)


def cheapest_cover(
    weight: Vector, cuts: Sequence[Vector], forced: Mask, barred: Mask, *, seconds: float
) -> Mask | None:
    """The cheapest set of cells with cut @ chosen >= 1 for every cut; None if none is proven."""
    solver = _solver()
    matrix = sparse.csc_array(np.asarray(cuts)) if cuts else sparse.csc_array((0, weight.size))
    _load(solver, matrix, weight, low=1.0, high=highspy.kHighsInf)
    places = np.arange(weight.size, dtype=np.int32)
    lower, upper = forced.astype(float), 1.0 - barred.astype(float)
    solver.changeColsBounds(weight.size, places, lower, upper)
    kinds = np.full(weight.size, highspy.HighsVarType.kInteger)
    solver.changeColsIntegrality(weight.size, places, kinds)
    solver.setOptionValue("mip_rel_gap", 0.0)
    solver.setOptionValue("time_limit", seconds)
    solver.run()
    if solver.getModelStatus() != _OPTIMAL:
        return None
    return np.asarray(solver.getSolution().col_value) > 0.5


def _solver() -> Any:
    solver = highspy.Highs()  # type: ignore[no-untyped-call]
    solver.setOptionValue("log_to_console", False)
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("threads", 1)
    solver.setOptionValue("primal_feasibility_tolerance", 1e-9)
    solver.setOptionValue("dual_feasibility_tolerance", 1e-9)
    return solver


def _load(
    solver: Any, matrix: sparse.csc_array, cost: Vector, *, low: float = 0.0, high: float = 0.0
) -> None:
    program = highspy.HighsLp()
    program.num_row_, program.num_col_ = matrix.shape
    program.col_cost_ = cost
    program.col_lower_ = np.zeros(cost.size)
    program.col_upper_ = np.ones(cost.size)
    program.row_lower_ = np.full(matrix.shape[0], low)
    program.row_upper_ = np.full(matrix.shape[0], high)
    program.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    program.a_matrix_.start_ = matrix.indptr
    program.a_matrix_.index_ = matrix.indices
    program.a_matrix_.value_ = matrix.data
    solver.passModel(program)


def _clean(doubt: Vector) -> Vector:
    """Without the dust of a solution."""
    kept: Vector = np.where(np.abs(doubt) > 1e-9, doubt, 0.0)
    return kept
