"""A window of a signal, asked as users ask."""

import numpy as np
import pytest

from cupral.ledger.errors import InputError
from cupral.ledger.ledger import Ledger
from cupral.system import ask

HOURS = np.linspace(0.0, 8.0, 97).tolist()


@pytest.mark.parametrize(("slope", "verdict"), [(0.0, "steady"), (1.0, "transient")])
def test_a_shift_is_judged(ledger: Ledger, slope: float, verdict: str) -> None:
    """Noise alone is steady within 2 %, a drift of 8 % is not."""
    noise = np.random.default_rng(1).normal(size=97)
    value = (100.0 + slope * np.array(HOURS) + noise).tolist()
    result = ask(ledger, "balance.steady", hours=HOURS, value=value, tolerance=0.02)
    assert result.status == verdict
    assert result.value == pytest.approx(8.0 * slope, abs=1.5)


def test_a_month_is_no_window(ledger: Ledger) -> None:
    """A day or longer is refused with the reason."""
    with pytest.raises(InputError, match="cannot be judged"):
        ask(ledger, "balance.steady", hours=[24.0 * h for h in HOURS], value=HOURS)


def test_too_few_samples_decide_nothing(ledger: Ledger) -> None:
    """Nineteen samples: what is missing is said."""
    result = ask(ledger, "balance.steady", hours=HOURS[:19], value=HOURS[:19])
    assert result.status == "cannot decide"
    assert "fewer than" in result.needs[0]
