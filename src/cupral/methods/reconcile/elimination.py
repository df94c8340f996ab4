"""Exact elimination of unmeasured streams by projection, one connected block at a time.

For ``A_U x_U = c`` it finds a projector P whose rows span the left null space of A_U
(``P A_U = 0``), an operator T with ``x_U = T c`` (least norm), and which x_U are determined.
In a plain network P merges the processes that unmeasured streams join; those joined to the
outside lose their balance.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.linalg import qr, solve_triangular
from scipy.sparse.csgraph import connected_components

from cupral.methods.reconcile.errors import SizeError
from cupral.methods.reconcile.problem import Columns, Index, Mask, Matrix, Vector

RANK_TOLERANCE = 1e-10
"""Singular values below this share of the largest count as zero (after scaling)."""
BLOCK_LIMIT = 3000
"""Largest number of rows or unmeasured streams of one connected block."""


@dataclass(frozen=True, slots=True, eq=False)
class Elimination:
    """What is left of the balances, and how the unmeasured streams follow."""

    projector: Matrix | Columns
    """P, (p, m): rows free of unmeasured streams."""
    solver: Matrix
    """T, (u, m): unmeasured streams from the right-hand side, least norm."""
    observable: Mask
    """(u,): determined by the measured streams."""
    rank: int
    """Rank of A_U."""
    bound: Matrix | None
    """Size (p, m) to which entries of P are rounded, in units of machine precision; None when
    P is exact, as in plain networks."""


@dataclass(slots=True)
class _Triplets:
    """Entries of a growing sparse matrix."""

    rows: list[Index]
    columns: list[Index]
    values: list[Vector]

    def add(self, rows: Index, columns: Index, values: NDArray[np.float64]) -> None:
        """Append a dense block."""
        self.rows.append(np.repeat(rows, len(columns)))
        self.columns.append(np.tile(columns, len(rows)))
        self.values.append(values.ravel())

    def matrix(self, shape: tuple[int, int]) -> Matrix:
        """The finished matrix."""
        if not self.rows:
            return sparse.csr_array(shape, dtype=np.float64)
        place = (np.concatenate(self.rows), np.concatenate(self.columns))
        return sparse.csr_array((np.concatenate(self.values), place), shape=shape)


def eliminate(unmeasured: Columns, row_scale: Vector) -> Elimination:
    """Project unmeasured streams out of the balances.

    Parameters
    ----------
    unmeasured : (m, u) csc
        Columns of the incidence that belong to unmeasured streams.
    row_scale : (m,)
        Powers of two that bring all balances near unit size.

    Raises
    ------
    SizeError
        One connected block of unmeasured streams is larger than `BLOCK_LIMIT`.

    Source
    ------
    Crowe, Garcia Campos, Hrymak 1983, AIChE J. 29:881 (projection matrix).
    """
    rows, streams = unmeasured.shape
    if not streams:
        nothing = sparse.csr_array((0, rows), dtype=np.float64)
        identity: Columns = sparse.eye_array(rows, format="csc")
        return Elimination(identity, nothing, np.zeros(0, dtype=np.bool_), 0, None)
    projector, solver, bound = (_Triplets([], [], []) for _ in range(3))
    observable = np.zeros(streams, dtype=np.bool_)
    touched = np.zeros(rows, dtype=np.bool_)
    touched[unmeasured.indices] = True
    free = np.flatnonzero(~touched)
    projector.rows.append(np.arange(len(free)))
    projector.columns.append(free)
    projector.values.append(np.ones(len(free)))
    height, rank, exact = len(free), 0, True
    for block_rows, block_streams in _blocks(unmeasured):
        block, scale = _dense(unmeasured, block_rows, block_streams), row_scale[block_rows]
        plain = _is_network(block)
        left, inverse, seen, rounded = _solve_block(block, plain, scale)
        exact = exact and (plain or not len(left))
        new = np.arange(height, height + len(left))
        projector.add(new, block_rows, left)
        bound.add(new, block_rows, rounded)
        solver.add(block_streams, block_rows, inverse)
        observable[block_streams] = seen
        height, rank = height + len(left), rank + len(block_rows) - len(left)
    p, t = projector.matrix((height, rows)), solver.matrix((streams, rows))
    p.eliminate_zeros()
    noise = None if exact else bound.matrix((height, rows))
    return Elimination(p, t, observable, rank, noise)


def _blocks(unmeasured: Columns) -> list[tuple[Index, Index]]:
    """Rows and streams of each connected block that holds a coefficient."""
    rows, streams = unmeasured.shape
    if not unmeasured.nnz:
        return []
    column = np.repeat(np.arange(streams), np.diff(unmeasured.indptr))
    graph = sparse.coo_array(
        (np.ones(len(column)), (unmeasured.indices, rows + column)), shape=(rows + streams,) * 2
    )
    _, label = connected_components(graph, directed=False)
    order = np.argsort(label, kind="stable")
    cuts = np.flatnonzero(np.diff(label[order])) + 1
    parts = [part for part in np.split(order, cuts) if len(part) > 1]
    return [(part[part < rows], part[part >= rows] - rows) for part in parts]


def _dense(matrix: Columns, rows: Index, streams: Index) -> NDArray[np.float64]:
    """One block as a dense array."""
    if max(len(rows), len(streams)) > BLOCK_LIMIT:
        raise SizeError(
            f"unmeasured streams join {len(rows)} balances by {len(streams)} streams in one "
            f"block (first row {rows[0]}); allowed are {BLOCK_LIMIT}. Measure or estimate some "
            "of these streams, or reconcile the sites separately."
        )
    local = np.empty((len(rows), len(streams)))
    local[:] = 0.0
    for position, stream in enumerate(streams):
        span = slice(matrix.indptr[stream], matrix.indptr[stream + 1])
        local[np.searchsorted(rows, matrix.indices[span]), position] = matrix.data[span]
    return local


def _solve_block(
    block: NDArray[np.float64], plain: bool, scale: Vector
) -> tuple[NDArray[np.float64], ...]:
    """Left null space, least-norm inverse, observability and rounding of one dense block."""
    if block.shape == (1, 1):
        return np.zeros((0, 1)), 1.0 / block, np.ones(1, dtype=np.bool_), np.zeros((0, 1))
    inner, column_scale = equilibrate(scale[:, None] * block)
    row_scale = inner * scale
    u, s, vt = np.linalg.svd(row_scale[:, None] * block * column_scale, full_matrices=True)
    rank = int(np.count_nonzero(s > RANK_TOLERANCE * s[0]))
    inverse = (vt[:rank].T / s[:rank]) @ u[:, :rank].T
    inverse[np.abs(inverse) < 1e-14] = 0.0  # rounding where nothing depends on the row
    inverse *= column_scale[:, None] * row_scale
    seen = np.linalg.norm(vt[rank:], axis=0) < 1e-8
    if plain:
        left = np.ones((len(block) - rank, len(block)))
    else:
        left = _left_null_space(row_scale[:, None] * block * column_scale, rank) * row_scale
    return left, inverse, seen, np.zeros_like(left) if plain else np.ones_like(left) * row_scale


def _left_null_space(block: NDArray[np.float64], rank: int) -> NDArray[np.float64]:
    """One row for each dependent row of a block: that row less the independent ones it repeats.

    An orthonormal basis would mix balances of unlike size, and their rounding with them.
    """
    triangle, pivot = qr(block.T, mode="r", pivoting=True, check_finite=False)
    combined = solve_triangular(triangle[:rank, :rank], triangle[:rank, rank:])
    left = np.zeros((len(block) - rank, len(block)))
    left[:, pivot[:rank]] = np.where(np.abs(combined) < 1e-14, 0.0, -combined).T
    left[np.arange(len(left)), pivot[rank:]] = 1.0
    return left


def _is_network(block: NDArray[np.float64]) -> bool:
    """Every column leaves one process and enters another with the same coefficient, or one only."""
    filled = np.count_nonzero(block, axis=0)
    total = block.sum(axis=0)
    return bool(np.all((filled == 1) | ((filled == 2) & (total == 0.0))))


def balance_scale(columns: Columns, unmeasured: Index) -> Vector:
    """Powers of two (m,) that bring the rows of a sparse matrix near unit size.

    Ones when nothing is to be eliminated, or the coefficients are of similar size already, as
    in plain networks.
    """
    scale = np.ones(columns.shape[0])
    if not len(unmeasured):
        return scale
    size = np.abs(columns.data)
    if not size.size or size.max() <= 16.0 * size.min():
        return scale
    column = np.repeat(np.arange(columns.shape[1]), np.diff(columns.indptr))
    width = np.ones(columns.shape[1])
    for _ in range(4):
        scaled = scale[columns.indices] * size * width[column]
        tall, wide = np.zeros_like(scale), np.zeros_like(width)
        np.maximum.at(tall, columns.indices, scaled)
        np.maximum.at(wide, column, scaled)
        scale *= _halving(tall)
        width *= _halving(wide)
    return scale


def equilibrate(block: NDArray[np.float64]) -> tuple[Vector, Vector]:
    """Powers of two that bring the rows and columns of a block near unit size.

    Source
    ------
    Ruiz 2001, RAL-TR-2001-034 (simultaneous scaling by square roots of the maxima).
    """
    size = np.abs(block)
    row_scale, column_scale = np.ones(block.shape[0]), np.ones(block.shape[1])
    for _ in range(4):
        scaled = row_scale[:, None] * size * column_scale
        row_scale *= _halving(scaled.max(axis=1, initial=0.0))
        column_scale *= _halving(scaled.max(axis=0, initial=0.0))
    return row_scale, column_scale


def _halving(size: Vector) -> Vector:
    """The power of two nearest to 1 / sqrt(size), 1 where size is zero."""
    return np.exp2(-np.round(0.5 * np.log2(np.where(size > 0, size, 1.0))))
