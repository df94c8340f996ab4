"""Laws of a balance: it closes, it does not depend on units of order, its sd is honest."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cupral.systems.balance.compute.layout import layout
from cupral.systems.balance.compute.report import balances, streams
from cupral.systems.balance.compute.solve import solve
from cupral.systems.balance.compute.statement import of_month, total
from cupral.systems.balance.model import MonthBalance, Reading
from tests.systems.balance.network import STORED, TRUE_FLOWS, TRUE_FRACTIONS, works

MONTH = 202601
SLOW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def readings(noise: dict[str, float] | None = None) -> list[Reading]:
    """Exact readings plus noise in sd of each meter."""
    found = []
    for meter in works().meters:
        truth = {
            "flow": TRUE_FLOWS.get(meter.stream, 0.0),
            "assay": TRUE_FRACTIONS.get(meter.stream, 0.0),
            "stocktake": 100.0,
        }[meter.kind]
        kinds = ("opening", "closing") if meter.kind == "stocktake" else (meter.kind,)
        for kind in kinds:
            value = truth + (STORED if kind == "closing" else 0.0)
            sd = abs(truth) * meter.sd_relative + meter.sd_absolute
            found.append(
                Reading(
                    meter=meter.id, where=meter.stream, kind=kind, element=meter.element,
                    value=value + sd * (noise or {}).get(f"{meter.id}:{kind}", 0.0), sd=sd,
                    unit=meter.unit, group=f"works/{meter.id}", correlation=meter.correlation,
                    references=(),
                )
            )  # fmt: skip
    return found


def reconciled(rows: list[Reading], treatment: str = "keep") -> MonthBalance:
    """The month solved."""
    return solve(MONTH, layout(works(), rows), treatment=treatment, level=0.05)


NOISE = st.lists(st.floats(-2.5, 2.5), min_size=19, max_size=19)


def noise_of(values: list[float]) -> dict[str, float]:
    """Noise by meter and kind."""
    names = [f"{r.meter}:{r.kind}" for r in readings()]
    return dict(zip(names, values, strict=False))


@SLOW
@given(NOISE)
def test_every_balance_closes(values: list[float]) -> None:
    """Whatever the meters say, the reconciled month balances to 1e-9 of its terms."""
    for row in balances(reconciled(readings(noise_of(values)))):
        assert abs(row["relative"]) < 1e-9


@SLOW
@given(NOISE, st.randoms(use_true_random=False))
def test_the_order_of_readings_does_not_matter(values: list[float], random: object) -> None:
    """Shuffled readings give the same flows."""
    rows = readings(noise_of(values))
    shuffled = rows.copy()
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    one, other = reconciled(rows), reconciled(shuffled)
    for a, b in zip(streams(one), streams(other), strict=True):
        assert a["reconciled"] == pytest.approx(b["reconciled"], rel=1e-9)


@SLOW
@given(NOISE)
def test_reconciling_never_makes_a_flow_less_sure(values: list[float]) -> None:
    """The sd of a measured flow after reconciliation is at most that of its meter."""
    balance = reconciled(readings(noise_of(values)))
    for position, reading in balance.layout.readings.items():
        assert balance.final.sd[position] <= reading.sd * (1.0 + 1e-9)


def test_the_stated_sd_is_the_scatter_of_many_noisy_months() -> None:
    """Monte Carlo: 400 noisy months scatter by what the statement says (within 4 sigma)."""
    random = np.random.default_rng(7)
    names = [f"{r.meter}:{r.kind}" for r in readings()]
    values = []
    for _ in range(400):
        noise = dict(zip(names, random.standard_normal(len(names)), strict=True))
        balance = reconciled(readings(noise))
        values.append([row["reconciled"] for row in streams(balance)])
    stated = np.array([row["sd"] for row in streams(reconciled(readings()))])
    scatter = np.std(np.array(values), axis=0)
    assert np.all(np.abs(scatter / stated - 1.0) < 4.0 / np.sqrt(2 * 400))


def test_a_statement_of_one_month_has_the_sd_of_the_reconciliation() -> None:
    """Groups and independent parts together are the whole uncertainty."""
    balance = reconciled(readings())
    statement = of_month(balance)
    for row in streams(balance):
        position = statement.index((row["stream"], ""))
        assert statement.sd[position] == pytest.approx(row["sd"], rel=1e-9)


def test_a_month_without_a_stream_makes_the_sum_unknown() -> None:
    """A sum over months of which one is unknown is not a number."""
    rows = [r for r in readings() if r.where not in ("grid", "other-power")]
    known, unknown = of_month(reconciled(readings())), of_month(reconciled(rows))
    position = total([known, unknown]).index(("grid", ""))
    assert np.isnan(total([known, unknown]).value[position])


def test_without_a_closing_stocktake_the_change_of_stock_is_unknown_not_zero() -> None:
    """The store then checks nothing: sales are only as sure as their own scales."""
    rows = [r for r in readings() if r.kind != "closing"]
    balance = reconciled(rows)
    with_stock = reconciled(readings())
    assert balance.final.redundancy == with_stock.final.redundancy - 1
