"""Factored normal equations ``S = B V B^T``: solve with them, and quadratic forms of S^-1.

`Orthogonal` serves small problems by a QR of the weighted balances (errors grow with the
condition number, not its square, and posterior sd come without cancellation). `Schur` serves
any size by the sparse matrix S itself: factored in one piece, in parts on two cores, or,
where it is too tangled to factor, solved by conjugate gradients, which a sampled factor leads
where the balances are a network of independent meters.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.linalg import lapack, qr

from cupral.methods.reconcile.cholesky import Cholesky, check_pivots, upper_triangle
from cupral.methods.reconcile.compiled import is_compiling
from cupral.methods.reconcile.dissection import Dissected, dissect
from cupral.methods.reconcile.errors import CovarianceError, ScaleError
from cupral.methods.reconcile.front import Fronts, fronts
from cupral.methods.reconcile.gradient import Gradient, gradient
from cupral.methods.reconcile.laplacian import is_network, normal, pairs, weigh
from cupral.methods.reconcile.problem import Columns, Index, Mask, Matrix, Vector
from cupral.methods.reconcile.tangle import ROUGH, Tangle, tangle

DENSE_INVERSE = 300
"""Up to this many balances S is inverted densely instead of on its pattern."""
PLAIN = 2_000
"""Up to this many balances S is factored in one piece, whatever its shape."""
DIVIDED = 20_000
"""From this many balances parts on two cores pay."""
LONG, CHUNK = 24, 64
"""Entries of a column from which one solve is cheaper than all pairs; columns solved at once."""
CANCELLED, BLUR = 1e-4, 1e-8
"""Below this share of the prior, more with small pivots, a difference of variances has lost too
many digits."""
CLEAR, REFINED = 1e-5, 2
"""Smallest pivot whose solutions need no refinement, and how often others are refined."""
AFFORDABLE, BEARABLE = 5e9, 1e13
"""Predicted multiplications up to which S is factored for values, and for uncertainties."""
LED = 2e4
"""The same for the values of a network, for each balance: gradients led by a sampled factor take
a few microseconds of each whatever the shape."""
SMALLEST_ORTHOGONAL = 1e-21
"""Squared diagonal of the scaled triangle below this leaves too few correct digits."""
_EPS = float(np.finfo(np.float64).eps)

Norm: TypeAlias = Callable[[Vector], float]
"""Length of an imbalance."""


class Factor(Protocol):
    """What the statistics ask of a factorisation of ``S = B V B^T``."""

    def solve(self, residual: NDArray[np.float64]) -> NDArray[np.float64]:
        """``S^-1 r`` for a vector or the columns of a matrix."""
        ...

    def correct(self, gap: Vector) -> Vector:
        """``S^-1 r`` for what a solution has left open; a few digits are enough."""
        ...

    @property
    def norm(self) -> Norm | None:
        """How far from the answer [sd] a solution is that leaves an imbalance; None where a factor
        leaves nothing but rounding."""
        ...

    def quadratic(self, columns: Columns) -> Vector:
        """``h^T S^-1 h`` for each sparse column h."""
        ...

    def remainder(
        self, rows: Matrix, prior: Vector, cross: Columns, removed: Vector | None = None
    ) -> Vector:
        """``g V g^T - h^T S^-1 h`` for each row g with its ``h = B V g^T``; the second term may
        be known."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Orthogonal:
    """QR of the weighted balances ``(B L)^T = Q R`` with ``V = L L^T``."""

    inverse: NDArray[np.float64]
    """R^-1, (p, p): products, because threaded triangular solves stall on a busy machine."""
    freedom: NDArray[np.float64]
    """Square root of the posterior covariance of the measured streams, (k, k - p)."""

    def solve(self, residual: NDArray[np.float64]) -> NDArray[np.float64]:
        """``R^-1 R^-T r``."""
        return np.asarray(self.inverse @ (self.inverse.T @ residual))

    def correct(self, gap: Vector) -> Vector:
        """To all digits."""
        return self.solve(gap)

    @property
    def norm(self) -> None:
        """Nothing but rounding is left."""
        return None

    def quadratic(self, columns: Columns) -> Vector:
        """Squared norms of ``R^-T h``."""
        half = self.inverse.T @ columns.toarray()
        return np.asarray(np.einsum("ij,ij->j", half, half))

    def remainder(
        self, rows: Matrix, prior: Vector, cross: Columns, removed: Vector | None = None
    ) -> Vector:
        """Squared norms of the rows in the free directions."""
        del cross, removed
        free = rows @ self.freedom
        result = np.asarray(np.einsum("ij,ij->i", free, free))
        return np.where(result > (64 * _EPS) ** 2 * prior, result, 0.0)


def orthogonal(balance: Columns, variance: Vector, covariance: Columns | None) -> Orthogonal:
    """Factor densely; `balance` has independent rows.

    Raises
    ------
    ScaleError, CovarianceError
    """
    root = np.diag(np.sqrt(variance)) if covariance is None else _root(covariance.toarray())
    rows = balance.shape[0]
    weighted = (balance @ root).T
    q, r = qr(weighted, mode="full", check_finite=False)
    triangle = np.asfortranarray(r[:rows])
    size, norm = np.abs(np.diagonal(triangle)), np.linalg.norm(weighted, axis=0)
    check_pivots((size / np.where(norm > 0, norm, 1.0)) ** 2, SMALLEST_ORTHOGONAL)
    inverse = lapack.dtrtri(triangle)[0] if rows else triangle
    return Orthogonal(inverse, root @ q[:, rows:])


def _root(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cholesky factor of a covariance that `check_covariance` has passed."""
    sd = np.sqrt(np.diagonal(covariance))
    correlation = covariance / np.outer(sd, sd)
    lower, _ = lapack.dpotrf(correlation, lower=1, clean=1)
    return np.asarray(sd[:, None] * lower)


Engine = Cholesky | Dissected | Gradient | Tangle
"""What `Schur` solves with."""


@dataclass(slots=True, eq=False)
class Schur:
    """S scaled to a unit diagonal, with the engine that solves it."""

    scale: Vector
    """1 / sqrt(diag S), (p,)."""
    engine: Engine
    balance: Columns
    """B, (p, k)."""
    variance: Vector
    covariance: Columns | None
    pivot: float = np.inf
    """Least pivot of the scaled S; infinite when nothing was factored."""
    _entries: Any = field(default=None, repr=False)

    def solve(self, residual: NDArray[np.float64]) -> NDArray[np.float64]:
        """Scale, solve column by column, scale back; refined where pivots are small."""
        solved = self._solved(residual)
        for _ in range(REFINED if self.pivot < CLEAR else 0):
            # by its factors S keeps the small weights that its sums have lost
            left = residual - self.balance @ weigh(
                self.balance.T @ solved, self.variance, self.covariance
            )
            solved = solved + self._solved(left)
        return solved

    def correct(self, gap: Vector) -> Vector:
        """To all digits where S is factored."""
        engine = self.engine
        return engine.solve(gap, ROUGH) if isinstance(engine, Tangle) else self.solve(gap)

    @property
    def norm(self) -> Norm | None:
        """``sqrt(r^T S^-1 r)``, about, of a tangled network."""
        return self.engine.norm if isinstance(self.engine, Tangle) else None

    def _solved(self, residual: NDArray[np.float64]) -> NDArray[np.float64]:
        """One solution for each column by the engine."""
        if residual.ndim == 1:
            return np.asarray(self.scale * self.engine.solve(self.scale * residual))
        columns = [self._solved(column) for column in residual.T]
        return np.stack(columns, axis=1) if columns else np.zeros(residual.shape)

    def quadratic(self, columns: Columns) -> Vector:
        """``h^T S^-1 h`` of each column: by entries of the inverse, of long columns by solving."""
        result, long = np.zeros(columns.shape[1]), np.diff(columns.indptr) > LONG
        few = np.flatnonzero(~long)
        result[few] = self._by_entries(columns[:, few] if long.any() else columns)
        for chosen in chunks(np.flatnonzero(long)):
            dense = columns[:, chosen].toarray()
            result[chosen] = np.einsum("ij,ij->j", dense, self.solve(dense))
        return result

    def _by_entries(self, columns: Columns) -> Vector:
        """Sum ``h_i h_k Z_ik`` over the pairs of entries of each column."""
        column, first, second = pairs(columns)
        row, data = columns.indices, columns.data
        size = data * self.scale[row]
        twice = np.where(first == second, 1.0, 2.0)
        weights = twice * size[first] * size[second] * self._inverse(row[first], row[second])
        return np.asarray(np.bincount(column, weights, columns.shape[1]), dtype=np.float64)

    def remainder(
        self, rows: Matrix, prior: Vector, cross: Columns, removed: Vector | None = None
    ) -> Vector:
        """Difference of prior and removed variance; where it cancels, ``f V f^T`` of what the
        balances leave free, ``f = g - h^T S^-1 B``, by one solve a row."""
        left = prior - (self.quadratic(cross) if removed is None else removed)
        blurred = min(max(CANCELLED, BLUR / self.pivot), 1.0)
        for chosen in chunks(np.flatnonzero(left < blurred * prior)):
            solved = self.solve(cross[:, chosen].toarray())
            free = rows[chosen].toarray() - (self.balance.T @ solved).T
            left[chosen] = _spread(free, self.variance, self.covariance)
        dust = 64 * _EPS / min(self.pivot, 1.0)
        return np.where(left > dust**2 * prior, left, 0.0)

    def _inverse(self, row: Index, column: Index) -> Vector:
        """Entries of the inverse of the scaled S."""
        if self._entries is None:
            small = len(self.scale) <= DENSE_INVERSE
            self._entries = DenseEntries(self.engine) if small else self.engine.inverse()
        value, known = self._entries.at(row, column)
        return self._complete(value, row, column, ~known)

    def _complete(self, result: Vector, row: Index, column: Index, missing: Mask) -> Vector:
        """Fill entries off the pattern by solving for their columns."""
        for k in np.unique(column[missing]):
            unit = np.zeros(len(self.scale))
            unit[k] = 1.0
            here = missing & (column == k)
            result[here] = self.engine.solve(unit)[row[here]]
        return result


def _spread(free: NDArray[np.float64], variance: Vector, covariance: Columns | None) -> Vector:
    """``f V f^T`` for each row."""
    if covariance is None:
        return np.asarray(free**2 @ variance)
    return np.asarray(np.einsum("ij,ij->i", free @ covariance, free))


def chunks(chosen: Index) -> Iterator[Index]:
    """A few at a time, so that dense columns stay small."""
    for begin in range(0, len(chosen), CHUNK):
        yield chosen[begin : begin + CHUNK]


class DenseEntries:
    """The whole inverse of a small matrix."""

    __slots__ = ("_whole",)

    def __init__(self, engine: Engine) -> None:
        """Invert the matrix behind an engine densely."""
        upper = engine.matrix.toarray()
        whole = np.linalg.inv(upper + np.triu(upper, 1).T)
        self._whole = 0.5 * (whole + whole.T)

    def at(self, row: Index, column: Index) -> tuple[Vector, Mask]:
        """Entries, all of them known."""
        return self._whole[row, column], np.ones(len(row), dtype=np.bool_)


def schur(
    balance: Columns,
    variance: Vector,
    covariance: Columns | None = None,
    *,
    uncertainty: bool = True,
    former: Factor | None = None,
    network: bool | None = None,
) -> Schur:
    """Assemble S, scale it to a unit diagonal and factor it; `balance` has independent rows.

    Parameters
    ----------
    balance : (p, k) csc, rows ascending
    variance : (k,) [unit squared]
    covariance : (k, k) csc [unit squared], optional
    uncertainty
        Whether entries of the inverse will be asked for.
    former
        Factor of nearly the same balances, which is then used up: its order is kept.
    network
        Whether the balances are a network; looked up by default.

    Raises
    ------
    ScaleError, SizeError
    """
    graph = covariance is None and (is_network(balance) if network is None else network)
    upper = normal(balance, variance, covariance, graph)
    known = _known(former, upper, graph)
    led = graph and is_compiling()
    limit = min(AFFORDABLE, LED * upper.shape[0]) if led and not uncertainty else AFFORDABLE
    large = upper.shape[0] > PLAIN and not known
    crossed = fronts(upper, limit, trees=uncertainty or not led) if large else None
    tangled = crossed and crossed.work > (BEARABLE if uncertainty else limit)
    if leader := known if isinstance(known, Tangle) else crossed if tangled and led else None:
        engine = tangle(upper, balance, variance, leader.fill)
        return Schur(np.ones(upper.shape[0]), engine, balance, variance, None)
    scale = 1.0 / np.sqrt(upper.diagonal())
    upper.data *= scale[upper.indices]
    upper.data *= np.repeat(scale, np.diff(upper.indptr))
    if known and not isinstance(known, Tangle):
        known.update(upper)
    elif crossed and tangled:
        known = gradient(upper, crossed.fill)
    else:
        known = _direct(upper, crossed)
    smallest = known.smallest_pivot()
    check_pivots(np.atleast_1d(smallest))
    return Schur(scale, known, balance, variance, covariance, smallest)


def _known(former: Factor | None, upper: Columns, graph: bool) -> Engine | None:
    """The engine of a former factor of the same pattern."""
    engine = former.engine if isinstance(former, Schur) else None
    if isinstance(engine, Tangle) and not graph:
        return None
    return engine if engine and _same_pattern(engine.matrix, upper) else None


def _direct(scaled: Columns, crossed: Fronts | None) -> Cholesky | Dissected:
    """One piece, or several parts."""
    large = crossed and scaled.shape[0] >= DIVIDED
    parts = dissect(scaled, crossed) if crossed and large else None
    return Cholesky(scaled) if parts is None else Dissected(scaled, parts)


def _same_pattern(one: Columns, other: Columns) -> bool:
    """Whether two csc matrices have their entries in the same places."""
    return (
        one.shape == other.shape
        and one.nnz == other.nnz
        and np.array_equal(one.indptr, other.indptr)
        and np.array_equal(one.indices, other.indices)
    )


def check_covariance(covariance: Columns) -> None:
    """Refuse a covariance under which some combination of measurements has no variance.

    Raises
    ------
    CovarianceError
    """
    scale = sparse.diags_array(1.0 / np.sqrt(covariance.diagonal()))
    correlation = upper_triangle(scale @ covariance @ scale)
    try:
        smallest = min(Cholesky(correlation).smallest_pivot(), 1.0)
    except ScaleError:
        smallest = 0.0
    if smallest < 1e-12:
        raise CovarianceError(
            "covariance is not positive definite among the measured streams; allowed are "
            "correlations that leave every combination some variance. Lower the correlations, "
            "or replace perfectly correlated meters by one."
        )
