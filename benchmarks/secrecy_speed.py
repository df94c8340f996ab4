"""Speed of secrecy: a province's table of products, cities and months, protected and audited.

    python benchmarks/secrecy_speed.py [PRODUCTS]

60 products in two chains of five groups, 16 cities, 12 months, all totals and the cumulations
(which the audit of the months covers). Bar: < 10 s. Peers: a bare linear program (scipy's HiGHS)
for each sensitive cell and side, without any reader's own figures, timed on a sample; and, where
it is installed (`pip install pytauargus`, EUPL-1.2), tau-ARGUS with HiGHS on one month, by its
hierarchical method (MOD), each filing a respondent. It knows no contributor as an attacker except
the lone ones, so that its pattern is put to our audit beside ours.
"""

import contextlib
import importlib
import importlib.util
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import linprog

from cupral.methods.secrecy import Panel, Pattern, Rule, audit, axis, lattice, protect

CITIES, MONTHS, SEED = 16, 12, 4
SAMPLE = 5


def province(products: int = 60, makers: float = 4.0, seed: int = SEED) -> Panel:
    """A table in value: a few large and many small makers of each product, one city each."""
    groups = {
        (chain, group): [("product", n) for n in range(products)
                         if (n % 2, n // 2 % 5) == (chain, group)]
        for chain in range(2) for group in range(5)
    }  # fmt: skip
    tree = {"all": [("chain", 0), ("chain", 1)], **groups}
    tree |= {("chain", c): [(c, g) for g in range(5)] for c in range(2)}
    made = lattice([axis(tree, "all"), axis({"province": list(range(CITIES))}, "province")])
    place = {cell: number for number, cell in enumerate(made.cells)}
    rng, leaf, holder, usual, firm = np.random.default_rng(seed), [], [], [], 0
    for product in range(products):
        for city in rng.choice(CITIES, size=rng.integers(3, 12), replace=False):
            for _ in range(1 + rng.poisson(makers)):
                leaf.append(place[("product", product), city])
                holder.append(firm if rng.random() < 0.8 else rng.integers(0, firm + 1))
                usual.append(rng.lognormal(3.0, 1.2))
                firm += 1
    size = np.array(usual)
    months = [size * rng.lognormal(0.0, 0.1, size.size) for _ in range(MONTHS)]
    same = [np.array(leaf)] * MONTHS, [np.array(holder)] * MONTHS
    return made.panel(*same, months, firm)


def bare(panel: Panel, pattern: Pattern) -> float:
    """Seconds of a linear program for each sensitive cell and side, from a sample."""
    rng = np.random.default_rng(0)
    began = time.perf_counter()
    value, hidden = panel.columns[0].value, np.flatnonzero(pattern.hidden)
    wanted = np.flatnonzero(pattern.primary)
    for place in rng.choice(wanted, SAMPLE):
        cost = -(hidden == place).astype(float)
        linprog(cost, A_eq=panel.relations[:, hidden], b_eq=np.zeros(panel.relations.shape[0]),
                bounds=[(-value[cell], None) for cell in hidden])  # fmt: skip
    return (time.perf_counter() - began) / SAMPLE * 2 * pattern.audit.sensitive


def main() -> None:
    """Print sizes and times, from benign (many makers in a cell) to hostile (one or two)."""
    products = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    for makers in (4.0, 1.5, 0.5):
        panel = province(products, makers)
        measured(panel, f"1 + {makers:g} makers in a cell")
        if importlib.util.find_spec("pytauargus"):
            beside(Panel(panel.cells, panel.relations, panel.columns[:1], panel.holders))


def measured(panel: Panel, told: str) -> None:
    """Protect and audit one table."""
    began = time.perf_counter()
    pattern = protect(panel, Rule())
    seconds = time.perf_counter() - began
    value = sum(column.value for column in panel.columns)
    secondary = pattern.hidden & ~pattern.primary
    print(
        f"{told}: cells {len(panel.cells)} x {len(panel.columns)} months,"
        f" {panel.holders} enterprises"
    )
    print(
        f"  sensitive {pattern.primary.sum()} cells ({pattern.audit.sensitive} with months),"
        f" hidden besides {secondary.sum()}"
        f" ({value[secondary].sum() / value[~pattern.primary].sum():.1%} of the value that could"
        f" be shown); doubts {sum(map(len, pattern.audit.doubts))}"
    )
    print(f"  protected and audited in {seconds:.2f} s (bar 10 s); safe: {pattern.audit.safe}")
    print(f"  a bare linear program for each of them would take {bare(panel, pattern):.0f} s")


def beside(panel: Panel) -> None:
    """One month by us and by tau-ARGUS: time, cells, lost value, what our audit finds."""
    began = time.perf_counter()
    mine = protect(panel, Rule())
    seconds = time.perf_counter() - began
    began = time.perf_counter()
    theirs = argus(panel)
    peer = time.perf_counter() - began
    value = panel.columns[0].value
    for name, took, hidden in (("ours", seconds, mine.hidden), ("tau-ARGUS", peer, theirs)):
        found = audit(panel, Rule(), hidden).exposed
        outsider = sum(one.reader < 0 for one in found)
        print(
            f"  one month, {name}: {took:.2f} s, {hidden.sum()} cells hidden, value"
            f" {value[hidden].sum() / value[0]:.3f} of the total; exposed to outsiders {outsider},"
            f" to contributors {len(found) - outsider}"
        )


def argus(panel: Panel) -> np.ndarray:
    """The cells that tau-ARGUS hides by the same rule."""
    column, names = panel.columns[0], {}
    for cell, (product, city) in enumerate(panel.cells):
        names[_code(product), _code(city)] = cell
    micro: dict[str, list[object]] = {"Product": [], "City": [], "Value": []}
    leaves = {cell: key for key, cell in names.items()
              if key[0].startswith("p") and key[1].startswith("c")}  # fmt: skip
    for cell, amount in zip(column.cell, column.amount, strict=True):
        if cell in leaves:
            for name, entry in zip(micro, (*leaves[cell], round(float(amount), 3)), strict=True):
                micro[name].append(entry)
    place = Path(tempfile.mkdtemp())
    (place / "product.hrc").write_text("\n".join(_tree(panel)) + "\n")
    rules = "P(10,1)|NK(1,75)|NK(2,85)|FREQ(3,10)"
    with contextlib.chdir(place):  # it leaves its logs where it runs
        made = importlib.import_module("pytauargus").protect(
            micro, ["Product", "City"], response="Value", safety_rules=rules, suppress="MOD(1)",
            hrc={"Product": str(place / "product.hrc")}, hierleadstring="@", decimals=3,
            totcode="Total", workdir=str(place),
        )  # fmt: skip
    hidden = np.zeros(len(panel.cells), bool)
    table = made.tables[0]
    for row, shown in zip(table.dataframe(), table.safe(), strict=True):
        key = (row["Product"], row["City"])
        if shown == "x":
            hidden[names[key]] = True
    return hidden


def _code(member: Any) -> str:
    """A short name of fixed length, as tau-ARGUS wants them."""
    if member in ("all", "province"):
        return "Total"
    if isinstance(member, tuple):
        first, second = member
        return {"product": f"p{second:02}", "chain": f"k{second:02}"}.get(
            first, f"g{first}{second}"
        )
    return f"c{member:02d}"


def _tree(panel: Panel) -> list[str]:
    """The classification of products, as tau-ARGUS reads one."""
    products = list(dict.fromkeys(product for product, _ in panel.cells))
    lines = []
    for chain in range(2):
        lines.append(_code(("chain", chain)))
        for group in range(5):
            mine = [p for p in products if p[0] == "product" and p[1] % 2 == chain
                    and p[1] // 2 % 5 == group]  # fmt: skip
            if mine:
                lines.append(f"@{_code((chain, group))}")
                lines += [f"@@{_code(one)}" for one in mine]
    return lines


if __name__ == "__main__":
    main()
