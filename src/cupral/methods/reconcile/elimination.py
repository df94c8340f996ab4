"""Exact elimination of unmeasured streams by projection, one connected block at a time.

For ``A_U x_U = c`` it finds a projector P whose rows span the left null space of A_U
(``P A_U = 0``), an operator T with ``x_U = T c``, and which x_U are determined. In a plain
network P merges the processes that unmeasured streams join; those joined to the outside lose
their balance. Other blocks are dense.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from cupral.methods.reconcile.echelon import resolve
from cupral.methods.reconcile.errors import SizeError
from cupral.methods.reconcile.forest import span
from cupral.methods.reconcile.laplacian import plain
from cupral.methods.reconcile.problem import Columns, Index, Mask, Matrix, Vector
from cupral.methods.reconcile.solver import Solver

BLOCK_LIMIT = 3000
"""Largest number of rows or unmeasured streams of one connected block that is no network."""


@dataclass(frozen=True, slots=True, eq=False)
class Elimination:
    """What is left of the balances, and how the unmeasured streams follow."""

    projector: Matrix | Columns
    """P, (p, m): rows free of unmeasured streams."""
    solver: Solver
    """T, (u, m): unmeasured streams from the right-hand side; of all solutions the one of least
    norm, in a plain network the one along a spanning forest."""
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
        place = (np.concatenate(self.rows), np.concatenate(self.columns))
        result: Matrix = sparse.csr_array((np.concatenate(self.values), place), shape=shape)
        result.eliminate_zeros()
        return result


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
        One connected block that is no plain network is larger than `BLOCK_LIMIT`.
    ScaleError
        Unmeasured streams depend on each other by factors that leave double precision.

    Source
    ------
    Crowe, Garcia Campos, Hrymak 1983, AIChE J. 29:881 (projection matrix); Mah, Stanley,
    Downing 1976, Ind. Eng. Chem. Process Des. Dev. 15:175 (merged nodes, cycles).

    Examples
    --------
    >>> found = eliminate(sparse.csc_array([[-1.0], [1.0], [0.0]]), np.ones(3))
    >>> found.projector.toarray().tolist(), found.observable.tolist()
    ([[1.0, 1.0, 0.0], [0.0, 0.0, 1.0]], [True])
    """
    rows, streams = unmeasured.shape
    if not streams:
        nothing = Solver((sparse.csr_array((0, rows), dtype=np.float64),))
        identity: Columns = sparse.eye_array(rows, format="csc")
        return Elimination(identity, nothing, np.zeros(0, dtype=np.bool_), 0, None)
    part = _parts(unmeasured)
    dense = np.zeros(part.max() + 1, dtype=np.bool_)
    dense[part[rows:][~plain(unmeasured)]] = True
    network = _merge(unmeasured, part, dense)
    if not dense.any():
        return network
    return _join(network, _resolve(unmeasured, row_scale, part, dense))


def _parts(unmeasured: Columns) -> Index:
    """Which connected part each of the m balances and then each of the u streams belongs to."""
    rows, streams = unmeasured.shape
    column = np.repeat(np.arange(streams), np.diff(unmeasured.indptr))
    graph = sparse.coo_array(
        (np.ones(len(column)), (unmeasured.indices, rows + column)), shape=(rows + streams,) * 2
    )
    label: Index = connected_components(graph, directed=False)[1]
    return label


def _merge(unmeasured: Columns, part: Index, dense: Mask) -> Elimination:
    """All parts that are plain networks: one balance for each that does not touch the outside."""
    rows, streams = unmeasured.shape
    gone = dense.copy()
    gone[part[rows:][np.diff(unmeasured.indptr) == 1]] = True
    kept = np.flatnonzero(~gone[part[:rows]])
    names, root, group = np.unique(part[kept], return_index=True, return_inverse=True)
    projector = sparse.csr_array((np.ones(len(kept)), (group, kept)), shape=(len(names), rows))
    place = np.flatnonzero(~dense[part[rows:]])
    forest = span(unmeasured[:, place], kept[root])
    hung = place[forest.stream]
    entry = (1.0 / forest.coefficient, (hung, forest.process))
    first = sparse.csr_array(entry, shape=(streams, rows))
    observable = np.zeros(streams, dtype=np.bool_)
    observable[hung] = forest.bridge
    return Elimination(projector, Solver((first, *forest.sums())), observable, len(hung), None)


def _resolve(unmeasured: Columns, row_scale: Vector, part: Index, dense: Mask) -> Elimination:
    """All parts that are no networks, each a dense block."""
    rows, streams = unmeasured.shape
    projector, solver, bound = (_Triplets([], [], []) for _ in range(3))
    observable = np.zeros(streams, dtype=np.bool_)
    height, rank = 0, 0
    for balances, places in _blocks(part, dense, rows):
        block, scale = _dense(unmeasured, balances, places), row_scale[balances]
        inner, column_scale = equilibrate(scale[:, None] * block)
        scale = inner * scale
        found = resolve(scale[:, None] * block * column_scale)
        new = np.arange(height, height + len(found.left))
        projector.add(new, balances, found.left * scale)
        bound.add(new, balances, found.rounding * scale)
        solver.add(places, balances, found.inverse * column_scale[:, None] * scale)
        observable[places] = found.determined
        height, rank = height + len(new), rank + len(balances) - len(new)
    noise = bound.matrix((height, rows)) if height else None
    inverse = Solver((solver.matrix((streams, rows)),))
    return Elimination(projector.matrix((height, rows)), inverse, observable, rank, noise)


def _blocks(part: Index, dense: Mask, rows: int) -> list[tuple[Index, Index]]:
    """Balances and streams of each dense part."""
    order = np.argsort(part, kind="stable")
    order = order[dense[part[order]]]
    cuts = np.flatnonzero(np.diff(part[order])) + 1
    pieces = np.split(order, cuts)
    return [(piece[piece < rows], piece[piece >= rows] - rows) for piece in pieces]


def _dense(matrix: Columns, rows: Index, streams: Index) -> NDArray[np.float64]:
    """One block as a dense array."""
    if max(len(rows), len(streams)) > BLOCK_LIMIT:
        raise SizeError(
            f"unmeasured streams join {len(rows)} balances by {len(streams)} streams in one "
            f"block (first row {rows[0]}); allowed are {BLOCK_LIMIT}. Measure or estimate some "
            "of these streams, or reconcile the sites separately."
        )
    local = np.zeros((len(rows), len(streams)))
    for position, stream in enumerate(streams):
        span = slice(matrix.indptr[stream], matrix.indptr[stream + 1])
        local[np.searchsorted(rows, matrix.indices[span]), position] = matrix.data[span]
    return local


def _join(network: Elimination, blocks: Elimination) -> Elimination:
    """Both together; they share no balance and no stream."""
    first, *sums = network.solver.factors
    noise = blocks.bound
    if noise is not None:
        exact = sparse.csr_array(network.projector.shape, dtype=np.float64)
        noise = sparse.vstack((exact, noise), format="csr")
    return Elimination(
        sparse.vstack((network.projector, blocks.projector), format="csr"),
        Solver((sparse.csr_array(first + blocks.solver.factors[0]), *sums)),
        network.observable | blocks.observable,
        network.rank + blocks.rank,
        noise,
    )


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
