"""Secrecy against published tables and against all patterns of small ones."""

from itertools import combinations, product

import numpy as np
import pytest
from scipy.optimize import linprog

from cupral.methods.secrecy import (
    NOBODY,
    Panel,
    Rule,
    RuleError,
    TableError,
    UnprotectedError,
    audit,
    axis,
    entries,
    intervals,
    lattice,
    protect,
    sensitivity,
)

ACTIVITIES, REGIONS = ("I", "II", "III"), ("A", "B", "C")
INVESTMENT = np.array([[20.0, 50.0, 10.0], [8.0, 19.0, 22.0], [17.0, 32.0, 12.0]])
"""Investment by activity and region: the example of Fischetti and Salazar (Management Science
47, 2001, table 1; first in Willenborg and de Waal, 1996)."""


def investment() -> Panel:
    """The table with one enterprise in each cell: what an outsider sees does not ask who."""
    made = lattice([axis({"total": ACTIVITIES}, "total"), axis({"total": REGIONS}, "total")])
    leaf = np.array([made.cells.index(cell) for cell in product(ACTIVITIES, REGIONS)])
    return made.panel([leaf], [np.arange(9)], [INVESTMENT.ravel()], 9)


def test_the_published_attack_on_the_investment_table() -> None:
    """With the four cells of Fischetti and Salazar hidden, 22 lies between 5 and 30."""
    panel = investment()
    assert panel.columns[0].value[panel.cells.index(("total", "total"))] == 190.0
    hidden = np.array([cell in {("II", "A"), ("II", "C"), ("III", "A"), ("III", "C")}
                       for cell in panel.cells])  # fmt: skip
    low, high = intervals(panel, 0, hidden)
    place = panel.cells.index(("II", "C"))
    assert (low[place], high[place]) == pytest.approx((5.0, 30.0))
    assert (low[~hidden] == high[~hidden]).all()


def test_hiding_one_cell_alone_gives_it_away() -> None:
    """22 = 49 - 19 - 8, as the same article says."""
    panel = investment()
    hidden = np.array([cell == ("II", "C") for cell in panel.cells])
    low, high = intervals(panel, 0, hidden)
    place = panel.cells.index(("II", "C"))
    assert low[place] == high[place] == 22.0


@pytest.mark.parametrize(
    ("amounts", "rule", "sensitive", "level"),
    [
        # Handbook on Statistical Disclosure Control, section 4.2.1 in our own numbers: the
        # second estimates the first from above by X - x2; p% asks x3 + ... >= p x1.
        ((100.0, 50.0, 10.0), Rule(shares=(), p=0.10), False, 0.0),
        ((100.0, 50.0, 9.0), Rule(shares=(), p=0.10), True, 1.0),
        ((800.0, 100.0, 60.0, 40.0), Rule(shares=((1, 0.75),), p=0.05), True, 800 / 0.75 - 1000),
        ((750.0, 100.0, 100.0, 50.0), Rule(shares=((1, 0.75),), p=0.05), False, 0.0),
        ((500.0, 400.0, 60.0, 40.0), Rule(shares=((2, 0.85),), p=0.05), True, 900 / 0.85 - 1000),
        ((100.0, 90.0), Rule(shares=(), p=0.10), True, 10.0),
        ((100.0,), Rule(shares=(), p=0.10), True, 10.0),
        # A holder who filed a zero is no third contributor, and a loss weighs as its amount.
        ((100.0, 90.0, 0.0), Rule(shares=(), p=0.10), True, 10.0),
        ((100.0, -50.0, 9.0), Rule(shares=(), p=0.10), True, 1.0),
        ((100.0, -50.0, -30.0), Rule(shares=(), p=0.10), False, 0.0),
    ],
)
def test_the_rules_on_hand_solved_cells(
    amounts: tuple[float, ...], rule: Rule, sensitive: bool, level: float
) -> None:
    """Threshold, dominance and p%, with the protection levels of the handbook."""
    count = len(amounts)
    made = entries(1, np.zeros(count, int), np.arange(count), np.array(amounts))
    found = sensitivity(made, rule)
    assert found.primary.tolist() == [sensitive]
    assert found.level[0] == pytest.approx(level)


def test_a_cell_of_filed_zeros_is_sensitive_and_an_empty_place_is_not() -> None:
    """That an enterprise made nothing this month is a figure of its."""
    made = entries(2, np.array([0, 0]), np.array([0, 1]), np.zeros(2))
    assert sensitivity(made, Rule()).primary.tolist() == [True, False]


def test_two_enterprises_alone_in_a_row_know_each_other() -> None:
    """Hiding both does not help: each subtracts its own; a third cell has to go."""
    made = lattice([axis({"all": ["a", "b", "c", "d"]}, "all")])
    leaf = np.array([1, 2, *[3] * 4, *[4] * 4])
    amount = np.array([50.0, 60.0, 9.0, 9.0, 9.0, 8.0, 30.0, 30.0, 30.0, 25.0])
    panel = made.panel([leaf], [np.arange(10)], [amount], 10)
    two = np.array([False, True, True, False, False])
    readers = {(one.cell, one.reader) for one in audit(panel, Rule(), two).exposed}
    assert readers == {(1, 1), (2, 0)}
    assert intervals(panel, 0, two, reader=0)[1][2] == 60.0
    assert intervals(panel, 0, two)[1][2] == pytest.approx(110.0)
    pattern = protect(panel, Rule())
    assert pattern.hidden.tolist() == [False, True, True, True, False]
    assert pattern.optimal
    assert pattern.audit.safe


def test_an_outsider_sees_less_than_a_contributor() -> None:
    """His own part is known to him; the rest of a cell of two is his rival's."""
    made = lattice([axis({"all": ["a", "b"]}, "all")])
    panel = made.panel([np.array([1, 1, 2, 2, 2])], [np.arange(5)],
                       [np.array([10.0, 40.0, 20.0, 20.0, 20.0])], 5)  # fmt: skip
    hidden = np.array([False, True, True])
    assert intervals(panel, 0, hidden)[0][1] == 0.0
    assert intervals(panel, 0, hidden, reader=1)[0][1] == 40.0
    assert intervals(panel, 0, hidden, reader=NOBODY)[1][1] == 110.0


def test_a_total_of_two_enterprises_takes_everything_with_it() -> None:
    """Nothing else can be published of a product that two enterprises make."""
    made = lattice([axis({"all": ["a", "b"]}, "all")])
    panel = made.panel([np.array([1, 2])], [np.arange(2)], [np.array([10.0, 40.0])], 2)
    assert protect(panel, Rule()).hidden.all()


def test_what_cannot_be_protected_is_refused() -> None:
    """A cell that must stay published and is sensitive, or that gives another away."""
    made = lattice([axis({"all": ["a", "b"]}, "all")])
    panel = made.panel([np.array([1, 2, 2, 2, 2])], [np.arange(5)],
                       [np.array([10.0, 40.0, 40.0, 40.0, 40.0])], 5)  # fmt: skip
    with pytest.raises(UnprotectedError, match="must stay published"):
        protect(panel, Rule(), barred=np.array([False, True, False]))
    with pytest.raises(UnprotectedError, match="whatever is hidden"):
        protect(panel, Rule(), barred=np.array([True, False, True]))


def test_arrays_and_rules_that_make_no_sense_are_refused() -> None:
    """Before anything is computed."""
    with pytest.raises(TableError, match="NaN"):
        entries(1, np.array([0]), np.array([0]), np.array([np.nan]))
    with pytest.raises(TableError, match="length"):
        entries(1, np.array([0]), np.array([0]), np.array([1.0, 2.0]))
    made = lattice([axis({"all": ["a", "b"]}, "all")])
    wrong = entries(3, np.array([0, 1]), np.array([0, 0]), np.array([2.0, 1.0]))
    with pytest.raises(TableError, match="sum of its parts"):
        Panel(made.cells, made.relations, (wrong,), 1)
    for rule in ({"p": 0.0}, {"shares": ((1, 0.4),)}, {"holders": 0}):
        with pytest.raises(RuleError):
            Rule(**rule)


def _cell_attack(panel: Panel, hidden: np.ndarray, rule: Rule) -> bool:
    """Whether a pattern is safe, by scipy and plain loops over cells and readers."""
    (column,) = panel.columns
    given: dict[int, dict[int, float]] = {}
    for cell, holder, amount in zip(column.cell, column.holder, column.amount, strict=True):
        given.setdefault(int(cell), {})[int(holder)] = float(amount)
    for cell, parts in given.items():
        whole, ranked = sum(parts.values()), sorted(parts.values(), reverse=True)
        first, second = ranked[0], (ranked[1:] or [0.0])[0]
        tops = [sum(ranked[:n]) / k - whole for n, k in rule.shares]
        level = max(rule.p * first - (whole - first - second), *tops)
        few = len(parts) < rule.holders
        if not few and level <= 1e-9:
            continue
        level = max(level, rule.p * first) if few else level
        for reader in (None, *range(panel.holders)):
            own = {c: p[reader] for c, p in given.items() if reader in p}
            need = level
            if reader in parts:
                others = [a for h, a in parts.items() if h != reader]
                if not others:
                    continue
                rival = max(others)
                need = rule.p * rival - (whole - rival - parts[reader])
            if need <= 1e-9:
                continue
            bounds = []
            for place in range(len(panel.cells)):
                value = column.value[place]
                known = list(given.get(place, ())) in ([], [reader]) or not hidden[place]
                bounds.append((value, value) if known else (own.get(place, 0.0), None))
            for sign in (1.0, -1.0):
                cost = np.zeros(len(panel.cells))
                cost[cell] = -sign
                found = linprog(cost, A_eq=panel.relations.toarray(),
                                b_eq=np.zeros(panel.relations.shape[0]), bounds=bounds)  # fmt: skip
                reach = np.inf if found.status == 3 else sign * (
                    -sign * found.fun - column.value[cell])  # fmt: skip
                if reach < need * (1 - 1e-6):
                    return False
    return True


def _cheapest(panel: Panel, rule: Rule, weight: np.ndarray) -> float:
    """The weight of the cheapest safe pattern, by trying all."""
    primary = sensitivity(panel.columns[0], rule).primary
    rest = [int(place) for place in np.flatnonzero(~primary)]
    choices = [c for size in range(len(rest) + 1) for c in combinations(rest, size)]
    for chosen in sorted(choices, key=lambda c: weight[list(c)].sum()):
        hidden = primary.copy()
        hidden[list(chosen)] = True
        if _cell_attack(panel, hidden, rule):
            return float(weight[hidden].sum())
    return np.inf


def small(seed: int, shape: tuple[int, int]) -> Panel:
    """A small random table, most cells of few enterprises, some of which are in several."""
    rng = np.random.default_rng(seed)
    rows, columns = [f"r{n}" for n in range(shape[0])], [f"c{n}" for n in range(shape[1])]
    axes = [axis({"t": rows}, "t")] if shape[1] == 1 else (
        [axis({"t": rows}, "t"), axis({"t": columns}, "t")])  # fmt: skip
    made, holders = lattice(axes), 9
    cells = [(r,) if shape[1] == 1 else (r, c) for r in rows for c in columns]
    leaf, holder, amount = [], [], []
    for cell in cells:
        for one in rng.choice(holders, size=rng.integers(1, 6), replace=False):
            leaf.append(made.cells.index(cell))
            holder.append(one)
            amount.append(np.round(rng.lognormal(2.0, 1.0), 1) + 0.1)
    return made.panel([np.array(leaf)], [np.array(holder)], [np.array(amount)], holders)


@pytest.mark.parametrize("shape", [(4, 1), (6, 1), (2, 2), (3, 2)])
@pytest.mark.parametrize("seed", range(6))
def test_the_pattern_is_the_cheapest_of_all(seed: int, shape: tuple[int, int]) -> None:
    """Exhaustive search with an attack of its own agrees to the last weight."""
    panel, rule = small(seed, shape), Rule()
    weight = np.round(panel.columns[0].value, 1) + 1.0
    pattern = protect(panel, rule, weight=weight)
    assert pattern.optimal
    assert pattern.audit.safe
    assert _cell_attack(panel, pattern.hidden, rule)
    assert weight[pattern.hidden].sum() == pytest.approx(_cheapest(panel, rule, weight))
