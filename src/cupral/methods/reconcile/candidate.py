"""All gross errors that could be: their signatures in the balances of one or more periods."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from cupral.methods.reconcile.equivalence import collinear
from cupral.methods.reconcile.errors import NonFiniteError, ReconcileError, ShapeError
from cupral.methods.reconcile.problem import Columns, Index, Vector
from cupral.methods.reconcile.reconciliation import Reconciliation
from cupral.methods.reconcile.stack import Stack, stacked

Kind = Literal["bias", "leak"]
KINDS: tuple[Kind, ...] = ("bias", "leak")
SAME = 1e-8
"""Share of its information a candidate must keep beside another to be told apart from it."""
BLURRED = 1e-2
"""The same where signatures are themselves estimated in every period: noise in them would
otherwise part what no measurement can. At 5 sd it is worth half an sd."""


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Signatures of all possible gross errors, biases first."""

    stack: Stack
    columns: Columns
    """Imbalance that one unit of each error makes in each balance of each period, (P, C)."""
    names: Index
    """Stream (bias) or row (leak) of each, (C,)."""
    onset: Index
    """Period in which each begins, (C,)."""
    bias: int
    """How many are biases."""
    label: Index
    """First candidate that points the same way as each; -1 without a signature, (C,)."""
    same: float
    """Share of its information one must keep beside another to be told apart from it."""

    @property
    def directions(self) -> Index:
        """Candidates that can be told apart, (K,)."""
        return np.flatnonzero(self.label == np.arange(len(self.label)))

    @property
    def relative(self) -> Vector:
        """Length of each signature along the first of its direction; 0 without one, (C,)."""
        filled = self.label >= 0
        first = np.zeros(len(self.label))
        first[filled] = self.columns.data[self.columns.indptr[:-1][filled]]
        return np.where(filled, first / np.where(filled, first[self.label], 1.0), 0.0)


def candidates(
    periods: Sequence[Reconciliation],
    *,
    kinds: Iterable[Kind] = KINDS,
    rows: Iterable[int] | None = None,
    proportional: bool = False,
    onset: bool = False,
    lasting: ArrayLike | None = None,
) -> Candidates:
    """Columns of B for biases, of the projector for leaks, stacked over the periods.

    Raises
    ------
    ReconcileError, ShapeError
    """
    chosen = _kinds(kinds)
    streams, height = _shape(periods, chosen)
    leaks = _rows(rows, height) if "leak" in chosen else np.zeros(0, dtype=np.int64)
    biases = np.arange(streams if "bias" in chosen else 0)
    blocks = [
        [_biases(one, proportional)[:, biases], one.system.projector[:, leaks]] for one in periods
    ]
    begins = range(len(periods)) if onset else range(1)
    parts = [_from(blocks, kind, begin) for kind in (0, 1) for begin in begins]
    columns: Columns = sparse.csc_array(sparse.hstack(parts))
    columns.eliminate_zeros()
    columns.sort_indices()
    names = np.concatenate((np.tile(biases, len(begins)), np.tile(leaks, len(begins))))
    starts = [np.repeat(np.arange(len(begins)), len(some)) for some in (biases, leaks)]
    stack = stacked([one.system for one in periods], _lasting(lasting, len(periods), streams))
    estimated = proportional or any(one.iterations > 1 for one in periods)
    return Candidates(
        stack, columns, names, np.concatenate(starts), len(starts[0]), collinear(columns),
        BLURRED if estimated and len(periods) > 1 else SAME,
    )  # fmt: skip


def _lasting(lasting: ArrayLike | None, periods: int, streams: int) -> list[NDArray[np.float64]]:
    """Errors that last, (n, g) for each period."""
    if lasting is None:
        return [np.zeros((streams, 0))] * periods
    errors = np.asarray(lasting, dtype=np.float64)
    if errors.ndim == 2:
        errors = np.broadcast_to(errors, (periods, *errors.shape))
    if errors.ndim != 3 or errors.shape[:2] != (periods, streams):
        raise ShapeError(
            f"lasting has shape {errors.shape}; it must be ({streams}, g), or ({periods}, "
            f"{streams}, g): for each stream one sd of each error that lasts, 0 for none."
        )
    if not np.isfinite(errors).all():
        raise NonFiniteError("lasting must be numbers; give 0 where a stream has no part in it.")
    return list(errors)


def _from(blocks: list[list[Columns]], kind: int, begin: int) -> Columns:
    """Signatures of errors that begin in a period and stay."""
    parts = [block[kind] for block in blocks]
    before = [sparse.csc_array(part.shape) for part in parts[:begin]]
    return sparse.csc_array(sparse.vstack([*before, *parts[begin:]]))


def _biases(period: Reconciliation, proportional: bool) -> Columns:
    """Signature of each stream's bias, empty where it is not measured, (p, n)."""
    system = period.system
    size = period.value[system.measured] if proportional else np.ones(len(system.measured))
    place = (np.arange(len(size)), system.measured)
    spread = sparse.csc_array((size, place), shape=(len(size), len(period.value)))
    return sparse.csc_array(system.balance @ spread)


def _kinds(kinds: Iterable[Kind]) -> frozenset[str]:
    """The kinds asked for, known ones only."""
    chosen = frozenset([kinds] if isinstance(kinds, str) else kinds)
    if unknown := chosen.difference(KINDS):
        raise ReconcileError(f"kinds has {sorted(unknown)}; allowed are {list(KINDS)}.")
    return chosen


def _shape(periods: Sequence[Reconciliation], kinds: frozenset[str]) -> tuple[int, int]:
    """Streams and balances, the same in every period."""
    if not periods:
        raise ReconcileError("there are no periods; give at least one reconciliation.")
    streams = [len(one.value) for one in periods]
    if len(set(streams)) > 1:
        raise ShapeError(
            f"the periods have {streams} streams; all must have the same. Keep a stream that a "
            "period lacks as a column of zeros."
        )
    heights = [one.system.projector.shape[1] for one in periods]
    if "leak" in kinds and len(set(heights)) > 1:
        raise ShapeError(
            f"the periods have {heights} balances; leaks need the same ones in every period. "
            "Keep a balance that a period lacks as a row of zeros, or ask for kinds=('bias',)."
        )
    return streams[0], heights[0]


def _rows(rows: Iterable[int] | None, height: int) -> Index:
    """Rows that may leak."""
    chosen = np.arange(height) if rows is None else np.unique(np.fromiter(rows, np.int64))
    if len(chosen) and not (chosen[0] >= 0 and chosen[-1] < height):
        raise ReconcileError(f"rows must lie in 0..{height - 1}; got {chosen.tolist()[:5]}.")
    return chosen
