"""Nonlinear balances, ready made: sums of power products, and flows times compositions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from cupral.methods.reconcile.errors import NonFiniteError, ShapeError
from cupral.methods.reconcile.problem import Index, Matrix, Vector, check_matrix

Term = tuple[float, Mapping[int, float]] | Sequence[Any]
"""Coefficient and power of each variable: ``(2.0, {0: 1, 3: 0.5})`` is 2 x0 sqrt(x3)."""


class Constraint(Protocol):
    """Balances f(x) = 0 with their derivatives."""

    def __call__(self, x: Vector, /) -> tuple[Vector, Any]:
        """Residual f, (m,), and Jacobian df/dx, (m, n) sparse or dense, at x (n,)."""


class Polynomial:
    """Balances that are sums of power products, ``sum_t c_t prod_i x_i^p_ti = 0``.

    Parameters
    ----------
    balances
        One list of terms a balance; a term is ``[coefficient, {variable index: power}]``,
        powers may be negative or fractional; ``{}`` is a constant.
    variables
        Number of variables n.

    Raises
    ------
    ShapeError, NonFiniteError

    Examples
    --------
    >>> area = Polynomial([[[1.0, {0: 1, 1: 1}], [-12.0, {}]]], variables=2)
    >>> f, jacobian = area(np.array([3.0, 5.0]))
    >>> f.tolist(), jacobian.toarray().tolist()
    ([3.0], [[5.0, 3.0]])
    """

    __slots__ = ("_coefficient", "_power", "_row", "_variable", "shape")

    def __init__(self, balances: Sequence[Sequence[Term]], *, variables: int) -> None:
        """Flatten the terms to arrays, padded to the longest product."""
        terms = [(row, *term) for row, balance in enumerate(balances) for term in balance]
        width = max((len(powers) for *_, powers in terms), default=0)
        self.shape = (len(balances), variables)
        self._row = np.array([row for row, *_ in terms], dtype=np.int64)
        self._coefficient = np.array([c for _, c, _ in terms], dtype=np.float64)
        self._variable = np.zeros((len(terms), width), dtype=np.int64)
        self._power = np.zeros((len(terms), width))
        for t, (*_, powers) in enumerate(terms):
            self._variable[t, : len(powers)] = list(powers.keys())
            self._power[t, : len(powers)] = list(powers.values())
        self._check()

    def _check(self) -> None:
        """Indices in range, numbers finite."""
        used = self._variable[self._power != 0]
        if used.size and not (used.min() >= 0 and used.max() < self.shape[1]):
            raise ShapeError(
                f"a term names variable {used.max() if used.max() >= self.shape[1] else used.min()}"
                f"; allowed are 0..{self.shape[1] - 1}. Correct the term, or raise `variables`."
            )
        if not (np.isfinite(self._coefficient).all() and np.isfinite(self._power).all()):
            raise NonFiniteError("a term has a coefficient or power that is not a finite number.")

    def __call__(self, x: Vector, /) -> tuple[Vector, Matrix]:
        """Residual (m,) and Jacobian (m, n) at x (n,)."""
        base = x[self._variable]
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            factor = np.where(self._power == 0, 1.0, base**self._power)
            slope = np.where(self._power == 0, 0.0, self._power * base ** (self._power - 1.0))
            product = self._coefficient * factor.prod(axis=1)
            entries = self._coefficient[:, None] * slope * _others(factor)
        residual: Vector = np.zeros(self.shape[0])
        np.add.at(residual, self._row, product)
        used = self._power != 0
        rows = np.broadcast_to(self._row[:, None], used.shape)[used]
        place = (rows, self._variable[used])
        return residual, sparse.csr_array((entries[used], place), shape=self.shape)


def _others(factor: NDArray[np.float64]) -> NDArray[np.float64]:
    """For each entry the product of the other entries of its row, also where some are zero."""
    result = np.ones_like(factor)
    for i in range(factor.shape[1]):
        for j in range(factor.shape[1]):
            if i != j:
                result[:, i] *= factor[:, j]
    return result


@dataclass(frozen=True, slots=True)
class BalanceRow:
    """What one row of a `Bilinear` constraint balances."""

    node: int
    """Process, from 0; -1 for the composition of a stream."""
    element: int
    """Element, from 0; -1 for total mass and for compositions."""
    stream: int
    """Stream whose fractions sum to one; -1 for balances."""


class Bilinear:
    """Total-mass and element balances of a network of streams with compositions.

    Variables are the n_s flows [kg], then one fraction [1] for each pair (stream, element)
    present. Rows are the total-mass balances, then the element balances
    ``sum_s A[node, s] flow_s fraction_(s, element) = 0`` node by node, then
    ``sum_e fraction_(s, e) = 1`` for the closed streams. A pair left out counts as zero: give
    unknown compositions as unmeasured pairs. Dependent rows do no harm.

    Parameters
    ----------
    incidence : (nodes, n_s) sparse or dense
        +1 in, -1 out.
    stream, element : (pairs,) int
        The pairs present, in the order of the fraction variables.
    mass : (nodes,) bool, optional
        Nodes with a total-mass balance; all by default.
    elements : (nodes, n_e) bool, optional
        Element balances to hold; all that meet a pair by default.
    closed : streams whose fractions sum to one, optional

    Raises
    ------
    ShapeError, NonFiniteError

    Examples
    --------
    >>> mixer = Bilinear([[1, 1, -1]], stream=[0, 1, 2], element=[0, 0, 0])
    >>> f, _ = mixer(np.array([3.0, 1.0, 4.0, 0.2, 0.6, 0.3]))
    >>> f.round(12).tolist()
    [0.0, 0.0]
    """

    __slots__ = ("_entry", "_layout", "_linear", "_pair", "_row", "_stream", "rows", "shape")

    def __init__(
        self,
        incidence: Any,
        *,
        stream: ArrayLike,
        element: ArrayLike,
        mass: ArrayLike | None = None,
        elements: ArrayLike | None = None,
        closed: Sequence[int] = (),
    ) -> None:
        """Join the network with the pairs once; calls are then pure array arithmetic."""
        network = check_matrix(incidence, "incidence")
        owner, kind = _pairs(stream, element, network.shape[1])
        nodes = np.flatnonzero(_flags(mass, (network.shape[0],), "mass"))
        node, self._pair, self._entry = _join(network, owner, kind, elements)
        self._stream = owner
        width = int(kind.max(initial=-1)) + 1
        keys, row = np.unique(node * width + kind[self._pair], return_inverse=True)
        self._row = np.asarray(row, dtype=np.int64).ravel()
        closing = np.unique(np.asarray(closed, dtype=np.int64))
        self.shape = (len(nodes) + len(keys) + len(closing), network.shape[1] + len(owner))
        self._linear = _linear(network[nodes], _closing(owner, closing), len(keys))
        self._layout = self._place(len(nodes), network.shape[1])
        self.rows = (
            *(BalanceRow(int(n), -1, -1) for n in nodes),
            *(BalanceRow(int(k // width), int(k % width), -1) for k in keys),
            *(BalanceRow(-1, -1, int(s)) for s in closing),
        )

    def _place(self, above: int, streams: int) -> tuple[Index, Index, Index]:
        """Order of all entries of the Jacobian in csr, its columns and its row pointers."""
        linear = self._linear[0].tocoo()
        row = np.concatenate((linear.coords[0], np.tile(self._row + above, 2)))
        carrier = self._stream[self._pair]
        column = np.concatenate((linear.coords[1], carrier, streams + self._pair))
        order = np.lexsort((column, row))
        indptr = np.searchsorted(row[order], np.arange(self.shape[0] + 1))
        return order, column[order].astype(np.int32), indptr.astype(np.int32)

    def __call__(self, x: Vector, /) -> tuple[Vector, Matrix]:
        """Residual (m,) and Jacobian (m, n) at flows and fractions x (n,)."""
        linear, constant, above = self._linear
        flow, fraction = x[: len(x) - len(self._stream)], x[len(x) - len(self._stream) :]
        carrier = self._stream[self._pair]
        by_flow, by_fraction = self._entry * fraction[self._pair], self._entry * flow[carrier]
        residual = np.asarray(linear @ x) - constant
        element = np.bincount(self._row, by_flow * flow[carrier])
        residual[above : above + len(element)] += element
        order, column, indptr = self._layout
        entries = np.concatenate((linear.data, by_flow, by_fraction))[order]
        return residual, sparse.csr_array((entries, column, indptr), shape=self.shape)


def _linear(mass: Matrix, closing: Matrix, between: int) -> tuple[Matrix, Vector, int]:
    """The linear rows with `between` empty ones amid, their constants, and where these begin."""
    rows = [
        sparse.hstack([mass, sparse.csr_array((mass.shape[0], closing.shape[1]))]),
        sparse.csr_array((between, mass.shape[1] + closing.shape[1])),
        sparse.hstack([sparse.csr_array((closing.shape[0], mass.shape[1])), closing]),
    ]
    constant = np.zeros(mass.shape[0] + between + closing.shape[0])
    constant[mass.shape[0] + between :] = 1.0
    return sparse.csr_array(sparse.vstack(rows)), constant, mass.shape[0]


def _pairs(stream: ArrayLike, element: ArrayLike, streams: int) -> tuple[Index, Index]:
    """The pairs present, each once."""
    owner, kind = np.asarray(stream, dtype=np.int64), np.asarray(element, dtype=np.int64)
    if owner.shape != kind.shape or owner.ndim != 1:
        raise ShapeError(f"stream {owner.shape} and element {kind.shape} must be equally long.")
    if owner.size and not (owner.min() >= 0 and owner.max() < streams and kind.min() >= 0):
        raise ShapeError(f"stream must lie in 0..{streams - 1} and element must not be negative.")
    if len(np.unique(np.stack((owner, kind)), axis=1).T) < len(owner):
        raise ShapeError("a pair (stream, element) occurs twice; give each pair once.")
    return owner, kind


def _flags(values: ArrayLike | None, shape: tuple[int, ...], name: str) -> NDArray[np.bool_]:
    """A mask of the expected shape, all true by default."""
    if values is None:
        return np.ones(shape, dtype=np.bool_)
    result = np.asarray(values, dtype=np.bool_)
    if result.shape != shape:
        raise ShapeError(f"{name} has shape {result.shape}; it must be {shape}.")
    return result


def _join(
    network: Matrix, owner: Index, kind: Index, elements: ArrayLike | None
) -> tuple[Index, Index, Vector]:
    """Node, pair and sign of every product flow x fraction in the element balances."""
    presence = sparse.csr_array(
        (np.ones(len(owner)), (owner, np.arange(len(owner)))),
        shape=(network.shape[1], len(owner)),
    )
    product = sparse.coo_array(network @ presence)
    node, pair = (np.asarray(i, dtype=np.int64) for i in product.coords)
    width = int(kind.max(initial=-1)) + 1
    keep = _flags(elements, (network.shape[0], width), "elements")[node, kind[pair]]
    return node[keep], pair[keep], product.data[keep]


def _closing(owner: Index, closing: Index) -> Matrix:
    """Rows that add up the fractions of the closed streams."""
    row, pair = np.nonzero(closing[:, None] == owner[None, :])
    if len(np.unique(row)) < len(closing):
        missing = closing[np.setdiff1d(np.arange(len(closing)), row)]
        raise ShapeError(f"closed streams {missing.tolist()} have no fraction; list their pairs.")
    return sparse.csr_array((np.ones(len(row)), (row, pair)), shape=(len(closing), len(owner)))
