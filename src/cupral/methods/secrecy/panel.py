"""Panel: cells that add up, in columns (months, measures) that share one pattern of hidden cells.

A cell is a sum over leaves; the same leaf may count in several cells (totals by city, by product,
by both). What the leaves add up to is known to every reader, so each relation between cells is an
equation in his hands. Columns have the same cells and relations and are otherwise independent;
one pattern hides the same cells in all of them.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from scipy import sparse

from cupral.methods.secrecy.errors import TableError

Vector = np.ndarray[Any, np.dtype[np.float64]]
Indices = np.ndarray[Any, np.dtype[np.int64]]
Mask = np.ndarray[Any, np.dtype[np.bool_]]

CLOSURE = 1e-9
"""Largest residual of a relation, of the largest value in it."""


@dataclass(frozen=True, slots=True)
class Axis:
    """A classification: its members, and the place of each one's parent (-1 = it has none)."""

    members: tuple[Hashable, ...]
    parents: tuple[int, ...]

    @property
    def leaves(self) -> tuple[int, ...]:
        """Places of the members without parts."""
        return tuple(sorted(set(range(len(self.members))) - set(self.parents)))


def axis(tree: Mapping[Hashable, Sequence[Hashable]], top: Hashable) -> Axis:
    """A classification from its tops downwards.

    Examples
    --------
    >>> axis({"all": ["copper", "aluminium"]}, "all")
    Axis(members=('all', 'copper', 'aluminium'), parents=(-1, 0, 0))
    """
    members, parents = [top], [-1]
    for place, member in enumerate(members):
        for part in tree.get(member, ()):
            members.append(part)
            parents.append(place)
    return Axis(tuple(members), tuple(parents))


@dataclass(frozen=True, slots=True)
class Column:
    """What the holders contribute to each cell of one column.

    One entry for each cell and holder (enterprise) that filed something, a zero too.
    """

    value: Vector
    """(n,) sum of each cell."""
    cell: Indices
    holder: Indices
    amount: Vector
    """Entries sorted by cell."""

    @property
    def scale(self) -> float:
        """Largest value, 1 if all are zero."""
        return float(np.abs(self.value).max(initial=0.0)) or 1.0


@dataclass(frozen=True, slots=True)
class Panel:
    """Cells, relations (rows of a matrix that each value must annul) and columns."""

    cells: tuple[Hashable, ...]
    relations: sparse.csr_array
    columns: tuple[Column, ...]
    holders: int

    def __post_init__(self) -> None:
        for number, column in enumerate(self.columns):
            residual = np.abs(self.relations @ column.value)
            if residual.max(initial=0.0) > CLOSURE * column.scale:
                worst = int(residual.argmax())
                raise TableError(
                    f"column {number}: relation {worst} leaves {residual[worst]:g}; a total must"
                    " be the sum of its parts"
                )


@dataclass(frozen=True, slots=True)
class Lattice:
    """All combinations of the members of some classifications, with their relations."""

    cells: tuple[tuple[Hashable, ...], ...]
    relations: sparse.csr_array
    within: sparse.csc_array
    """(cells, cells): 1 where the column's cell is a leaf of the row's."""

    def panel(
        self, leaf: Sequence[Indices], holder: Sequence[Indices], amount: Sequence[Vector],
        holders: int,
    ) -> Panel:  # fmt: skip
        """Columns from the contributions to leaves: place of the leaf, holder, amount."""
        given = zip(leaf, holder, amount, strict=True)
        columns = tuple(column(self.within, *one) for one in given)
        return Panel(self.cells, self.relations, columns, holders)


def lattice(axes: Sequence[Axis]) -> Lattice:
    """Cross some classifications.

    Examples
    --------
    >>> made = lattice([axis({"all": ["x", "y"]}, "all"), axis({"year": ["JF", "03"]}, "year")])
    >>> len(made.cells), made.relations.shape
    (9, (6, 9))
    """
    cells = tuple(product(*(one.members for one in axes)))
    shape = tuple(len(one.members) for one in axes)
    places = np.arange(len(cells)).reshape(shape)
    blocks = [_relations(places, number, one) for number, one in enumerate(axes)]
    relations = sparse.csr_array(sparse.vstack(blocks, format="csr"))
    within = sparse.csc_array(np.ones((1, 1)))
    for one in axes:
        within = sparse.csc_array(sparse.kron(within, _ancestors(one), format="csc"))
    return Lattice(cells, relations, within)


def _relations(places: Any, number: int, one: Axis) -> sparse.csr_array:
    """Each member with parts, at every place on the other axes: whole less parts = 0."""
    rows, columns, signs, count = [], [], [], 0
    for parent in sorted(set(one.parents) - {-1}):
        parts = [place for place, above in enumerate(one.parents) if above == parent]
        whole = places.take(parent, axis=number).ravel()
        numbers = np.arange(count, count + whole.size)
        for place, sign in ((parent, 1.0), *((part, -1.0) for part in parts)):
            rows.append(numbers)
            columns.append(places.take(place, axis=number).ravel())
            signs.append(np.full(whole.size, sign))
        count += whole.size
    if not rows:
        return sparse.csr_array((0, places.size))
    index = (np.concatenate(rows), np.concatenate(columns))
    return sparse.csr_array((np.concatenate(signs), index), shape=(count, places.size))


def _ancestors(one: Axis) -> sparse.csc_array:
    """(members, members): 1 where the row is the leaf of the column or stands above it."""
    size = len(one.members)
    found = np.zeros((size, size))
    for leaf in one.leaves:
        place = leaf
        while place >= 0:
            found[place, leaf] = 1.0
            place = one.parents[place]
    return sparse.csc_array(found)


def column(
    within: sparse.csc_array, leaf: Indices, holder: Indices, amount: Vector
) -> Column:  # fmt: skip
    """Carry contributions to leaves up to every cell that counts them.

    Several contributions of one holder to one cell are added; a zero that somebody filed stays
    an entry.
    """
    starts, ends = within.indptr[leaf], within.indptr[leaf + 1]
    counts = ends - starts
    source = np.repeat(np.arange(leaf.size), counts)
    offset = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    cells = within.indices[np.repeat(starts, counts) + offset].astype(np.int64)
    return entries(within.shape[0], cells, holder[source], amount[source])


def entries(size: int, cell: Indices, holder: Indices, amount: Vector) -> Column:
    """A column from contributions to cells, each pair of cell and holder once.

    Examples
    --------
    >>> made = entries(1, np.array([0, 0, 0]), np.array([4, 2, 4]), np.array([1.0, 2.0, 3.0]))
    >>> made.value.tolist(), made.holder.tolist(), made.amount.tolist()
    ([6.0], [2, 4], [2.0, 4.0])
    """
    if not (cell.shape == holder.shape == amount.shape):
        raise TableError("cells, holders and amounts differ in length; give one of each an entry")
    if not np.isfinite(amount).all():
        raise TableError("an amount is NaN or infinite; leave out what nobody filed")
    width = int(holder.max(initial=0)) + 1
    keys, place = np.unique(cell.astype(np.int64) * width + holder, return_inverse=True)
    summed = np.bincount(place, weights=amount, minlength=keys.size).astype(float)
    value = np.bincount(keys // width, weights=summed, minlength=size).astype(float)
    return Column(value, keys // width, keys % width, summed)
