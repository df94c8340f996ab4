"""Series of which no month is filed or measured, and numbers that no share can have."""

import pytest

from cupral.ledger.errors import InputError
from cupral.ledger.ledger import Ledger
from cupral.system import ask
from tests.systems.efficiency.potlines import declare, register


def test_a_network_without_any_figure_gives_no_share(ledger: Ledger) -> None:
    """Registered and operating, but no month filed or measured: 0 % would be an invention."""
    register(ledger)
    for basis, source in (("reconciled", "meter readings or returns"), ("declared", "returns")):
        result = ask(ledger, "efficiency.share", through="2026-12", basis=basis)
        assert (result.value, result.status) == (None, "cannot decide")
        assert result.needs == tuple(
            f"{source} of {place}" for place in ("north L1", "north L2", "south L3")
        )


@pytest.mark.parametrize(
    ("target", "value", "status"),
    [(0.6, 0.65, "met"), (0.7, None, "cannot decide"), (1.0, 0.65, "not met")],
)
def test_an_unknown_series_leaves_a_verdict_only_if_it_cannot_turn_it(
    ledger: Ledger, target: float, value: float | None, status: str
) -> None:
    """L1 and L2 are 650 of 1,000 kt and above; L3 is silent: between 65 and 100 %."""
    register(ledger, networks=False)
    declare(ledger, lines=["L1", "L2"])
    result = ask(ledger, "efficiency.share", through="2026-10", target=target)
    assert (result.value, result.status) == (pytest.approx(value) if value else None, status)
    assert "meter readings or returns of south L3" in result.needs
    assert "no readings: south L3 counts as not above" in result.badges
    assert ("target" in result.tables) == (value is not None)


@pytest.mark.parametrize(
    ("given", "says"),
    [({"threshold": -1.0}, "above 0"), ({"threshold": 0.0}, "above 0"),
     ({"target": 9.0}, "from 0 to 1"), ({"target": -0.1}, "from 0 to 1")],
)  # fmt: skip
def test_impossible_thresholds_and_targets_are_refused(
    declared: Ledger, given: dict[str, float], says: str
) -> None:
    """No consumption is negative and no share is nine."""
    with pytest.raises(InputError, match=says):
        ask(declared, "efficiency.share", through="2026-10", **given)
    row = {"ent": "A", "line": "1", "cap": 1, "out": 1, "ac": 13000}
    with pytest.raises(InputError, match=says):
        ask(declared, "efficiency.share_of", lines=[row], **given)


def test_a_negative_capacity_is_refused(ledger: Ledger) -> None:
    """It would make a share above one or below none."""
    row = {"ent": "A", "line": "1", "cap": -5, "out": 1, "ac": 13000}
    with pytest.raises(InputError, match="line 1: cap -5 is no number that fits"):
        ask(ledger, "efficiency.share_of", lines=[row, {**row, "cap": 10}])
