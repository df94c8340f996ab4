"""Levels of a value and of a line, end to end on a small real ledger."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import pytest

from cupral.ledger.errors import CannotDecide, InputError, NotFound
from cupral.ledger.flow import OUTSIDE, Flow
from cupral.ledger.ledger import Ledger
from cupral.ledger.registers import Enterprise, Site
from cupral.system import ask
from tests.systems.efficiency.potlines import (
    AC,
    MONTHS,
    OUTPUT,
    TWELVE,
    declare,
    declared_rows,
    line,
    measure,
    merged,
    network,
    register,
)


def copper(ledger: Ledger, site: str, *, stream: str = "power") -> None:
    """A site with one furnace, its power on the comprehensive boundary."""
    ledger.register(Enterprise(id="c", name_zh="c", name_en="c", chain="copper"), author="t")
    furnace = replace(
        line("L1"), product="cathode_copper", energy_streams=(("comprehensive", stream),)
    )
    ledger.register(
        Site(id=site, name_zh=site, name_en=site, enterprise="c", city="x", lines=(furnace,)),
        author="t",
    )


# -- level -----------------------------------------------------------------------------------


def test_level_says_level_policy_and_source(ledger: Ledger) -> None:
    """Physical and policy level are two fields; the lineage names both parameters."""
    result = ask(ledger, "efficiency.level", norm="cu_concentrate_to_cathode", value=240.0)
    assert (result.value, result.status) == (3.0, "level 3")
    (row,) = result.parts
    assert (row["level"], row["policy_level"]) == (3, "benchmark")
    assert {text.split("@")[0] for text in result.lineage} == {
        "parameter:efficiency.cu_concentrate_to_cathode",
        "parameter:efficiency.benchmark_cu_concentrate_to_cathode",
    }
    assert "unconfirmed: efficiency.cu_concentrate_to_cathode" in result.badges


def test_level_without_value_fails_level_three(ledger: Ledger) -> None:
    """No number stands for 'no level'."""
    result = ask(ledger, "efficiency.level", norm="al_liquid_ac", value=13355)
    assert (result.value, result.status) == (None, "fails level 3")


def test_level_uses_the_rules_of_its_own_day(ledger: Ledger) -> None:
    """GB 21346-2022 is in force from 2024: before, nothing can be decided."""
    result = ask(ledger, "efficiency.level", norm="al_liquid_ac", value=12950, on="2024-01")
    assert result.value == 1.0
    with pytest.raises(CannotDecide, match="no value on 2023-12-31"):
        ask(ledger, "efficiency.level", norm="al_liquid_ac", value=12950, on="2023-12-31")


def test_a_replaced_norm_is_shown_with_a_badge(ledger: Ledger) -> None:
    """The 2012 acid norm ended in May 2025; asked without a day it says so."""
    result = ask(ledger, "efficiency.level", norm="acid_smelter_gas_energy", value=3.0)
    assert result.value == 2.0
    assert "replaced on 2025-06-01: efficiency.acid_smelter_gas_energy" in result.badges
    with pytest.raises(CannotDecide):
        ask(ledger, "efficiency.level", norm="acid_smelter_gas_energy", value=3.0, on="2026-01")
    after = ask(ledger, "efficiency.level", norm="acid_copper_gas_upto_13_energy", value=6.0,
                on="2026-01")  # fmt: skip
    assert after.value == 2.0


def test_level_refuses_another_boundary(ledger: Ledger) -> None:
    """12,990 kWh/t of comprehensive AC is no liquid AC; the error names the norms that fit."""
    with pytest.raises(InputError, match=r"grades the boundary 'liquid_ac'.*al_liquid_comp_ac"):
        ask(ledger, "efficiency.level", norm="al_liquid_ac", value=12990,
            boundary="liquid_comprehensive_ac")  # fmt: skip


def test_an_unknown_norm_lists_the_known_ones(ledger: Ledger) -> None:
    """With a hint at the nearest."""
    with pytest.raises(NotFound, match=r"did you mean .*alumina_bayer_comp.*Norms: .*al_liquid_ac"):
        ask(ledger, "efficiency.level", norm="alumina_bayer", value=340)


# -- energy_level ----------------------------------------------------------------------------


def test_energy_level_is_the_twelve_month_weighted_mean(declared: Ledger) -> None:
    """Energy over output of twelve months, not a mean of monthly ratios."""
    result = ask(declared, "efficiency.energy_level", site="north", line="L1", through="2026-10")
    assert result.value == pytest.approx(AC["L1"])
    assert (result.period, result.unit, result.status) == (TWELVE, "kWh/t", "level 1")
    assert result.origin == "declared"
    assert "declared, not reconciled: north L1" in result.badges


def test_energy_level_weights_months_by_output(ledger: Ledger) -> None:
    """A small month with a bad ratio weighs little."""
    register(ledger, networks=False)
    declare(ledger, MONTHS[:-1], lines=["L1"])
    start, end = merged("2026-10")
    rows = [
        Flow(site="north", stream=f"return:line:L1:{what}", source=a, target=b, material=m,
             amount=x, unit=u, start=start, end=end, origin="declared", meter="return")
        for what, a, b, m, x, u in (
            ("output", "north", OUTSIDE, "primary_aluminium", 3000.0, "t"),
            ("liquid_ac", OUTSIDE, "north", "electricity", 3000.0 * 14.0, "MWh"),
        )
    ]  # fmt: skip
    ledger.post("october", author="t", flows=rows)
    result = ask(ledger, "efficiency.energy_level", site="north", line="L1", through="2026-10")
    weight = 11 * OUTPUT["L1"]
    mean = (weight * AC["L1"] + 3000 * 14000) / (weight + 3000)
    assert result.value == pytest.approx(mean)


def test_energy_level_stands_on_reconciled_flows_where_there_are(metered: Ledger) -> None:
    """Declared 1 % too low, the meters say 13,000: both rows are shown, reconciled leads."""
    result = ask(metered, "efficiency.energy_level", site="north", line="L2", through="2026-10")
    rows = {row["asked"]: row for row in result.parts}
    assert result.origin == "reconciled"
    assert rows["reconciled"]["intensity"] == pytest.approx(13000, rel=1e-9)
    assert rows["declared"]["intensity"] == pytest.approx(12870, rel=1e-9)
    assert (rows["reconciled"]["level"], rows["declared"]["level"]) == (2, 1)
    assert 5 < result.sd < 80
    assert result.low < 13000 < result.high
    assert any(text.startswith("result:balance.months") for text in result.lineage)


def test_energy_level_gives_the_chance_of_each_level(metered: Ledger) -> None:
    """At the bound of level 2 the chances of levels 1+2 and of 3 are even."""
    result = ask(metered, "efficiency.energy_level", site="north", line="L2", through="2026-10")
    row = result.parts[0]
    assert row["p_level1"] + row["p_level2"] == pytest.approx(0.5, abs=0.01)
    assert row["p_level3"] == pytest.approx(0.5, abs=0.01)


def test_a_boundary_that_the_line_lacks_is_an_error(declared: Ledger) -> None:
    """It names those the line has."""
    with pytest.raises(InputError, match=r"no energy on boundary 'comprehensive'.*liquid_ac, dc"):
        ask(declared, "efficiency.energy_level", site="north", line="L1", boundary="comprehensive")


def test_dc_is_reported_but_not_graded(metered: Ledger) -> None:
    """2 % below AC, and no norm grades it: a number without a level."""
    result = ask(metered, "efficiency.energy_level", site="north", line="L1", boundary="dc",
                 through="2026-10")  # fmt: skip
    assert result.value == pytest.approx(0.98 * AC["L1"])
    assert result.status == "no norm grades this boundary"
    assert "level" not in result.parts[0]


def test_the_norm_of_another_boundary_is_refused_for_a_line(declared: Ledger) -> None:
    """A line's liquid AC cannot be graded by the comprehensive norm."""
    with pytest.raises(InputError, match="al_liquid_comp_ac"):
        ask(declared, "efficiency.energy_level", site="north", line="L1",
            norm="al_liquid_comp_ac")  # fmt: skip


def test_unknown_lines_and_missing_rows(declared: Ledger, ledger: Ledger) -> None:
    """A wrong line lists the right ones; no rows means 'cannot decide' with what is needed."""
    with pytest.raises(NotFound, match="its lines: L1, L2"):
        ask(declared, "efficiency.energy_level", site="north", line="L9")
    early = ask(declared, "efficiency.energy_level", site="north", line="L1", through="2025-06")
    assert early.status == "cannot decide"
    assert early.needs == ("output of north L1", "energy of north L1 on liquid_ac")


def test_through_defaults_to_the_last_declared_month(declared: Ledger) -> None:
    """Nothing named: the twelve months that end with the latest return."""
    result = ask(declared, "efficiency.energy_level", site="north", line="L1")
    assert result.period == TWELVE


def test_copper_needs_its_route(ledger: Ledger) -> None:
    """Product and boundary leave several norms; the error lists them."""
    copper(ledger, "cu")
    with pytest.raises(InputError, match=r"several routes.*cu_concentrate_to_cathode"):
        ask(ledger, "efficiency.energy_level", site="cu", line="L1", boundary="comprehensive")


def test_copper_in_standard_coal(ledger: Ledger) -> None:
    """1,709 MWh on 1,000 t of cathode is 1.709 x 122.9 = 210 kgce/t: level 1, inclusive."""
    copper(ledger, "cu")
    start, end = merged("2026-03")
    rows = [
        Flow(site="cu", stream=f"return:line:L1:{what}", source=a, target=b, material=m,
             amount=x, unit=u, start=start, end=end, origin="declared", meter="return")
        for what, a, b, m, x, u in (
            ("output", "cu", OUTSIDE, "cathode_copper", 1000.0, "t"),
            ("comprehensive", OUTSIDE, "cu", "energy", 210.0 / 0.1229, "MWh"),
        )
    ]  # fmt: skip
    ledger.post("r", author="t", flows=rows)
    result = ask(ledger, "efficiency.energy_level", site="cu", line="L1",
                 boundary="comprehensive", norm="cu_concentrate_to_cathode")  # fmt: skip
    assert result.value == pytest.approx(210.0)
    assert (result.unit, result.status) == ("kgce/t", "level 1")
    assert "incomplete: cu L1 lacks 11 of 12 months" in result.badges


# -- one coefficient, one set of months --------------------------------------------------------


def smelter(ledger: Ledger, months: Sequence[int]) -> None:
    """A furnace whose power is metered in some months, on the comprehensive boundary."""
    copper(ledger, "north", stream="ac-L1")
    made = network("north")
    streams = tuple(
        replace(s, material="cathode_copper") if s.id == "metal-L1" else s for s in made.streams
    )
    ledger.register(replace(made, streams=streams), author="t")
    measure(ledger, months, sites=("north",))


def test_standard_coal_is_taken_on_one_day(ledger: Ledger) -> None:
    """An amended coefficient divides and multiplies alike: the declared figure uses the new one."""
    copper(ledger, "north")
    rows = [
        row for what in ("output", "comprehensive")
        for row in declared_rows("north", "L1", what, MONTHS, intensity=1.0)
    ]  # fmt: skip
    ledger.post("r", author="t", flows=rows)
    id = "efficiency.standard_coal_electricity"
    (old,) = ledger.parameters.values[id]
    new = replace(old, valid_from=date(2026, 1, 1), value=0.2, status="unconfirmed")
    book = ledger.book.amended([new])
    result = ask(replace(ledger, shipped=book), "efficiency.energy_level", site="north",
                 line="L1", boundary="comprehensive", norm="cu_concentrate_to_cathode",
                 through="2026-10")  # fmt: skip
    assert result.value == pytest.approx(200.0)
    assert new.reference in result.lineage
    assert f"unconfirmed: {id}" in result.badges


def test_reconciled_standard_coal_claims_only_the_months_it_has(ledger: Ledger) -> None:
    """Meters of nine months: three of twelve are said to be missing."""
    smelter(ledger, MONTHS[3:])
    result = ask(ledger, "efficiency.energy_level", site="north", line="L1",
                 boundary="comprehensive", norm="cu_concentrate_to_cathode",
                 through="2026-10")  # fmt: skip
    assert result.origin == "reconciled"
    assert "incomplete: north L1 lacks 3 of 12 months" in result.badges
    assert result.parts[0]["missing_months"] == 3


def test_a_value_that_is_no_number_reaches_no_level(ledger: Ledger) -> None:
    """NaN is neither level 1 nor a failure of level 3."""
    with pytest.raises(InputError, match="value is nan"):
        ask(ledger, "efficiency.level", norm="al_liquid_ac", value=float("nan"))
