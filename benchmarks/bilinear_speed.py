"""Bilinear reconciliation, flows times assays of 3 elements, to 4e5 variables, beside KKT.

A plant of layered sites in which every unit separates each element by its own shares, so the
truth balances total mass and three elements; all flows and assays measured, sd 2 %. The peer
takes the same Gauss-Newton steps, each by one SuperLU of the whole optimality system.

    OPENBLAS_NUM_THREADS=1 python benchmarks/bilinear_speed.py [flows ...]
"""

import sys
import time

import numpy as np
from reconcile_speed import LAYERS, layers
from scipy import sparse
from scipy.sparse.linalg import splu

from cupral.methods.reconcile import Bilinear, reconcile_nonlinear

ELEMENTS = 3
PEER_LIMIT = 15_000
"""Flows up to which the peer is waited for."""


def plant(flows: int, seed: int = 3) -> tuple[sparse.csr_array, np.ndarray]:
    """Incidence (units, n), and positive amounts (n, elements + 1) that balance; the last is the
    rest."""
    rng = np.random.default_rng(seed)
    units, source, layer, target = layers(flows, rng)
    fed = np.setdiff1d(np.arange(units), target)
    source = np.concatenate([source, np.full(len(fed), -1)])
    target, layer = np.concatenate([target, fed]), np.concatenate([layer, np.full(len(fed), -1)])
    amount = _separate(source, target, layer, units, rng)
    into, out = np.flatnonzero(target >= 0), np.flatnonzero(source >= 0)
    sign = np.concatenate([np.ones(len(into)), -np.ones(len(out))])
    place = (np.concatenate([target[into], source[out]]), np.concatenate([into, out]))
    return sparse.csr_array((sign, place), shape=(units, len(source))), amount


def _separate(
    source: np.ndarray, target: np.ndarray, layer: np.ndarray, units: int, rng: np.random.Generator
) -> np.ndarray:
    """Feeds at random; each unit parts what it gets among its streams, element by element."""
    amount = np.zeros((len(source), ELEMENTS + 1))
    feeds = layer < 0
    amount[feeds] = rng.uniform(1, 30, (feeds.sum(), ELEMENTS + 1)) * np.array([1, 2, 3, 10])
    share = rng.uniform(0.2, 1.0, amount.shape)
    inner = target >= 0
    for step in range(LAYERS):
        held, total = np.zeros((units, ELEMENTS + 1)), np.zeros((units, ELEMENTS + 1))
        np.add.at(held, target[inner], amount[inner])
        here = np.flatnonzero(layer == step)
        np.add.at(total, source[here], share[here])
        amount[here] = share[here] / total[source[here]] * held[source[here]]
    return amount


def problem(flows: int) -> tuple[Bilinear, np.ndarray, np.ndarray]:
    """Balances, measurements and sd."""
    incidence, amount = plant(flows)
    streams = incidence.shape[1]
    mass = amount.sum(axis=1)
    fraction = (amount[:, :ELEMENTS] / mass[:, None]).T
    truth = np.concatenate([mass, fraction.ravel()])
    noise = np.random.default_rng(5).normal(size=len(truth))
    balances = Bilinear(
        incidence,
        stream=np.tile(np.arange(streams), ELEMENTS),
        element=np.repeat(np.arange(ELEMENTS), streams),
    )
    return balances, truth * (1.0 + 0.02 * noise), 0.02 * truth


def kkt(balances: Bilinear, measured: np.ndarray, sd: np.ndarray) -> np.ndarray:
    """Gauss-Newton to 1e-8 sd, each step one factorisation of the optimality system."""
    x = measured.copy()
    weight = sparse.diags_array(1.0 / sd**2)
    for _ in range(50):
        residual, jacobian = balances(x)
        matrix = sparse.block_array([[weight, jacobian.T], [jacobian, None]], format="csc")
        right = np.concatenate([(measured - x) / sd**2, -residual])
        step = splu(matrix).solve(right)[: len(x)]
        x = x + step
        if np.max(np.abs(step) / sd) < 1e-8:
            break
    return x


def main(sizes: list[int]) -> None:
    """One line a size."""
    for flows in sizes:
        balances, measured, sd = problem(flows)
        begin = time.perf_counter()
        found = reconcile_nonlinear(balances, measured, sd, start=measured, uncertainty=False)
        ours = time.perf_counter() - begin
        text = f"{len(sd):>8} variables {balances.shape[0]:>7} balances: cupral {ours:.3f} s, "
        text += f"{found.iterations} steps, closure {np.abs(found.residual).max():.0e}"
        if flows <= PEER_LIMIT:
            begin = time.perf_counter()
            other = kkt(balances, measured, sd)
            peer = time.perf_counter() - begin
            gap = np.max(np.abs(other - found.value) / sd)
            text += f"; KKT+SuperLU {peer:.3f} s, {peer / ours:.1f} x, max dx/sd {gap:.0e}"
        print(text, flush=True)


if __name__ == "__main__":
    main([int(n) for n in sys.argv[1:]] or [1_000, 10_000, 100_000])
