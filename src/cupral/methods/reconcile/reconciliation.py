"""What a reconciliation answers: values, their sd, their tests, and what could be known."""

from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from cupral.methods.reconcile.problem import Vector
from cupral.methods.reconcile.system import System


class Observability(IntEnum):
    """What the balances and measurements together know of a stream."""

    REDUNDANT = 0
    """Measured, and checked by the balances."""
    JUST_MEASURED = 1
    """Measured, but no balance checks it."""
    OBSERVABLE = 2
    """Unmeasured, and determined by the others."""
    UNOBSERVABLE = 3
    """Unmeasured and not determined: its value is NaN."""
    FIXED = 4
    """Held at an exactly known value."""


@dataclass(frozen=True, slots=True, eq=False)
class Reconciliation:
    """Reconciled flows with a-posteriori uncertainties and tests.

    Arrays have one entry a stream, in the order of the incidence's columns.
    """

    value: Vector
    """Reconciled flow (n,) [unit of the flow]; NaN where unobservable, never a number."""
    sd: Vector
    """A-posteriori standard uncertainty (n,) [unit]; NaN where unobservable. Good to 1e-7 of
    itself; beyond 1,000 balances to 1e-3 where meters side by side are 1e5 times apart."""
    adjustment: Vector
    """value - measured (n,) [unit]; NaN where unmeasured."""
    z_adjustment: Vector
    """adjustment / its sd (n,) [1]; NaN where nothing adjusts the stream."""
    z_max_power: Vector
    """Maximum-power measurement test (n,) [1]; positive when the meter reads too much of an
    inflow; NaN where not redundant."""
    observability: NDArray[np.int8]
    """Codes of `Observability`, (n,)."""
    redundancy: int
    """Degrees of freedom of the tests."""
    rank: int
    """Rank of the balances over measured and unmeasured streams."""
    rank_unmeasured: int
    """Rank of the balances over unmeasured streams."""
    objective: float
    """J, weighted sum of squared adjustments [1]."""
    p_value: float
    """Probability of a J this large from noise alone [1]."""
    chi2_critical: float
    """J above this fails the global test [1]."""
    global_test_pass: bool
    critical_z: float
    """Two-sided limit of the measurement tests (Sidak over the redundant streams) [1]."""
    node_z: Vector
    """Imbalance of each raw balance / its sd (m,) [1]; NaN where a stream is unmeasured."""
    equivalent: tuple[tuple[int, ...], ...]
    """Groups of measured streams that no test can tell apart (indices from 0)."""
    residual: Vector
    """Closure ``A x - b`` after reconciliation (m,) [unit]; NaN where a value is unknown."""
    smallest_detectable: Vector
    """Smallest bias found with probability 0.9 (n,) [unit]; inf where not redundant."""
    level: float
    """Significance level of the tests."""
    iterations: int
    """1 for linear problems, the Gauss-Newton steps for others."""
    system: System = field(repr=False)
    """The factored (linearised) problem, from which suspects and sensitivities are asked."""

    def __str__(self) -> str:
        """Aligned table of streams with measured, reconciled, sd, z and class."""
        lines = [
            f"J = {self.objective:.6g}, {self.redundancy} degrees of freedom, "
            f"p = {self.p_value:.3g}, critical z = {self.critical_z:.3f}",
            f"{'stream':>6} {'measured':>14} {'reconciled':>14} {'sd':>12} {'z':>8}  class",
        ]
        measured = self.system.problem.measured
        for i, code in enumerate(self.observability):
            name = Observability(code).name.lower().replace("_", " ")
            lines.append(
                f"{i:>6} {measured[i]:>14.6g} {self.value[i]:>14.6g} {self.sd[i]:>12.4g} "
                f"{self.z_max_power[i]:>8.2f}  {name}"
            )
        return "\n".join(lines)
