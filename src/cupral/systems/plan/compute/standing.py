"""One row for each test of a target: the declared and the second figure, and the verdicts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cupral.ledger.errors import InputError
from cupral.ledger.quantity import factor
from cupral.methods.margin import ninety
from cupral.systems.plan.compute import judging
from cupral.systems.plan.model import Bounds, Figure, Target, Test


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A test with its threshold and meaning filled in from dated parameters."""

    test: Test
    sign: str
    threshold: float
    """In the test's unit."""
    tolerance: float = 0.0

    @property
    def bounds(self) -> Bounds:
        """The values that meet it [unit of the test]."""
        return judging.bounds(self.sign, self.threshold, self.tolerance)

    @property
    def text(self) -> str:
        """E.g. '≈ 170 万吨'."""
        return judging.shown(self.sign, self.threshold, self.test.unit)


def in_unit(figure: Figure | None, unit: str) -> Figure | None:
    """A figure in the unit of the test that judges it; None if it measures something else.

    Examples
    --------
    >>> in_unit(Figure(value=1.7e6, unit="t"), "万吨").value
    170.0
    """
    if figure is None or not comparable(figure.unit, unit):
        return None
    scale = factor(figure.unit, unit)
    return Figure(
        value=figure.value * scale,
        unit=unit,
        sd=None if figure.sd is None else figure.sd * scale,
        low=None if figure.low is None else figure.low * scale,
        high=None if figure.high is None else figure.high * scale,
        probability=figure.probability,
        to_date=None if figure.to_date is None else figure.to_date * scale,
        to_date_sd=None if figure.to_date_sd is None else figure.to_date_sd * scale,
    )


def comparable(unit: str, other: str) -> bool:
    """Whether two units measure the same."""
    try:
        factor(unit, other)
    except InputError:
        return False
    return True


def interval(figure: Figure | None) -> tuple[float | None, float | None]:
    """5 % and 95 % points: as given, else normal with the sd."""
    if figure is None:
        return None, None
    if figure.low is not None or figure.sd is None:
        return figure.low, figure.high
    return ninety(figure.value, figure.sd)


def chance(bar: Bar, figure: Figure | None) -> float | None:
    """Probability that the test is met: from joint draws if given, else normal."""
    if figure is None:
        return None
    if figure.probability is not None:
        return figure.probability
    return judging.probability(bar.bounds, figure.value, figure.sd)


def row(
    target: Target, bar: Bar, declared: Figure | None, second: Figure | None, basis: str
) -> dict[str, Any]:
    """The standing of one test; figures that are None cannot be decided.

    Parameters
    ----------
    target : Target
    bar : Bar
        The test of it.
    declared, second : Figure or None
        In any unit that converts into the test's.
    basis : str
        Of the second figure. A reconciled figure overrules a declared one; a modelled one only
        stands beside it, and decides where nothing is declared.

    Returns
    -------
    dict
        Numbers in the test's unit; `verdict` is that of the figure which decides;
        `distance` is that figure less the threshold, `shortfall` what would have to be added
        to it to meet the test (0 if met), `probability_verdict` its probability to meet it;
        `probability`, `sd`, `low`, `high` are those of the second figure.
    """
    told, found = (in_unit(figure, bar.test.unit) for figure in (declared, second))
    (low, high), (low_told, high_told) = interval(found), interval(told)
    by = decisive(told, found, basis)
    best = told if by == "declared" and told is not None else found
    return {
        "target": target.id, "test_id": bar.test.id, **_named(target, bar.test),
        "figure": bar.test.figure, "test": bar.text,
        "relation": bar.test.relation, "threshold": bar.threshold,
        **_allowed(bar.bounds), "unit": bar.test.unit,
        "declared": _value(told), "reconciled": _value(found),
        "declared_to_date": told.to_date if told else None,
        "reconciled_to_date": found.to_date if found else None,
        "declared_sd": told.sd if told else None,
        "declared_low": low_told, "declared_high": high_told,
        "sd": found.sd if found else None, "low": low, "high": high,
        "distance_declared": None if told is None else told.value - bar.threshold,
        "distance": None if best is None else best.value - bar.threshold,
        "shortfall": None if best is None else judging.shortfall(bar.bounds, best.value),
        "met_declared": judging.verdict(bar.bounds, _value(told)),
        "met_reconciled": judging.verdict(bar.bounds, _value(found)),
        "verdict": judging.verdict(bar.bounds, _value(best)), "decided_by": by,
        "probability": chance(bar, found), "probability_declared": chance(bar, told),
        "probability_verdict": chance(bar, best),
        "proposal": bar.test.proposal,
    }  # fmt: skip


def decisive(declared: Figure | None, second: Figure | None, basis: str) -> str:
    """Basis of the figure that decides: 'declared', that of the second figure, or ''."""
    if second is not None and (basis == "reconciled" or declared is None):
        return basis
    return "declared" if declared is not None else ""


def contradicted(row: Mapping[str, Any]) -> bool:
    """Whether the two figures of a row lead to opposite verdicts."""
    return {row["met_declared"], row["met_reconciled"]} == {judging.MET, judging.NOT_MET}


def _named(target: Target, test: Test) -> Mapping[str, str]:
    """The indicator, and behind a colon what is compared where that is something else."""
    return {
        "indicator_zh": "：".join(filter(None, (target.indicator_zh, test.measured_zh))),
        "indicator_en": ": ".join(filter(None, (target.indicator_en, test.measured_en))),
    }


def _allowed(bounds: Bounds) -> Mapping[str, float | None]:
    return {"allowed_low": bounds.low, "allowed_high": bounds.high}


def _value(figure: Figure | None) -> float | None:
    return None if figure is None else figure.value


def judged_on(figure: str, *, accumulates: bool, months: int) -> tuple[str, str]:
    """What the figure of a row is, in both languages.

    Examples
    --------
    >>> judged_on("level", accumulates=True, months=10)[1]
    'full-year projection from 10 months'
    """
    if not accumulates:
        return "最近十二个月", "last twelve months"
    if months == 12:
        return "全年", "full year"
    if figure == "growth":
        return f"前{months}个月累计同比", f"growth over the first {months} months"
    return f"由前{months}个月推算全年", f"full-year projection from {months} months"
