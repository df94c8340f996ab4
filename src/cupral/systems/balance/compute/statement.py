"""Sums over months: flows and element contents with what their uncertainties share.

The part of an error that a meter keeps from month to month adds up over months; what is its
own in each month adds in quadrature. Within a month one meter's own error moves every stream
that is balanced with it, so the own part is a covariance of all quantities.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cupral.systems.balance.compute.solve import split
from cupral.systems.balance.model import Layout, MonthBalance, Noun, Vector

Key = tuple[str, str]
"""(stream, element); element '' is the flow itself."""
NULL = 1e-12
"""Share of a variance below which what is left of it is rounding."""


@dataclass(frozen=True, slots=True, eq=False)
class Statement:
    """Quantities with a value, a loading on each group, and a covariance of all own errors."""

    keys: tuple[Key, ...]
    value: Vector
    """NaN where any month's value is not known."""
    groups: tuple[str, ...]
    loading: Vector
    """(keys, groups)."""
    covariance: Vector
    """Of what the groups do not share, (keys, keys)."""

    @property
    def sd(self) -> Vector:
        """Total standard uncertainty."""
        total: Vector = np.sqrt((self.loading**2).sum(axis=1) + self.covariance.diagonal())
        return total

    def index(self, key: Key) -> int:
        """Position of a quantity, -1 if absent."""
        return self.keys.index(key) if key in self.keys else -1

    def function(
        self, compute: Callable[[Vector], float], keys: Sequence[Key]
    ) -> tuple[float, float] | None:
        """A function of some quantities with its sd by central differences; None if unknown."""
        positions = [self.index(key) for key in keys]
        if not positions or min(positions) < 0 or np.isnan(self.value[positions]).any():
            return None
        point = self.value[positions]
        step = np.maximum(np.abs(point), 1e-12) * 1e-6
        slopes = np.array(
            [
                (compute(point + shift) - compute(point - shift)) / (2.0 * step[i])
                for i, shift in enumerate(np.diag(step))
            ]
        )
        loading = slopes @ self.loading[positions]
        own = slopes @ self.covariance[np.ix_(positions, positions)] @ slopes
        # what cancels exactly leaves rounding, which may lie below zero
        return compute(point), float(np.sqrt(max(loading @ loading + own, 0.0)))


def of_month(balance: MonthBalance) -> Statement:
    """Flows and contents of one month."""
    names, found = split(balance)
    value, layout = balance.final.value, balance.layout
    keys, rows, rates = [], [], []
    for key, terms in _quantities(layout):
        amount, slope = _evaluate(terms, value)
        keys.append(key)
        rows.append(amount)
        rates.append(slope)
    slopes = np.zeros((len(keys), len(value)))
    for index, slope in enumerate(rates):
        for position, rate in slope.items():
            slopes[index, position] = rate
    known = np.isfinite(value)
    coherent = np.where(known[:, None], found.coherent, 0.0)
    own = slopes @ np.where(known[:, None], found.own, 0.0)
    return Statement(tuple(keys), np.array(rows), names, slopes @ coherent, own @ own.T)


def total(statements: Sequence[Statement]) -> Statement:
    """Sum over months; a group's loadings add with their sign, own covariances add."""
    keys = tuple(dict.fromkeys(key for s in statements for key in s.keys))
    groups = tuple(sorted({name for s in statements for name in s.groups}))
    row = {key: i for i, key in enumerate(keys)}
    column = {name: i for i, name in enumerate(groups)}
    value, covariance = np.zeros(len(keys)), np.zeros((len(keys), len(keys)))
    loading, seen = np.zeros((len(keys), len(groups))), np.zeros(len(keys))
    for statement in statements:
        rows = [row[key] for key in statement.keys]
        columns = [column[name] for name in statement.groups]
        value[rows] += statement.value
        covariance[np.ix_(rows, rows)] += statement.covariance
        loading[np.ix_(rows, columns)] += statement.loading
        seen[rows] += 1
    value[seen < len(statements)] = np.nan
    return Statement(keys, value, groups, loading, covariance)


def factors(covariance: Vector) -> Vector:
    """Independent errors of unit variance that make up a covariance.

    Parameters
    ----------
    covariance : (n, n) [unit squared]
        Of any rank.

    Returns
    -------
    (n, rank) [unit]
        Loading of each quantity on each error: Cholesky's lower triangle without its null
        columns, so quantities that share nothing share no error.

    Examples
    --------
    >>> factors(np.array([[4.0, 2.0], [2.0, 1.0]])).tolist()
    [[2.0], [1.0]]
    """
    rest, columns = covariance.copy(), []
    for pivot, variance in enumerate(covariance.diagonal()):
        if rest[pivot, pivot] > NULL * variance:
            column = rest[:, pivot] / np.sqrt(rest[pivot, pivot])
            column[:pivot] = 0.0
            rest -= np.outer(column, column)
            columns.append(column)
    return np.array(columns).reshape(-1, len(covariance)).T


Terms = tuple[float, tuple[int, ...]]
"""(coefficient, variables whose product it multiplies)."""


def _quantities(layout: Layout) -> list[tuple[Key, Terms]]:
    found: dict[Key, Terms] = {}
    for position, variable in enumerate(layout.variables):
        if variable.noun == Noun.FLOW:
            found[(variable.where, "")] = (1.0, (position,))
        elif variable.noun == Noun.CONTENT:
            found[(variable.where, variable.element)] = (1.0, (position,))
    _, _, left, right = layout.products
    for i, j in zip(left.tolist(), right.tolist(), strict=True):
        fraction = layout.variables[j]
        found[(fraction.where, fraction.element)] = (1.0, (i, j))
    for stream in layout.network.streams:
        for element, fraction_known, sd in stream.composition:
            position = layout.index(Noun.FLOW, stream.id)
            if sd == 0.0 and position >= 0 and (stream.id, element) not in found:
                found[(stream.id, element)] = (fraction_known, (position,))
    return list(found.items())


def _evaluate(terms: Terms, value: Vector) -> tuple[float, Mapping[int, float]]:
    coefficient, positions = terms
    amount = coefficient * float(np.prod(value[list(positions)]))
    if not np.isfinite(amount):
        return float("nan"), {}
    slope = {
        p: coefficient * float(np.prod([value[q] for q in positions if q != p])) for p in positions
    }
    return amount, slope
