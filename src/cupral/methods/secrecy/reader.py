"""Readers: what each of them knows of a column besides what is published.

A reader holds every published cell, every relation, and that no amount is negative (unless the
column has a negative one: then nobody can know that). An enterprise holds its own contributions
too: a cell is at least what it gave itself, and a cell to which nobody else contributes is known
to it. What he does not know is a *doubt*: a change d of the table that annuls every relation,
touches hidden cells only, and lowers no cell below what he knows of it. Any step along d within
his room is a table he cannot tell from the true one.
"""

from dataclasses import dataclass

import numpy as np

from cupral.methods.secrecy.panel import Column, Mask, Panel, Vector
from cupral.methods.secrecy.rule import Rule, Sensitivity, sensitivity

NOBODY = -1
"""The reader who contributes nothing."""
SLACK = 1e-7
"""Relative tolerance of a protection level."""


@dataclass(frozen=True, slots=True)
class View:
    """A column as its readers see it: numbers of readers are those of holders, the last is nobody.

    Every step and level is counted in the column's own unit.
    """

    column: Column
    sensitivity: Sensitivity
    targets: np.ndarray
    """(p,) places of sensitive cells, those that need the largest doubt first."""
    room: Vector
    """(n,) how far a cell can be lowered for a reader who contributes nothing."""
    room_of_entry: Vector
    """(m,) the same for each contributor of a cell: what the others gave."""
    robust: Vector
    """(n,) how far a cell can be moved whoever reads: 0 where somebody knows it."""
    up: np.ndarray
    """(p, readers) how far a target must be able to be higher."""
    down: np.ndarray
    """(p, readers) how far lower; never more than is possible."""


def views(panel: Panel, rule: Rule) -> tuple[View, ...]:
    """All columns of a panel as their readers see them."""
    return tuple(_view(column, panel.holders, rule) for column in panel.columns)


def _view(column: Column, holders: int, rule: Rule) -> View:
    found = sensitivity(column, rule)
    signed = bool((column.amount < 0).any())
    filed = np.bincount(column.cell, minlength=column.value.size)
    room = np.full(column.value.size, np.inf) if signed else column.value.copy()
    room[filed == 0] = 0.0
    others = np.full(column.amount.size, np.inf) if signed else (
        np.maximum(column.value[column.cell] - column.amount, 0.0))  # fmt: skip
    others[found.sole] = 0.0
    robust = room.copy()
    np.minimum.at(robust, column.cell, others)
    targets = np.flatnonzero(found.primary)
    targets = targets[np.argsort(-found.level[targets], kind="stable")]
    up = np.repeat(found.level[targets, None], holders + 1, axis=1)
    place = np.full(column.value.size, -1)
    place[targets] = np.arange(targets.size)
    mine = found.primary[column.cell]
    rows, who = place[column.cell[mine]], column.holder[mine]
    up[rows, who] = found.level_of_entry[mine]
    down = np.minimum(up, np.where(np.isfinite(room), room, np.inf)[targets, None])
    down[rows, who] = np.minimum(up[rows, who], others[mine])
    return View(column, found, targets, room, others, robust, up, down)


def known_to(view: View, reader: int) -> tuple[Vector, Mask]:
    """How far each cell can be lowered for a reader, and which cells he knows."""
    room = view.room.copy()
    known = np.bincount(view.column.cell, minlength=room.size) == 0
    mine = view.column.holder == reader
    room[view.column.cell[mine]] = view.room_of_entry[mine]
    known[view.column.cell[mine & view.sensitivity.sole]] = True
    return room, known


def steps(view: View, doubt: Vector) -> tuple[Vector, Vector]:
    """How far each reader can imagine the table moved along a doubt, and against it.

    Returns
    -------
    two (readers,) arrays of steps; 0 for a reader who knows a cell that the doubt moves.
    """
    moved = doubt != 0
    readers = view.up.shape[1]
    along = np.full(readers, _least(view.room, moved & (doubt < 0), doubt))
    against = np.full(readers, _least(view.room, moved & (doubt > 0), doubt))
    touched = np.flatnonzero(moved[view.column.cell])
    cells, who = view.column.cell[touched], view.column.holder[touched]
    size = np.abs(doubt[cells])
    limit = view.room_of_entry[touched] / size
    sole = view.sensitivity.sole[touched]
    falls = (doubt[cells] < 0) | sole
    np.minimum.at(along, who[falls], limit[falls])
    rises = (doubt[cells] > 0) | sole
    np.minimum.at(against, who[rises], limit[rises])
    return along, against


def _least(room: Vector, chosen: Mask, doubt: Vector) -> float:
    return float((room[chosen] / np.abs(doubt[chosen])).min(initial=np.inf))
