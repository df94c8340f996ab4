"""Power on the published networks: nearly that of an exact dense likelihood-ratio test."""

import numpy as np
import pytest

from benchmarks.power_of_detection import (
    LEVEL,
    SHARED,
    Network,
    agreement,
    limits,
    networks,
    study,
)

FILE = SHARED / "data" / "ledger" / "cases.json"
RUNS = 4_000

pytestmark = pytest.mark.skipif(
    not FILE.exists(), reason=f"no networks in {FILE}; set CUPRAL_SHARED to the folder of data/"
)
NETWORKS = [pytest.param(net, id=net.name) for net in networks()] if FILE.exists() else []


@pytest.mark.parametrize("periods", [1, 12])
@pytest.mark.parametrize("net", NETWORKS)
def test_biases_are_named_as_by_the_exact_test(net: Network, periods: int) -> None:
    """Stream by stream at least 98 %, wherever the exact test names one run in twenty."""
    rng = np.random.default_rng(periods)
    power = study(net, limits(net, rng, 400_000), periods, RUNS, rng)
    classical, exact, biases, ours = range(4)
    possible = power.identified[:, exact] >= 0.05
    assert possible.any()
    assert power.ratio[possible, biases].min() >= 0.98
    assert power.ratio[possible, ours].min() >= 0.98
    assert power.identified[:, ours].mean() >= power.identified[:, classical].mean()
    spread = np.sqrt(LEVEL * (1 - LEVEL) / (5 * RUNS))
    assert power.alarm[[biases, ours]] == pytest.approx(LEVEL, abs=3 * spread + 0.0015)


@pytest.mark.parametrize("periods", [1, 12])
@pytest.mark.parametrize("net", NETWORKS)
def test_public_functions_decide_as_the_study_does(net: Network, periods: int) -> None:
    """Group by group: what `suspects` and `pooled_suspects` name in runs of every stream."""
    assert agreement(net, periods, np.random.default_rng(9), 12) == 12
