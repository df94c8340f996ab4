"""Speed of secrecy: a province's table of products, cities and months, protected and audited.

    python benchmarks/secrecy_speed.py [PRODUCTS]

60 products in two chains of five groups, 16 cities, 12 months, all totals and the cumulations
(which the audit of the months covers). Bar: < 10 s. No peer in Python is on the package index
that protects magnitude tables by itself (the one package there drives tau-ARGUS, a program for
Windows), so that the same table is only compared with a bare linear program for each sensitive
cell and side, without any reader's own figures: scipy's HiGHS, timed on a sample.
"""

import sys
import time

import numpy as np
from scipy.optimize import linprog

from cupral.methods.secrecy import Panel, Pattern, Rule, axis, lattice, protect

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
        measured(province(products, makers), f"1 + {makers:g} makers in a cell")


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


if __name__ == "__main__":
    main()
