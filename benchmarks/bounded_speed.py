"""Non-negative reconciliation of site networks, beside OSQP and Clarabel in the same run.

The network is that of `reconcile_speed`. The truth is itself a bounded optimum, so that a tenth of
the bounds bind: flows out of processes that nothing enters, and flows near zero under noise. Each
line times the whole answer from raw arrays: the unbounded reconciliation
without uncertainties, then the bounded optimum with its certificate. Run with
``OPENBLAS_NUM_THREADS=1 python benchmarks/bounded_speed.py [flows ...] [peers]``.
"""

import sys
from importlib.util import find_spec
from typing import Any

import numpy as np
from reconcile_speed import best, network
from scipy import sparse

from cupral.methods.reconcile import Bounded, bounded, reconcile


def measurements(incidence: sparse.csr_array, seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """A balanced non-negative truth plus noise: 2 % of each flow, and 2 % of the unit flow."""
    rng = np.random.default_rng(seed)
    guess = rng.uniform(10.0, 100.0, incidence.shape[1])
    free = reconcile(incidence, guess, 0.3 * guess, uncertainty=False)
    truth = bounded(free, lower=0.0).value
    sd = 0.02 * np.maximum(truth, 1.0)
    return truth + sd * rng.normal(size=len(sd)), sd


def ours(incidence: sparse.csr_array, measured: np.ndarray, sd: np.ndarray) -> Bounded:
    """Everything from raw arrays."""
    return bounded(reconcile(incidence, measured, sd, uncertainty=False), lower=0.0)


def osqp(incidence: sparse.csr_array, measured: np.ndarray, sd: np.ndarray) -> np.ndarray:
    """The first peer, at eps 1e-8, in units of the sd."""
    import osqp as engine  # noqa: PLC0415

    units = sparse.csc_matrix(incidence * sd)
    n = len(sd)
    rows = sparse.vstack([units, sparse.eye(n)], format="csc")
    zero = np.zeros(incidence.shape[0])
    solver = engine.OSQP()
    solver.setup(
        sparse.eye(n, format="csc"), -measured / sd, rows, np.concatenate((zero, np.zeros(n))),
        np.concatenate((zero, np.full(n, np.inf))), eps_abs=1e-8, eps_rel=1e-8, verbose=False,
        max_iter=20_000,
    )  # fmt: skip
    return np.asarray(solver.solve().x * sd)


def clarabel(incidence: sparse.csr_array, measured: np.ndarray, sd: np.ndarray) -> np.ndarray:
    """The second peer, at its default accuracy of 1e-8, in units of the sd."""
    import clarabel as engine  # noqa: PLC0415

    n, m = len(sd), incidence.shape[0]
    rows = sparse.vstack([sparse.csc_matrix(incidence * sd), -sparse.eye(n)], format="csc")
    settings = engine.DefaultSettings()
    settings.verbose = False
    solver = engine.DefaultSolver(
        sparse.eye(n, format="csc"), -measured / sd, rows, np.zeros(m + n),
        [engine.ZeroConeT(m), engine.NonnegativeConeT(n)], settings,
    )  # fmt: skip
    return np.asarray(solver.solve().x) * sd


def main(sizes: list[int], peers: bool) -> None:
    """Print one line a size and engine."""
    print(f"{'flows':>8} {'engine':>9} {'seconds':>9} {'/ ours':>7}  answer")
    for flows in sizes:
        a = network(flows)
        y, sd = measurements(a)
        runs = 3 if flows > 10_000 else 5
        first, _ = best(lambda a=a, y=y, sd=sd: reconcile(a, y, sd, uncertainty=False), runs)
        whole, answer = best(lambda a=a, y=y, sd=sd: ours(a, y, sd), runs)
        print(f"{a.shape[1]:>8} {'unbounded':>9} {first:>8.3f}s {first / whole:>7.2f}")
        print(f"{a.shape[1]:>8} {'ours':>9} {whole:>8.3f}s {1.0:>7.2f}  "
              f"{np.count_nonzero(answer.active)} active, {answer.iterations} steps, "
              f"KKT {answer.certificate.worst:.1e}: {answer.certificate}")  # fmt: skip
        engines: dict[str, Any] = {"osqp": osqp, "clarabel": clarabel}
        for name, engine in engines.items():
            if peers and find_spec(name):
                spent, x = best(lambda e=engine, a=a, y=y, sd=sd: e(a, y, sd), 1)
                gap = np.max(np.abs(x - answer.value) / sd)
                closure = np.max(np.abs(a @ x) / np.maximum(abs(a) @ np.abs(x), 1.0))
                print(f"{a.shape[1]:>8} {name:>9} {spent:>8.3f}s {spent / whole:>7.2f}  "
                      f"max dx/sd {gap:.1e}, closure {closure:.1e}, "
                      f"lowest {x.min():.1e}")  # fmt: skip


if __name__ == "__main__":
    wanted = [int(word) for word in sys.argv[1:] if word.isdigit()]
    main(wanted or [1_000, 10_000, 100_000], "peers" in sys.argv[1:] or not wanted)
