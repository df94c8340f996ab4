"""Linear reconciliation from 1e3 to 1e6 flows beside KKT + SuperLU, OSQP, Clarabel and difflow.

Network of reference/ledger.md section 3: units in 12 layers, sites of 60 units, 5 % of the
links to the neighbouring site, 2.5 flows a unit, all measured, sd 2 %; "tangled" has the same
layers and no sites, "unequal" sd that are lognormal besides, seven orders of magnitude apart.
Peers that are not installed are left out (`make bench-peers` has them).

    OPENBLAS_NUM_THREADS=1 python benchmarks/reconcile_speed.py [flows ...]
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import splu

from cupral.methods.reconcile import reconcile, suspects

LAYERS, SITE, FLOWS_PER_UNIT, FAR = 12, 60, 2.5, 0.05
DIRECT_LIMIT = 1_100_000
"""Flows up to which a peer is asked (difflow is dense: a thousand)."""
UNEQUAL = 2.0
"""Standard deviation of the logarithm of unequal sd."""


def layers(
    flows: int, rng: np.random.Generator, site_units: int = SITE
) -> tuple[int, np.ndarray, np.ndarray, np.ndarray]:
    """Number of units; source, its layer and target of each flow between them (target of the
    last layer: -1)."""
    sites = max(1, round(flows / FLOWS_PER_UNIT / site_units))
    units = sites * site_units
    count = int(FLOWS_PER_UNIT * units)
    source = np.concatenate([np.arange(units), rng.integers(0, units, count - units)])
    site, layer = source // site_units, source % site_units % LAYERS
    site = np.where(rng.random(count) < FAR, (site + 1) % sites, site)
    place = rng.integers(0, site_units // LAYERS, count) * LAYERS + (layer + 1) % LAYERS
    return units, source, layer, np.where(layer < LAYERS - 1, site * site_units + place, -1)


def network(flows: int, seed: int = 1, site_units: int = SITE) -> sparse.csr_array:
    """Incidence of a site-structured network; the first layer is fed, the last delivers."""
    units, source, _, target = layers(flows, np.random.default_rng(seed), site_units)
    inner, count = np.flatnonzero(target >= 0), len(source)
    fed = np.flatnonzero(np.arange(units) % site_units % LAYERS == 0)
    row = np.concatenate([source, target[inner], fed])
    column = np.concatenate([np.arange(count), inner, count + np.arange(len(fed))])
    sign = np.concatenate([-np.ones(count), np.ones(len(inner) + len(fed))])
    return sparse.csr_array((sign, (row, column)), shape=(units, count + len(fed)))


def tangled(flows: int, seed: int = 1) -> sparse.csr_array:
    """The same layers without sites."""
    return network(flows, seed, round(flows / FLOWS_PER_UNIT / LAYERS) * LAYERS)


def measurements(
    incidence: sparse.csr_array, seed: int = 2, spread: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """A balanced truth plus 2 % noise, or that times a lognormal factor."""
    rng = np.random.default_rng(seed)
    guess = rng.uniform(10.0, 100.0, incidence.shape[1])
    truth = reconcile(incidence, guess, 0.3 * guess, uncertainty=False).value
    sd = 0.02 * np.maximum(np.abs(truth), 1.0)
    sd *= np.random.default_rng(seed + 1).lognormal(0.0, spread, len(sd))
    return truth + sd * rng.normal(size=len(sd)), sd


def kkt(incidence: sparse.csr_array, measured: np.ndarray, sd: np.ndarray) -> np.ndarray:
    """One symmetric indefinite system for values and multipliers, by SuperLU."""
    weight = sparse.diags_array(1.0 / sd**2)
    matrix = sparse.block_array([[weight, incidence.T], [incidence, None]], format="csc")
    right = np.concatenate([measured / sd**2, np.zeros(incidence.shape[0])])
    return np.asarray(splu(matrix).solve(right)[: len(measured)])


def osqp(incidence: sparse.csr_array, measured: np.ndarray, sd: np.ndarray) -> np.ndarray:
    """The same in units of sd, by operator splitting at eps 1e-8."""
    import osqp as engine  # noqa: PLC0415

    problem = engine.OSQP()
    scaled = sparse.csc_matrix(incidence @ sparse.diags_array(sd))
    zero = np.zeros(incidence.shape[0])
    weight = sparse.eye(len(sd), format="csc")
    options = {"verbose": False, "eps_abs": 1e-8, "eps_rel": 1e-8, "max_iter": 20_000}
    problem.setup(weight, -measured / sd, scaled, zero, zero, **options)
    return np.asarray(problem.solve().x * sd)


def clarabel(incidence: sparse.csr_array, measured: np.ndarray, sd: np.ndarray) -> np.ndarray:
    """The same by an interior point method."""
    import clarabel as engine  # noqa: PLC0415

    scaled = sparse.csc_matrix(incidence @ sparse.diags_array(sd))
    settings = engine.DefaultSettings()
    settings.verbose = False
    rows = incidence.shape[0]
    solver = engine.DefaultSolver(
        sparse.eye(len(sd), format="csc"), -measured / sd, scaled, np.zeros(rows),
        [engine.ZeroConeT(rows)], settings,
    )  # fmt: skip
    return np.asarray(solver.solve().x) * sd


def difflow(incidence: sparse.csr_array, measured: np.ndarray, sd: np.ndarray) -> np.ndarray:
    """The dense differentiable peer, with its covariance."""
    import jax  # noqa: PLC0415

    jax.config.update("jax_enable_x64", True)
    from difflow.reconciliation import reconcile as peer  # noqa: PLC0415

    matrix = jax.numpy.asarray(incidence.toarray())
    found = peer(lambda x, _params=None: matrix @ x, measured, sd)
    return np.asarray(found.x)


PEERS: dict[str, tuple[Callable[..., np.ndarray], int]] = {
    "KKT+SuperLU": (kkt, DIRECT_LIMIT),
    "OSQP": (osqp, DIRECT_LIMIT),
    "Clarabel": (clarabel, DIRECT_LIMIT),
    "difflow": (difflow, 2_000),
}


def best(task: Callable[[], Any], runs: int) -> tuple[float, Any]:
    """Shortest of several runs [s], with the last answer."""
    shortest, answer = np.inf, None
    for _ in range(runs):
        begin = time.perf_counter()
        answer = task()
        shortest = min(shortest, time.perf_counter() - begin)
    return shortest, answer


def line(name: str, seconds: float, quick: float, gap: float) -> None:
    """One line of the table; the ratio is to our values alone."""
    print(f"    {name:<34} {seconds:>9.4f} s {seconds / quick:>8.1f} x   max dx/sd {gap:.0e}")


def compare(
    kind: str, incidence: sparse.csr_array, peers: list[str], whole: bool, spread: float = 0.0
) -> None:
    """Ours and the peers on one network."""
    measured, sd = measurements(incidence, spread=spread)
    runs = 5 if len(sd) <= 20_000 else 3
    quick, answer = best(lambda: reconcile(incidence, measured, sd, uncertainty=False), runs)
    closure = np.abs(answer.residual).max() / np.abs(measured).max()
    print(f"{kind}: {len(sd)} flows, {incidence.shape[0]} balances, closure {closure:.0e}")
    line("cupral values", quick, quick, 0.0)
    if whole:
        seconds, full = best(lambda: reconcile(incidence, measured, sd), runs)
        line("cupral values, sd, tests, classes", seconds, quick, 0.0)
        seconds, _ = best(lambda: suspects(full), runs)
        line("cupral suspects, on top", seconds, quick, 0.0)
    for name in peers:
        task, limit = PEERS[name]
        if len(sd) > limit or (name in ("OSQP", "Clarabel", "difflow") and not _there(name)):
            continue
        seconds, other = best(lambda task=task: task(incidence, measured, sd), min(runs, 2))
        line(name, seconds, quick, np.max(np.abs(other - answer.value) / sd))


def _there(name: str) -> bool:
    """Whether a peer is installed."""
    return find_spec(name.lower()) is not None


def memory(path: str) -> None:
    """Growth of the largest resident set over that of the input [MB], in this fresh process."""
    with np.load(path) as kept:
        parts = (kept["entries"], kept["indices"], kept["indptr"])
        incidence = sparse.csr_array(parts, shape=tuple(kept["shape"]))
        measured, sd = kept["measured"], kept["sd"]
    reconcile(incidence[:100], measured, sd, uncertainty=False)  # the engines are loaded
    before = _status("VmRSS")
    reconcile(incidence, measured, sd, uncertainty=False)
    print(f"cupral values, {len(sd)} flows: {_status('VmHWM') - before:.0f} MB over the input")


def measure_memory(flows: int) -> None:
    """Write the input to a file and ask a fresh process."""
    incidence = network(flows)
    measured, sd = measurements(incidence)
    with tempfile.NamedTemporaryFile(suffix=".npz") as file:
        np.savez(
            file, entries=incidence.data, indices=incidence.indices, indptr=incidence.indptr,
            shape=incidence.shape, measured=measured, sd=sd,
        )  # fmt: skip
        file.flush()
        subprocess.run([sys.executable, __file__, "memory", file.name], check=True)


def _status(name: str) -> float:
    """A line of the process's status [MB]."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return float(next(row.split()[1] for row in lines if row.startswith(name))) / 1024.0


def main(sizes: list[int]) -> None:
    """All sizes with sites, then tangled ones where each engine is still to be waited for."""
    for flows in sizes:
        compare("sites", network(flows), list(PEERS), whole=flows <= 200_000)
    for flows in (size for size in sizes if size > 1_000):
        asked = ["KKT+SuperLU"] if flows <= 10_000 else []
        compare("tangled", tangled(flows), asked, False)
        compare("tangled, unequal", tangled(flows), asked, False, UNEQUAL)
    if Path("/proc/self/status").exists():
        measure_memory(max(sizes))


if __name__ == "__main__":
    if sys.argv[1:2] == ["memory"]:
        memory(sys.argv[2])
    else:
        main([int(n) for n in sys.argv[1:]] or [1_000, 10_000, 100_000, 1_000_000])
