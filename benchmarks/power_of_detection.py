"""Power of gross error detection, stream by stream, beside an exact test and the classical one.

Seven published networks, one bias of 4 to 10 sd in each stream in turn, one period or twelve
(reference/ledger.md section 2). Three tests see the same measurements:

classical
    Maximum-power measurement test with Sidak's limit over the streams.
exact
    Generalised likelihood ratio over biases alone, written here with dense algebra, its limit
    calibrated by brute simulation. No test of a single bias is told apart better.
Cupral
    `suspects` and `pooled_suspects`, as called by default (biases and leaks together) and, as
    "biases", when asked for biases alone.

The vectorised decisions are compared with the public functions on a sample of runs. Run with
``OPENBLAS_NUM_THREADS=1 python benchmarks/power_of_detection.py [runs per stream]``.
"""

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import special

from cupral.methods.reconcile import Suspect, detectability, pooled_suspects, reconcile, suspects

SHARED = Path(os.environ.get("CUPRAL_SHARED", Path(__file__).resolve().parents[2] / "shared"))
LEVEL, CALIBRATION, SAMPLE = 0.05, 2_000_000, 60

MANDEL = (
    "01 10 12 20 23 30 34 54 46 65 60 50",
    [37.575, 1.08, 5, 1.825, 2, 0.88, 7.245, 1, 5, 2, 18.1, 2.385],
)
"""P09: Mandel, Abdollahzadeh, Maquin, Ragot 1998, Int. J. Miner. Process. 53:157."""
MITSAS = (
    "01 12 13 14 23 23 23 35 45 46 56 60",
    [1, 0.3, 0.4, 0.3, 0.3, 0.1, 0.2, 0.7, 0.3, 0.4, 0.8, 1],
)
"""P12: Mitsas 2010, Measurement 43:702. Streams as source and target, 0 is outside."""
ETHYLENE = {4: 18.61, 9: 3.32, 14: 6.35, 19: 5.28, 24: 25.96, 29: 11.46, 34: 3.34, 40: 4.43}
"""Sd of the streams that UNM-P16 leaves out: Zhang et al. 2010, Comput. Chem. Eng. 34:154."""


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """Incidence and sd, with what dense algebra makes of them."""

    name: str
    incidence: np.ndarray
    sd: np.ndarray
    signature: np.ndarray
    """Whitened unit direction of each stream, then of each balance, (p, n + m)."""
    length: np.ndarray
    """Its length, (n + m,)."""
    label: np.ndarray
    """First column of each group of equal directions, (n + m,)."""

    @property
    def streams(self) -> int:
        """n."""
        return len(self.sd)

    @property
    def biases(self) -> np.ndarray:
        """One column of each group of streams."""
        return np.unique(self.label[: self.streams])

    @property
    def leaks(self) -> np.ndarray:
        """One column of each group of balances that no bias equals."""
        return np.setdiff1d(self.label, self.biases)


def network(name: str, incidence: np.ndarray, sd: np.ndarray) -> Network:
    """Whiten by the Cholesky factor of A V A^T and group by dense correlation."""
    root = np.linalg.cholesky((incidence * sd**2) @ incidence.T)
    whole = np.linalg.solve(root, np.hstack([incidence, np.eye(len(incidence))]))
    length = np.linalg.norm(whole, axis=0)
    unit = whole / length
    label = np.argmax(np.abs(unit.T @ unit) > 1 - 1e-9, axis=1)
    return Network(name, incidence, sd, unit, length, label)


def networks() -> Iterator[Network]:
    """The seven of the reference table."""
    book = json.loads((SHARED / "data" / "ledger" / "cases.json").read_text(encoding="utf-8"))
    case = {one["id"]: one["inputs"] for one in book["cases"]}
    for name, source in (("P02", "LIN-P02"), ("P05", "LIN-P05"), ("P09", MANDEL), ("P12", MITSAS),
                         ("P13", "LIN-P13"), ("P15", "LIN-P15"), ("P16", "UNM-P16")):  # fmt: skip
        if isinstance(source, str):
            given = case[source]["sd"]
            spread = [ETHYLENE[i] if sd is None else sd for i, sd in enumerate(given)]
            yield network(name, np.array(case[source]["A"]), np.array(spread))
        else:
            yield network(name, _edges(source[0]), np.array(source[1], dtype=float))


def _edges(pairs: str) -> np.ndarray:
    """Incidence of streams given by the numbers of source and target."""
    ends = [(int(pair[0]), int(pair[1])) for pair in pairs.split()]
    incidence = np.zeros((max(map(max, ends)) + 1, len(ends)))
    for j, (source, target) in enumerate(ends):
        incidence[source, j], incidence[target, j] = -1.0, 1.0
    return incidence[1:]


@dataclass(frozen=True, slots=True, eq=False)
class Limits:
    """What each test asks of a statistic."""

    classical: float
    exact: float
    biases: float
    bias: float
    leak: float


def limits(net: Network, rng: np.random.Generator, runs: int = CALIBRATION) -> Limits:
    """Sidak, brute simulation for the exact test, and the published limits of Cupral."""
    largest = []
    for _ in range(20):
        noise = rng.standard_normal((len(net.incidence), runs // 20))
        largest.append(np.abs(net.signature[:, net.biases].T @ noise).max(axis=0))
    exact = float(np.quantile(np.concatenate(largest), 1 - LEVEL))
    single = -np.expm1(np.log1p(-LEVEL) / net.streams)
    classical = float(-special.ndtri(single / 2))
    month = reconcile(net.incidence, np.zeros(net.streams), net.sd)
    alone, both = detectability(month, kinds=("bias",)), detectability(month)
    return Limits(classical, exact, alone.limit, both.limit, both.leak_limit)


TESTS = ("classical", "exact", "biases", "cupral")


@dataclass(frozen=True, slots=True, eq=False)
class Verdicts:
    """Which column each test names in each run, -1 for none, (runs,)."""

    classical: np.ndarray
    exact: np.ndarray
    biases: np.ndarray
    cupral: np.ndarray
    beside: np.ndarray
    """The leak that Cupral names first or beside a bias."""
    equal: np.ndarray
    """What the likelihood alone prefers, at Cupral's limit."""


def judge(net: Network, statistic: np.ndarray, limit: Limits) -> Verdicts:
    """Vectorised decisions from the statistics (n + m, runs)."""
    size = np.abs(statistic)
    bias, leak = net.biases[size[net.biases].argmax(axis=0)], np.full(size.shape[1], -1)
    best, strongest = size[net.biases].max(axis=0), np.zeros(size.shape[1])
    if len(net.leaks):
        leak = net.leaks[size[net.leaks].argmax(axis=0)]
        strongest = size[net.leaks].max(axis=0)
    odds = limit.leak**2 - limit.bias**2
    alarm = (best > limit.bias) | (strongest > limit.leak)
    named = np.where(strongest**2 - odds > best**2, leak, bias)
    return Verdicts(
        np.where(best > limit.classical, bias, -1), np.where(best > limit.exact, bias, -1),
        np.where(best > limit.biases, bias, -1), np.where(alarm, named, -1),
        np.where(alarm & (strongest > best), leak, -1),
        np.where(alarm, np.where(strongest > best, leak, bias), -1),
    )  # fmt: skip


def seen(
    net: Network, error: np.ndarray, limit: Limits, outflow: np.ndarray | float = 0.0
) -> Verdicts:
    """Verdicts on measurement errors (n, runs) in sd and unrecorded outflows (m, runs)."""
    gap = net.incidence @ (net.sd[:, None] * error) + outflow
    root = np.linalg.cholesky((net.incidence * net.sd**2) @ net.incidence.T)
    return judge(net, net.signature.T @ np.linalg.solve(root, gap), limit)


@dataclass(frozen=True, slots=True, eq=False)
class Power:
    """Shares of runs, one column a test."""

    alarm: np.ndarray
    """Noise alone names somebody, (4,)."""
    detected: np.ndarray
    """Somebody is named, by biased stream, (n, 4)."""
    identified: np.ndarray
    """Exactly the right group is named first, (n, 4)."""

    @property
    def ratio(self) -> np.ndarray:
        """Identified beside the exact test, (n, 4)."""
        return self.identified / np.maximum(self.identified[:, [1]], 1e-12)


def study(net: Network, limit: Limits, periods: int, runs: int, rng: np.random.Generator) -> Power:
    """Biases of 4 to 10 sd in each stream in turn, in all periods."""
    quiet = seen(net, rng.standard_normal((net.streams, 5 * runs)), limit)
    alarm = [np.mean(getattr(quiet, test) >= 0) for test in TESTS]
    detected, identified = np.zeros((2, net.streams, len(TESTS)))
    for stream in range(net.streams):
        error = rng.standard_normal((net.streams, runs))
        size = rng.uniform(4, 10, runs) * rng.choice([-1, 1], runs)
        error[stream] += size * np.sqrt(periods)
        verdicts = seen(net, error, limit)
        for column, test in enumerate(TESTS):
            verdict = getattr(verdicts, test)
            detected[stream, column] = np.mean(verdict >= 0)
            identified[stream, column] = np.mean(verdict == net.label[stream])
    return Power(np.array(alarm), detected, identified)


def show(net: Network, periods: int, power: Power) -> None:
    """One line a test: means over the streams, and the stream that loses most."""
    for column, test in enumerate(TESTS):
        worst = int(np.argmin(power.ratio[:, column]))
        print(f"{net.name:>5} {periods:>3} {test:>10} {100 * power.alarm[column]:>7.2f} "
              f"{100 * power.detected[:, column].mean():>9.1f} "
              f"{100 * power.identified[:, column].mean():>11.1f} "
              f"{100 * power.ratio[worst, column]:>12.1f} {worst + 1:>7} "
              f"{100 * power.identified[worst, 1]:>9.2f}")  # fmt: skip


def leaks(net: Network, runs: int, rng: np.random.Generator) -> tuple[float, ...]:
    """Shares of leaks of 4 to 10 sd named first, first or beside a bias, and by equal odds."""
    limit, rows = limits(net, rng), []
    for column in net.leaks:
        shift = np.zeros((len(net.incidence), runs))
        shift[column - net.streams] = rng.uniform(4, 10, runs) / net.length[column]
        found = seen(net, rng.standard_normal((net.streams, runs)), limit, shift)
        beside = np.where(found.cupral == column, column, found.beside)
        rows.append([np.mean(one == column) for one in (found.cupral, beside, found.equal)])
    return tuple(np.mean(rows, axis=0)) if rows else (np.nan,) * 3


def agreement(net: Network, periods: int, rng: np.random.Generator, sample: int = SAMPLE) -> int:
    """Runs in which the public function names what the vectorised one does; all must."""
    limit = limits(net, rng, 1_000)
    for run in range(sample):
        error = rng.standard_normal((periods, net.streams))
        error[:, run % net.streams] += rng.uniform(0, 10) / np.sqrt(periods)
        months = [reconcile(net.incidence, net.sd * one, net.sd) for one in error]
        found = suspects(months[0]) if periods == 1 else pooled_suspects(months)
        verdicts = seen(net, error.sum(axis=0)[:, None] / np.sqrt(periods), limit)
        assert _column(net, found) == verdicts.cupral[0], (net.name, periods, run)
    return sample


def _column(net: Network, found: tuple[Suspect, ...]) -> int:
    """First column of the group named first."""
    if not found:
        return -1
    members = np.array(found[0].members) + (net.streams if found[0].kind == "leak" else 0)
    group = np.flatnonzero(net.label == net.label[members[0]])
    same_kind = group[(group >= net.streams) == (found[0].kind == "leak")]
    assert members.tolist() == same_kind.tolist(), (net.name, members, same_kind)
    return int(net.label[members[0]])


def main(runs: int) -> None:
    """Print power, leaks and agreement."""
    rng = np.random.default_rng(2)
    print(f"{'net':>5} {'T':>3} {'test':>10} {'alarm %':>7} {'detected %':>9} "
          f"{'identified %':>11} {'worst/exact %':>12} {'stream':>7} {'power %':>9}")  # fmt: skip
    found = list(networks())
    for periods in (1, 12):
        for net in found:
            show(net, periods, study(net, limits(net, rng), periods, runs, rng))
    print("\nleaks of 4-10 sd, one period, %: named first; first or beside a bias; at equal odds")
    for net in found:
        print(f"{net.name:>5}", *(f"{100 * share:>6.1f}" for share in leaks(net, runs, rng)))
    (steam,) = [net for net in found if net.name == "P15"]
    four_sd(steam, runs, rng)
    compared = sum(agreement(net, periods, rng) for net in found for periods in (1, 12))
    print(f"public functions and vectorised decisions agree in {compared} of {compared} runs")


def four_sd(net: Network, runs: int, rng: np.random.Generator) -> None:
    """Bar 7 of section 9: biases of 4 sd over twelve periods on the steam network."""
    limit, right = limits(net, rng), np.zeros(net.streams)
    for stream in range(net.streams):
        error = rng.standard_normal((net.streams, runs))
        error[stream] += 4 * np.sqrt(12)
        right[stream] = np.mean(seen(net, error, limit).cupral == net.label[stream])
    month = reconcile(net.incidence, np.zeros(net.streams), net.sd)
    possible = detectability([month] * 12).bias <= 4 * net.sd
    print(f"\n{net.name}, 4 sd over 12 periods: identified {100 * right.mean():.1f} % on average; "
          f"{possible.sum()} of {net.streams} streams have a smallest detectable bias of at most "
          f"4 sd: identified {100 * right[possible].mean():.1f} %, the worst of them "
          f"{100 * right[possible].min():.1f} %")  # fmt: skip


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)
