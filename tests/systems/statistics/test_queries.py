"""Output, output value, revenue and value added, end to end."""

from typing import Any

import pytest

from cupral.ledger.errors import CannotDecide, InputError
from cupral.ledger.explain import explain
from cupral.ledger.ledger import Ledger
from cupral.ledger.result import Result
from cupral.system import ask, call
from tests.systems.statistics.filings import (
    file,
    filing,
    flat,
    item,
    register,
    two_years,
    year,
)


def summary(result: Result) -> dict[str, Any]:
    """The one row of the summary table."""
    (row,) = result.tables["summary"]
    return dict(row)


def output(ledger: Ledger, **more: Any) -> Result:
    """Declared output of cathode copper in 2026."""
    return ask(ledger, "statistics.output", product="cathode_copper", year=2026, **more)


# -- levels ----------------------------------------------------------------------------------


def test_output_to_date_with_its_growth(ledger: Ledger) -> None:
    """Ten months, growth over the same months of last year, one row a firm."""
    two_years(ledger, {"cu-a": 0.03, "cu-b": 0.5})
    result = output(ledger)
    row = summary(result)
    assert (result.value, result.unit, result.origin) == (pytest.approx(1030.0), "t", "declared")
    assert (result.period, result.status) == ("2026-01..2026-10", "ok")
    assert row["growth_pct"] == pytest.approx(3.0)
    assert row["full_year_origin"] == "modelled"
    (part,) = result.parts
    assert (part["enterprise"], part["city"], part["cluster"]) == (
        "cu-a", "city-cu-a", "cluster-cu-a",
    )  # fmt: skip
    assert result.low < result.value < result.high


def test_through_cuts_both_years(ledger: Ledger) -> None:
    """To April only: January-February merged counts as two months."""
    two_years(ledger, {"cu-a": 0.03})
    result = output(ledger, through="2026-04")
    row = summary(result)
    assert (result.value, row["base_to_date"], row["base_rest"]) == pytest.approx((412, 400, 800))
    assert row["months"] == 4


def test_a_full_year_is_declared_not_modelled(ledger: Ledger) -> None:
    """Twelve months filed: the full year is the sum."""
    two_years(ledger, {"cu-a": 0.03}, until=12)
    row = summary(output(ledger))
    assert (row["full_year"], row["full_year_origin"]) == (pytest.approx(1236.0), "declared")


def test_parts_sum_to_the_whole(ledger: Ledger) -> None:
    """Revenue of a chain over its firms; the other chain does not enter."""
    two_years(ledger, {"cu-a": 0.03, "cu-b": 0.1, "al-a": 0.2})
    result = ask(ledger, "statistics.revenue", year=2026, chain="copper")
    assert sum(part["to_date"] for part in result.parts) == pytest.approx(result.value)
    assert {part["enterprise"] for part in result.parts} == {"cu-a", "cu-b"}
    both = ask(ledger, "statistics.revenue", year=2026, chain="")
    assert both.value == pytest.approx(11 * (1030 + 1100 + 1200))
    aluminium = ask(ledger, "statistics.revenue", year=2026)
    assert aluminium.value == pytest.approx(11 * 1200)


def test_a_missing_return_is_needed_not_guessed(ledger: Ledger) -> None:
    """The sum to date is of what is filed, growth is like for like, and the gap is named."""
    register(ledger, ["cu-a"])
    file(ledger, year("cu-a", 2025, flat(100.0)))
    filed = {name: amount for name, amount in flat(103.0, 6).items() if name != "04"}
    file(ledger, year("cu-a", 2026, filed))
    result = output(ledger)
    assert result.status == "incomplete"
    assert result.needs == ("return cu-a:2026-04",)
    assert summary(result)["growth_pct"] == pytest.approx(3.0)
    assert summary(result)["full_year"] == pytest.approx(1236.0)


def test_january_alone_needs_january(ledger: Ledger) -> None:
    """Merged with February, January has no figure of its own."""
    two_years(ledger, {"cu-a": 0.03})
    with pytest.raises(CannotDecide, match="has filed a return for 2026-01"):
        output(ledger, through="2026-01")


def test_last_year_merged_and_this_year_single(ledger: Ledger) -> None:
    """Both months are filed: the merged base fits; January alone has no base."""
    register(ledger, ["cu-a"])
    file(ledger, year("cu-a", 2025, flat(100.0)))
    file(ledger, [filing("cu-a", "2026-01", 104.0), filing("cu-a", "2026-02", 106.0)])
    assert summary(output(ledger, through="2026-02"))["growth_pct"] == pytest.approx(5.0)
    january = output(ledger, through="2026-01")
    assert summary(january)["growth_pct"] is None
    assert january.needs == ("last year's returns or a restated figure of cu-a",)


def test_a_firm_outside_the_list_does_not_count(ledger: Ledger) -> None:
    """Below designated size this year: neither its output nor its base."""
    two_years(ledger, {"cu-a": 0.03})
    register(ledger, ["cu-b"])
    small = {"above_designated_size": False}
    rows = [item("output", 500.0, "t", product="cathode_copper")]
    file(ledger, [filing("cu-b", "2025-03", 1.0, items=rows),
                  filing("cu-b", "2026-03", 1.0, items=rows, **small)])  # fmt: skip
    row = summary(output(ledger))
    assert row["growth_pct"] == pytest.approx(3.0)
    assert row["published_base"] == pytest.approx(1000.0)


def test_a_firm_that_entered_brings_its_base_along(ledger: Ledger) -> None:
    """Not in last year's list, but it filed: its figures restate the base."""
    two_years(ledger, {"cu-a": 0.03})
    register(ledger, ["cu-b"])
    rows = [item("output", 50.0, "t", product="cathode_copper")]
    periods = flat(1.0, 10)
    file(ledger, year("cu-b", 2025, flat(1.0), items=rows, above_designated_size=False))
    file(ledger, year("cu-b", 2026, periods, items=rows))
    row = summary(output(ledger))
    assert row["base_to_date"] == pytest.approx(1000 + 50 * len(periods))
    assert row["published_base"] == pytest.approx(1000.0)
    assert row["growth_pct"] == pytest.approx(100 * ((1030 + 450) / (1000 + 450) - 1))
    assert row["growth_on_published_base_pct"] == pytest.approx(48.0)


def test_without_any_base_there_is_a_level_but_no_growth(ledger: Ledger) -> None:
    """The level stands, the growth says what it needs."""
    register(ledger, ["cu-a"])
    file(ledger, [filing("cu-a", "2026-03", 100.0)])
    result = output(ledger, through="2026-03")
    assert result.value == pytest.approx(100.0)
    assert summary(result)["growth_pct"] is None
    assert summary(result)["full_year"] is None
    assert "last year's returns or a restated figure of cu-a" in result.needs


def test_a_restated_figure_replaces_the_filed_one(ledger: Ledger) -> None:
    """Restated by this year's return: last year's row does not count twice."""
    register(ledger, ["cu-a"])
    file(ledger, [filing("cu-a", "2025-03", 100.0), filing("cu-a", "2025-04", 100.0)])
    restated = {"output:cathode_copper": 80.0}
    file(ledger, [filing("cu-a", "2026-03", 100.0, restated=restated),
                  filing("cu-a", "2026-04", 100.0)])  # fmt: skip
    row = summary(output(ledger, through="2026-04"))
    assert row["base_to_date"] == pytest.approx(180.0)
    assert row["published_base"] == pytest.approx(200.0)


def test_silence_on_money_is_needed_silence_on_a_product_is_zero(ledger: Ledger) -> None:
    """A return without revenue is incomplete; one without gold made none."""
    register(ledger, ["cu-a"])
    rows = [item("output", 5.0, "t", product="cathode_copper")]
    file(ledger, [filing("cu-a", "2026-03", 1.0, items=rows)])
    money = ask(ledger, "statistics.revenue", year=2026, chain="copper", through="2026-03")
    assert "revenue of return cu-a:2026-03" in money.needs
    gold = ask(ledger, "statistics.output", product="gold", year=2026, through="2026-03")
    assert gold.value == 0.0


def test_questions_that_make_no_sense_are_refused(ledger: Ledger) -> None:
    """Each error names what is allowed."""
    with pytest.raises(CannotDecide, match="no return of 2026"):
        output(ledger)
    two_years(ledger, {"cu-a": 0.03})
    with pytest.raises(InputError, match=r"product 'tin'.*cathode_copper"):
        ask(ledger, "statistics.output", product="tin", year=2026)
    with pytest.raises(InputError, match="chain 'zinc'"):
        ask(ledger, "statistics.revenue", year=2026, chain="zinc")
    with pytest.raises(InputError, match="does not lie in 2026"):
        output(ledger, through="2025-12")
    with pytest.raises(CannotDecide, match="no aluminium enterprise"):
        ask(ledger, "statistics.revenue", year=2026)


def test_levels_lead_to_rows_and_parameters(ledger: Ledger) -> None:
    """Both years' rows of the figure, nothing else."""
    two_years(ledger, {"cu-a": 0.03, "cu-b": 0.1})
    result = call(ledger, "statistics.output", product="cathode_copper", year=2026)
    flows = [text for text in result.lineage if text.startswith("flows:")]
    assert len(flows) == 2 * 9
    assert explain(ledger, flows[0])
    assert "unconfirmed: statistics.declared_relative_sd" in result.badges


def test_a_corrected_return_changes_the_kept_result(ledger: Ledger) -> None:
    """Superseding one return makes the kept output stale."""
    two_years(ledger, {"cu-a": 0.03})
    call(ledger, "statistics.output", product="cathode_copper", year=2026)
    file(ledger, [filing("cu-a", "2026-10", 203.0)], supersede=True)
    assert [result.query for result in ledger.stale_results()] == ["statistics.output"]
    assert output(ledger).value == pytest.approx(1130.0)


def test_a_year_of_nothing_has_no_growth(ledger: Ledger) -> None:
    """Only aluminium firms file, all twelve months: copper is 0 t, and 0 over 0 is no growth."""
    two_years(ledger, {"al-a": 0.02}, until=12)
    result = output(ledger)
    row = summary(result)
    assert (result.value, row["full_year"], row["full_year_growth_pct"]) == (0.0, 0.0, None)


def test_a_full_year_over_an_unknown_base_has_no_growth(ledger: Ledger) -> None:
    """cu-b has no last year: the year of both over that of cu-a alone would be +100 %."""
    two_years(ledger, {"cu-a": 0.0}, until=12)
    register(ledger, ["cu-b"])
    rows = [item("output", 100.0, "t", product="cathode_copper")]
    file(ledger, year("cu-b", 2026, flat(1.0), items=rows))
    assert summary(output(ledger))["full_year_growth_pct"] is None


def test_a_rest_of_the_year_below_zero_has_no_growth(ledger: Ledger) -> None:
    """Value added may be negative: a year's base of 0 divides nothing."""
    register(ledger, ["cu-a"])
    for period, amount in (("2025-03", 100.0), ("2025-04", -100.0), ("2026-03", 110.0)):
        rows = [item("value_added", amount, "CNY")]
        file(ledger, [filing("cu-a", period, 1.0, items=rows)])
    row = summary(ask(ledger, "statistics.value_added_growth", year=2026, through="2026-03"))
    assert (row["growth_pct"], row["full_year_sd_pct"]) == (pytest.approx(10.0), None)


# -- value added -----------------------------------------------------------------------------


def test_value_added_grows_at_comparable_prices(ledger: Ledger) -> None:
    """Nominal +10 % at prices +5 %: real +4.76 %; points of the firms add up."""
    register(ledger, ["cu-a", "al-a"])
    for firm in ("cu-a", "al-a"):
        file(ledger, year(firm, 2025, flat(100.0)))
    file(ledger, year("cu-a", 2026, flat(110.0, 10), price_index=105.0))
    file(ledger, year("al-a", 2026, flat(100.0, 10), price_index=100.0))
    result = ask(ledger, "statistics.value_added_growth", year=2026)
    assert result.unit == "%"
    assert result.value == pytest.approx(50 * (1.1 / 1.05 - 1))
    assert sum(part["points_pct"] for part in result.parts) == pytest.approx(result.value)
    assert summary(result)["nominal_growth_pct"] == pytest.approx(5.0)
    assert summary(result)["full_year_growth_pct"] == pytest.approx(result.value)
    assert summary(result)["full_year_sd_pct"] > result.sd
    copper = ask(ledger, "statistics.value_added_growth", year=2026, chain="copper")
    assert copper.value == pytest.approx(100 * (1.1 / 1.05 - 1))


def test_without_a_price_index_nothing_can_be_deflated(ledger: Ledger) -> None:
    """No index in the return and none in the parameters: cannot decide, by name."""
    register(ledger, ["cu-a"])
    file(ledger, [filing("cu-a", "2025-03", 100.0)])
    file(ledger, [filing("cu-a", "2026-03", 110.0, price_index=None)])
    with pytest.raises(CannotDecide) as caught:
        ask(ledger, "statistics.value_added_growth", year=2026, through="2026-03")
    assert caught.value.needs == ("statistics.price_index",)


def test_value_added_without_a_base_cannot_be_decided(ledger: Ledger) -> None:
    """A growth needs last year."""
    register(ledger, ["cu-a"])
    file(ledger, [filing("cu-a", "2026-03", 110.0)])
    result = ask(ledger, "statistics.value_added_growth", year=2026, through="2026-03")
    assert (result.value, result.status) == (None, "cannot decide")
    assert result.needs == ("last year's returns or a restated figure of cu-a",)


def test_growth_over_the_published_base_is_shown_as_the_other_number(ledger: Ledger) -> None:
    """The trap: a firm entered the list, so the published base is too small."""
    register(ledger, ["cu-a", "cu-b"])
    file(ledger, [filing("cu-a", "2025-03", 100.0),
                  filing("cu-b", "2025-03", 20.0, above_designated_size=False)])  # fmt: skip
    file(ledger, [filing("cu-a", "2026-03", 104.0), filing("cu-b", "2026-03", 20.8)])
    row = summary(ask(ledger, "statistics.value_added_growth", year=2026, through="2026-03"))
    assert row["growth_pct"] == pytest.approx(4.0)
    assert row["growth_on_published_base_pct"] == pytest.approx(24.8)
