"""Nouns of a balance: readings of a month, the layout of its equations, and what came out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from cupral.ledger.registers import Network
from cupral.methods.reconcile import Reconciliation

Vector: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What one meter (or prior) says of one month."""

    meter: str
    where: str
    """Stream id; for a stocktake the process id."""
    kind: str
    """'flow', 'assay', 'opening' or 'closing'."""
    element: str
    value: float
    """Amount in the stream's canonical unit, or mass fraction."""
    sd: float
    unit: str
    group: str
    """Measurements of one group share part of their error."""
    correlation: float
    references: tuple[str, ...]
    demonstration: bool = False


class Noun(StrEnum):
    """What a variable of the equations stands for."""

    FLOW = "flow"
    FRACTION = "fraction"
    CONTENT = "content"
    READING = "reading"
    OPENING = "opening"
    CLOSING = "closing"
    CHANGE = "change"


@dataclass(frozen=True, slots=True)
class Variable:
    """One unknown of the equations."""

    noun: Noun
    where: str
    element: str = ""
    meter: str = ""
    """The meter (or prior or specification) that measures it; empty if unmeasured."""


@dataclass(frozen=True, slots=True)
class Equation:
    """One row: a balance of a process, or the tie of a second meter to its stream."""

    process: str
    balance: str
    """'mass', 'energy', an element, or 'tie'."""


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """Equations `A x + sum of q x_i x_j = 0` of one month, with what was measured of x."""

    network: Network
    variables: tuple[Variable, ...]
    equations: tuple[Equation, ...]
    linear: sparse.csr_array
    """A, (equations, variables)."""
    products: tuple[NDArray[np.int64], Vector, NDArray[np.int64], NDArray[np.int64]]
    """(row, coefficient, i, j) of each bilinear term."""
    measured: Vector
    sd: Vector
    readings: Mapping[int, Reading]
    """Reading behind each measured variable."""

    def index(self, noun: Noun, where: str, element: str = "") -> int:
        """Position of a variable, -1 if there is none."""
        for position, variable in enumerate(self.variables):
            if (variable.noun, variable.where, variable.element) == (noun, where, element):
                return position
        return -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """Meters of which one is wrong; those that cannot be told apart stand together."""

    meters: tuple[str, ...]
    kind: str
    """'bias', 'leak'."""
    size: float
    size_sd: float
    unit: str
    statistic: float
    also: tuple[str, ...] = ()
    members: tuple[int, ...] = ()
    """Variables behind the meters; empty for a leak."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MonthBalance:
    """The reconciled balance of one site and month."""

    month: int
    layout: Layout
    raw: Reconciliation
    """With every meter believed."""
    final: Reconciliation
    """With the doubted meters set aside (equal to raw if there are none)."""
    doubts: tuple[Doubt, ...]
    set_aside: frozenset[int] = field(default_factory=frozenset)
    """Variables whose measurement was set aside."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What a person decided about a doubt, with name and reason; nothing is set aside silently."""

    month: int
    kind: str
    meters: tuple[str, ...]
    """The group that was judged, ascending; leaks by `leak:process:balance`."""
    verdict: str
    """'confirmed' (set aside), 'dismissed' (believed) or 'open' (taken back)."""
    culprits: tuple[str, ...] = ()
    """Those of a confirmed group that are at fault; empty = the whole group."""
    author: str
    reason: str

    @property
    def group(self) -> tuple[str, tuple[str, ...]]:
        """What identifies the doubt within its month."""
        return self.kind, self.meters
