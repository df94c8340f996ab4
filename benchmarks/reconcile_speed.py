"""Reconciliation of site networks of 1e3, 1e4, 1e5 flows, beside KKT + SuperLU in the same run.

Network of reference/ledger.md section 3: units in 12 layers, sites of 60 units, 5 % of the
links to the neighbouring site, 2.5 flows a unit, all measured, sd 2 %. Run with
``OPENBLAS_NUM_THREADS=1 python benchmarks/reconcile_speed.py [flows ...]``.
"""

import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import splu

from cupral.methods.reconcile import reconcile, suspects

LAYERS, SITE, FLOWS_PER_UNIT, FAR = 12, 60, 2.5, 0.05


def network(flows: int, seed: int = 1) -> sparse.csr_array:
    """Incidence of a site-structured network; the first layer is fed, the last delivers."""
    rng = np.random.default_rng(seed)
    sites = max(1, round(flows / FLOWS_PER_UNIT / SITE))
    units = sites * SITE
    count = int(FLOWS_PER_UNIT * units)
    source = np.concatenate([np.arange(units), rng.integers(0, units, count - units)])
    site, layer = source // SITE, source % SITE % LAYERS
    site = np.where(rng.random(count) < FAR, (site + 1) % sites, site)
    target = site * SITE + rng.integers(0, SITE // LAYERS, count) * LAYERS + (layer + 1) % LAYERS
    inner = np.flatnonzero(layer < LAYERS - 1)
    fed = np.flatnonzero(np.arange(units) % SITE % LAYERS == 0)
    row = np.concatenate([source, target[inner], fed])
    column = np.concatenate([np.arange(count), inner, count + np.arange(len(fed))])
    sign = np.concatenate([-np.ones(count), np.ones(len(inner) + len(fed))])
    return sparse.csr_array((sign, (row, column)), shape=(units, count + len(fed)))


def measurements(incidence: sparse.csr_array, seed: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """A balanced truth plus 2 % noise."""
    rng = np.random.default_rng(seed)
    guess = rng.uniform(10.0, 100.0, incidence.shape[1])
    truth = reconcile(incidence, guess, 0.3 * guess, uncertainty=False).value
    sd = 0.02 * np.maximum(np.abs(truth), 1.0)
    return truth + sd * rng.normal(size=len(sd)), sd


def kkt(incidence: sparse.csr_array, measured: np.ndarray, sd: np.ndarray) -> np.ndarray:
    """The peer: one symmetric indefinite system for values and multipliers, by SuperLU."""
    weight = sparse.diags_array(1.0 / sd**2)
    matrix = sparse.block_array([[weight, incidence.T], [incidence, None]], format="csc")
    right = np.concatenate([measured / sd**2, np.zeros(incidence.shape[0])])
    return np.asarray(splu(matrix).solve(right)[: len(measured)])


def best(task: Callable[[], Any], runs: int) -> tuple[float, Any]:
    """Shortest of several runs [s], with the last answer."""
    shortest, answer = np.inf, None
    for _ in range(runs):
        begin = time.perf_counter()
        answer = task()
        shortest = min(shortest, time.perf_counter() - begin)
    return shortest, answer


def main(sizes: list[int]) -> None:
    """Print one line a size."""
    print(f"{'flows':>8} {'units':>7} {'values':>9} {'full':>9} {'suspects':>9} {'KKT':>9} "
          f"{'KKT/values':>10} {'max dx/sd':>9} {'closure':>8}")  # fmt: skip
    for flows in sizes:
        a = network(flows)
        y, sd = measurements(a)
        runs = 5 if flows <= 10_000 else 2
        quick, answer = best(lambda a=a, y=y, sd=sd: reconcile(a, y, sd, uncertainty=False), runs)
        whole, full = best(lambda a=a, y=y, sd=sd: reconcile(a, y, sd), runs)
        search, _ = best(lambda full=full: suspects(full), runs)
        peer, x = best(lambda a=a, y=y, sd=sd: kkt(a, y, sd), runs)
        gap = np.max(np.abs(answer.value - x) / sd)
        closure = np.abs(answer.residual).max() / np.abs(y).max()
        print(f"{a.shape[1]:>8} {a.shape[0]:>7} {quick:>8.4f}s {whole:>8.4f}s {search:>8.4f}s "
              f"{peer:>8.4f}s {peer / quick:>10.1f} {gap:>9.1e} {closure:>8.1e}")  # fmt: skip


if __name__ == "__main__":
    main([int(n) for n in sys.argv[1:]] or [1_000, 10_000, 100_000])
