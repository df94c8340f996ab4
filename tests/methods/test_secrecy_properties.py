"""Laws of secrecy on random tables; the attack is an independent one on contributions."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cupral.methods.secrecy import (
    Column,
    Panel,
    Rule,
    audit,
    axis,
    entries,
    intervals,
    lattice,
    protect,
    sensitivity,
    total,
)
from cupral.methods.secrecy.pattern import _exact, _heuristic
from cupral.methods.secrecy.reader import views
from tests.methods.attack import leaks

RULE = Rule()


def random_panel(
    seed: int, rows: int, columns: int, months: int = 1, fewest: int = 1, zeros: bool = False
) -> Panel:
    """Products x cities in months: firms stay where they are, some sit in several cells."""
    rng = np.random.default_rng(seed)
    halves = {"all": ["g0", "g1"], "g0": [("r", n) for n in range(0, rows, 2)],
              "g1": [("r", n) for n in range(1, rows, 2)]}  # fmt: skip
    tree = halves if rows > 2 else {"all": [("r", n) for n in range(rows)]}
    cities = [("c", n) for n in range(columns)]
    made = lattice([axis(tree, "all"), axis({"all": cities}, "all")])
    place, holders = {cell: n for n, cell in enumerate(made.cells)}, 4 * rows
    leaf, holder, usual = [], [], []
    for cell in product([("r", n) for n in range(rows)], cities):
        for one in rng.choice(holders, size=rng.integers(fewest, 7), replace=False):
            leaf.append(place[cell])
            holder.append(int(one))
            usual.append(float(rng.lognormal(2.0, 1.0)))
    amounts = [np.array(usual) * rng.uniform(0.7, 1.3, len(usual)) for _ in range(months)]
    for amount in amounts if zeros else ():
        amount[rng.random(amount.size) < 0.15] = 0.0
    return made.panel([np.array(leaf)] * months, [np.array(holder)] * months, amounts, holders)


def contributions(panel: Panel) -> tuple[dict, dict]:
    """What the attack needs, read from the entries of the leaves: filings, and cells of them."""
    within = lattice_of(panel)
    leaves = {place for place in range(len(panel.cells)) if within[place] == {place}}
    filed, cells = {}, {}
    for month, column in enumerate(panel.columns):
        for cell, holder, amount in zip(column.cell, column.holder, column.amount, strict=True):
            if cell in leaves:
                filed[(month, int(cell)), int(holder)] = float(amount)
        for place, below in within.items():
            cells[month, place] = frozenset(
                key for key in filed if key[0][0] == month and key[0][1] in below
            )
    return filed, cells


def lattice_of(panel: Panel) -> dict[int, set[int]]:
    """Leaves of every cell, from the relations alone."""
    parts: dict[int, list[set[int]]] = {}
    for row in range(panel.relations.shape[0]):
        one = panel.relations[[row]].tocoo()
        signs = dict(zip(one.coords[1].tolist(), one.data.tolist(), strict=True))
        whole = next(cell for cell, sign in signs.items() if sign > 0)
        parts.setdefault(whole, []).append({cell for cell, sign in signs.items() if sign < 0})

    def below(cell: int) -> set[int]:
        if cell not in parts:
            return {cell}
        return set().union(*(below(part) for part in parts[cell][0]))

    return {cell: below(cell) for cell in range(len(panel.cells))}


def known_by_sums(panel: Panel, hidden: list[np.ndarray]) -> tuple[dict, dict, set]:
    """The cells of all months and of all cumulations, and which of them are hidden.

    A cell is hidden in a cumulation from the first month on in which it is hidden.
    """
    filed, cells = contributions(panel)
    shut = {(m, c) for m, mask in enumerate(hidden) for c in np.flatnonzero(mask).tolist()}
    for last in range(1, len(panel.columns)):
        for place in range(len(panel.cells)):
            months = [cells[month, place] for month in range(last + 1)]
            cells["sum", last, place] = frozenset().union(*months)
            if any((month, place) in shut for month in range(last + 1)):
                shut.add(("sum", last, place))
    return filed, cells, shut


@pytest.mark.parametrize(
    "seed", [0, 1, *(pytest.param(n, marks=pytest.mark.slow) for n in range(2, 20))]
)
def test_no_contribution_leaks_from_a_random_table(seed: int) -> None:
    """Nobody brings anybody's part of any cell, published or hidden, closer than p."""
    panel = random_panel(seed, 2, 3)
    pattern = protect(panel, RULE)
    assert pattern.audit.safe
    filed, cells = contributions(panel)
    shut = {(0, cell) for cell in np.flatnonzero(pattern.hidden).tolist()}
    assert leaks(filed, cells, shut, RULE.p) == []


def test_the_attack_finds_what_primary_suppression_alone_gives_away() -> None:
    """It is no weak attacker: hiding only the sensitive cells leaks in most tables."""
    found = 0
    for seed in range(4):
        panel = random_panel(seed, 2, 2)
        filed, cells = contributions(panel)
        primary = sensitivity(panel.columns[0], RULE).primary
        shut = {(0, cell) for cell in np.flatnonzero(primary).tolist()}
        safe = audit(panel, RULE, primary).safe
        leaking = bool(leaks(filed, cells, shut, RULE.p))
        found += leaking
        assert not (safe and leaking)
    assert found >= 1


@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(n, marks=pytest.mark.slow) for n in range(1, 6))]
)
def test_months_that_are_safe_are_safe_beside_their_sums(seed: int) -> None:
    """Cumulations need no columns of their own: the attack on months and sums finds nothing."""
    panel = random_panel(seed, 2, 2, months=3)
    pattern = protect(panel, RULE)
    assert pattern.audit.safe
    filed, cells, shut = known_by_sums(panel, [pattern.hidden] * 3)
    assert leaks(filed, cells, shut, RULE.p) == []


@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(n, marks=pytest.mark.slow) for n in range(1, 6))]
)
def test_a_cell_may_close_in_a_later_month(seed: int) -> None:
    """What was published stays known; from the month of closing on, sums are hidden as well."""
    whole = random_panel(seed, 2, 2, months=3, fewest=4)
    early = Panel(whole.cells, whole.relations, whole.columns[:2], whole.holders)
    leaf = next(cell for cell, below in lattice_of(whole).items() if below == {cell})
    gone = whole.columns[2]
    left = (gone.cell != leaf) | (gone.holder == gone.holder[gone.cell == leaf][0])
    at_leaf = [key for key, below in lattice_of(whole).items() if leaf in below]
    amount = gone.amount.copy()
    for holder in set(gone.holder[~left].tolist()):
        lost = gone.amount[(gone.cell == leaf) & (gone.holder == holder)][0]
        amount[np.isin(gone.cell, at_leaf) & (gone.holder == holder)] -= lost
    kept = amount > 1e-9
    size = len(whole.cells)
    last = entries(size, gone.cell[kept], gone.holder[kept], amount[kept])
    late = Panel(whole.cells, whole.relations, (last,), whole.holders)
    whole = Panel(whole.cells, whole.relations, (*whole.columns[:2], last), whole.holders)
    loose = Rule(shares=(), p=0.05)
    first = protect(early, loose)
    second = protect(late, loose, closed=first.hidden)
    assert second.hidden[leaf]
    assert not first.hidden[leaf]
    filed, cells, shut = known_by_sums(whole, [first.hidden, first.hidden, second.hidden])
    assert leaks(filed, cells, shut, 0.05) == []


@given(st.integers(0, 10_000), st.integers(2, 5), st.integers(2, 5), st.booleans())
@settings(max_examples=20, deadline=None)
def test_a_pattern_is_proven_and_hides_what_is_sensitive(
    seed: int, rows: int, columns: int, zeros: bool
) -> None:
    """Each pattern passes an audit that was given no doubts."""
    panel = random_panel(seed, rows, columns, months=2, zeros=zeros)
    pattern = protect(panel, RULE)
    assert pattern.hidden[pattern.primary].all()
    assert audit(panel, RULE, pattern.hidden).safe


@given(st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_every_doubt_of_a_proof_is_another_table(seed: int) -> None:
    """Each leaves published cells and relations alone and names no negative amount."""
    panel = random_panel(seed, 4, 4)
    pattern = protect(panel, RULE)
    for doubt in pattern.audit.doubts[0]:
        assert not doubt[~pattern.hidden].any()
        assert np.abs(panel.relations @ doubt).max() < 1e-6 * np.abs(doubt).max()


@given(st.integers(0, 10_000))
@settings(max_examples=15, deadline=None)
def test_the_quick_search_is_safe_and_no_better_than_the_exact_one(seed: int) -> None:
    """On panels that both can solve."""
    panel = random_panel(seed, 2, 4)
    weight, none = panel.columns[0].value + 1.0, np.zeros(len(panel.cells), bool)
    found = views(panel, RULE)
    primary = sensitivity(panel.columns[0], RULE).primary
    quick, doubts = _heuristic(panel, found, weight, primary, none)
    exact = _exact(panel, found, weight, primary, none)
    assert audit(panel, RULE, quick, doubts=doubts).safe
    assert exact is not None
    assert weight[exact].sum() <= weight[quick].sum() * (1 + 1e-9)


@given(st.integers(0, 10_000))
@settings(max_examples=15, deadline=None)
def test_hiding_more_never_exposes(seed: int) -> None:
    """And an interval only grows."""
    panel, rng = random_panel(seed, 3, 3), np.random.default_rng(seed)
    hidden = protect(panel, RULE).hidden
    more = hidden | (rng.random(hidden.size) < 0.3)
    assert audit(panel, RULE, more).safe
    (low, high), (lower, higher) = (intervals(panel, 0, mask) for mask in (hidden, more))
    assert (lower <= low + 1e-6).all()
    assert (higher >= high - 1e-6).all()


@given(st.integers(0, 10_000), st.floats(0.01, 1e9))
@settings(max_examples=15, deadline=None)
def test_the_pattern_does_not_depend_on_the_unit(seed: int, factor: float) -> None:
    """t or kg, yuan or ten thousand yuan."""
    panel = random_panel(seed, 2, 3)
    column = panel.columns[0]
    scaled = Column(column.value * factor, column.cell, column.holder, column.amount * factor)
    other = replace(panel, columns=(scaled,))
    assert protect(panel, RULE).hidden.sum() == protect(other, RULE).hidden.sum()


def test_a_negative_contribution_leaves_no_lower_limit() -> None:
    """Where amounts can be negative nobody knows that a cell is at least his own part."""
    made = lattice([axis({"all": ["a", "b"]}, "all")])
    panel = made.panel([np.array([1, 1, 2, 2, 2])], [np.arange(5)],
                       [np.array([10.0, -4.0, 20.0, 20.0, 20.0])], 5)  # fmt: skip
    low, high = intervals(panel, 0, np.array([False, True, True]))
    assert low[1] == -np.inf
    assert high[1] == np.inf
    assert protect(panel, RULE).audit.safe


def test_a_sum_of_columns_adds_holders() -> None:
    """January to March of one enterprise is one entry."""
    panel = random_panel(1, 2, 2, months=3)
    added = total(panel.columns, len(panel.cells))
    assert added.value == pytest.approx(sum(column.value for column in panel.columns))
    assert added.cell.size == panel.columns[0].cell.size
