"""Which unmeasured flows are determined by balances and bounds together."""

from typing import Any

import numpy as np
from scipy import sparse
from scipy.optimize import linprog

from cupral.methods.reconcile.elimination import balance_scale, eliminate
from cupral.methods.reconcile.problem import Columns, Mask, Vector
from cupral.methods.reconcile.system import System

TOUCHING = 1e-9
"""A flow nearer to its bound than this share of the flows it is balanced with touches it."""


def unique(system: System, value: Vector, bounds: tuple[Vector, Vector]) -> Mask:
    """Streams whose flow is the same in every optimum, (n,).

    The measured part of the optimum is unique. An unmeasured flow can differ from x only along a
    direction that keeps every balance and leads no stream over a bound it touches; a flow that no
    such direction moves is determined.
    """
    known = np.ones(len(value), dtype=np.bool_)
    unmeasured = system.unmeasured
    known[unmeasured] = system.elimination.observable
    if known.all():
        return known
    columns = system.problem.incidence[:, unmeasured]
    side = _touched(system, value, bounds)[unmeasured]
    loose = _loose(columns, side)
    part = columns[:, loose]
    fixed = np.ones(len(unmeasured), dtype=np.bool_)
    every = np.arange(part.shape[1])
    fixed[loose] = eliminate(part, balance_scale(part, every)).observable
    known[unmeasured] |= fixed
    return known


def _touched(system: System, value: Vector, bounds: tuple[Vector, Vector]) -> Vector:
    """1 at the lower bound, -1 at the upper, 2 at both, 0 elsewhere, (n,)."""
    lower, upper = bounds
    size = abs(system.problem.incidence)
    near = TOUCHING * (size.T @ (size @ np.abs(value) + np.abs(system.problem.rhs)))
    at_lower, at_upper = value - lower <= near, upper - value <= near
    return np.where(at_lower & at_upper, 2.0, at_lower * 1.0 - at_upper * 1.0)


def _loose(columns: Columns, side: Vector) -> Mask:
    """Streams that some feasible direction moves off the bound they touch, or that touch none.

    The feasible directions are a cone: one direction moves all that can move, and by at least 1.
    """
    touching = np.flatnonzero(np.abs(side) == 1.0)
    count, width = len(touching), columns.shape[1]
    if not count:
        return np.asarray(side == 0.0)
    pick = sparse.csr_array((-side[touching], (np.arange(count), touching)), shape=(count, width))
    limit: Any = np.full((width + count, 2), [-np.inf, np.inf])
    limit[:width][side > 0, 0] = 0.0
    limit[:width][(side < 0) | (side == 2.0), 1] = 0.0
    limit[width:] = (0.0, 1.0)
    found = linprog(
        np.concatenate((np.zeros(width), -np.ones(count))),
        A_ub=sparse.hstack([pick, sparse.eye_array(count)], format="csc"),
        b_ub=np.zeros(count),
        A_eq=sparse.hstack([columns, sparse.csc_array((columns.shape[0], count))], format="csc"),
        b_eq=np.zeros(columns.shape[0]),
        bounds=limit,
        method="highs",
    )
    loose = np.asarray(side == 0.0)
    loose[touching] = True if found.x is None else found.x[width:] > 0.5
    return loose
