"""The output-based estimate on declared and reconciled outputs, and free growth arithmetic."""

from dataclasses import replace
from typing import Any

import pytest

from cupral.ledger.errors import InputError
from cupral.ledger.flow import OUTSIDE, Flow
from cupral.ledger.ledger import Ledger
from cupral.ledger.period import Period
from cupral.ledger.registers import Meter, Network, Process, Stream
from cupral.ledger.result import Result
from cupral.system import ask
from tests.systems.statistics.filings import (
    PRODUCT,
    file,
    filing,
    flat,
    register,
    two_years,
    year,
)

NAN = float("nan")


def summary(result: Result) -> dict[str, Any]:
    """The one row of the summary table."""
    (row,) = result.tables["summary"]
    return dict(row)


def test_the_estimate_of_output_value_is_output_times_price(ledger: Ledger) -> None:
    """Declared outputs at this year's unit values, said to be modelled."""
    two_years(ledger, {"cu-a": 0.03, "cu-b": 0.1})
    result = ask(ledger, "statistics.estimate", kind="gross_output_value", chain="copper",
                 year=2026)  # fmt: skip
    prices = {"cathode_copper": 72930, "copper_semis": 77520}
    assert result.value == pytest.approx(1030 * 72930 + 1100 * 77520)
    assert result.origin == "modelled"
    assert {"modelled from outputs", "declared, not reconciled: 2 of 2 outputs"} <= set(
        result.badges
    )
    assert {part["product"]: part["unit_value"] for part in result.parts} == prices
    assert summary(result)["reconciled_share"] == 0.0
    base = 1000 * 71500 + 1000 * 76000
    assert summary(result)["growth_pct"] == pytest.approx(100 * (result.value / base - 1))


def test_one_price_is_one_error_for_all_makers(ledger: Ledger) -> None:
    """3 % of the worth of a product, coherent; 1 % of each firm in quadrature."""
    two_years(ledger, {"cu-a": 0.0})
    result = ask(ledger, "statistics.estimate", kind="gross_output_value", chain="copper",
                 year=2026)  # fmt: skip
    assert result.sd == pytest.approx(result.value * (0.03**2 + 0.01**2) ** 0.5)


def test_the_estimate_of_value_added_grows_with_volume(ledger: Ledger) -> None:
    """Last year's prices in both years: price changes do not enter."""
    two_years(ledger, {"cu-a": 0.03})
    result = ask(ledger, "statistics.estimate", kind="value_added", year=2026)
    assert (result.value, result.unit) == (pytest.approx(3.0), "%")
    assert result.sd == pytest.approx(
        100 * ((1.03 * 0.02) ** 2 + (1.03 * 0.01) ** 2 * 2 * (1 - 0.5)) ** 0.5
    )


def test_the_firms_own_value_added_rate_weighs(ledger: Ledger) -> None:
    """Twice the rate, twice the weight of that firm's growth."""
    register(ledger, ["cu-a", "al-a"])
    for firm, rate in (("cu-a", 0.4), ("al-a", 0.2)):
        file(ledger, year(firm, 2025, flat(100.0), value_added_rate=rate))
    file(ledger, year("cu-a", 2026, flat(110.0, 10)))
    file(ledger, year("al-a", 2026, flat(100.0, 10)))
    result = ask(ledger, "statistics.estimate", kind="value_added", year=2026)
    copper, aluminium = 71500 * 0.4, 18300 * 0.2
    assert result.value == pytest.approx(10 * copper / (copper + aluminium))


def test_a_stated_rate_of_zero_is_a_rate(ledger: Ledger) -> None:
    """A firm that adds no value weighs nothing; the product's rate does not stand in."""
    register(ledger, ["cu-a", "al-a"])
    file(ledger, year("cu-a", 2025, flat(100.0), value_added_rate=0.0))
    file(ledger, year("al-a", 2025, flat(100.0), value_added_rate=0.2))
    file(ledger, year("cu-a", 2026, flat(150.0, 10)))
    file(ledger, year("al-a", 2026, flat(103.0, 10)))
    result = ask(ledger, "statistics.estimate", kind="value_added", year=2026)
    assert result.value == pytest.approx(3.0)


def test_a_new_firm_has_no_base_of_zero(ledger: Ledger) -> None:
    """Twice the output of last year's firms alone is no growth of 100 %."""
    two_years(ledger, {"cu-a": 0.02})
    register(ledger, ["cu-b"])
    file(ledger, year("cu-b", 2026, flat(100.0, 10)))
    needed = "last year's returns or a restated figure of cu-b"
    grown = ask(ledger, "statistics.estimate", kind="value_added", chain="copper", year=2026)
    assert (grown.value, grown.status, grown.needs) == (None, "cannot decide", (needed,))
    worth = ask(ledger, "statistics.estimate", kind="revenue", chain="copper", year=2026)
    row = summary(worth)
    assert worth.value == pytest.approx(1020 * 72930 + 1000 * 77520)
    assert (row["growth_pct"], row["full_year"], worth.needs) == (None, None, (needed,))


def test_a_missing_return_leaves_the_estimate_incomplete(ledger: Ledger) -> None:
    """Eight of nine returns give a sum to date, said to be incomplete."""
    register(ledger, ["cu-a"])
    file(ledger, year("cu-a", 2025, flat(100.0)))
    filed = {name: amount for name, amount in flat(103.0).items() if name != "04"}
    file(ledger, year("cu-a", 2026, filed))
    result = ask(ledger, "statistics.estimate", kind="revenue", chain="copper", year=2026)
    assert (result.status, result.needs) == ("incomplete", ("return cu-a:2026-04",))


def test_meters_need_no_return(ledger: Ledger) -> None:
    """Where all months are reconciled in both years, a missing return is not needed."""
    register(ledger, ["cu-a"])
    file(ledger, [filing("cu-a", "2026-03", 100.0)])
    months = Period.parse("2025-01..2025-03").months + Period.parse("2026-01..2026-03").months
    metered(ledger, {month: 101.0 if month > 202600 else 100.0 for month in months})
    result = ask(ledger, "statistics.estimate", kind="value_added", year=2026, through="2026-03")
    assert (result.value, result.status, result.needs) == (pytest.approx(1.0), "ok", ())


def test_a_product_without_a_price_in_one_year_is_needed(ledger: Ledger) -> None:
    """Priced this year only, it has no worth of last year: named, not a crash."""
    two_years(ledger, {"cu-a": 0.0})
    id = "statistics.prices"
    old, _ = ledger.parameters.values[id]
    short = {name: price for name, price in old.value.items() if name != "cathode_copper"}
    book = ledger.book.amended([replace(old, value=short)])
    result = ask(replace(ledger, shipped=book), "statistics.estimate", kind="revenue",
                 chain="copper", year=2026)  # fmt: skip
    assert (result.status, result.needs) == (
        "cannot decide", ("statistics.prices of cathode_copper",),
    )  # fmt: skip


def test_an_unknown_kind_is_refused(ledger: Ledger) -> None:
    """It lists the three."""
    with pytest.raises(InputError, match=r"kind 'profit'.*value_added"):
        ask(ledger, "statistics.estimate", kind="profit", year=2026)


def metered(ledger: Ledger, amounts: dict[int, float]) -> None:
    """A network for the site of cu-a and two scales on its product, month by month."""
    edge = {"source": "tankhouse", "target": "store", "material": "cathode_copper"}
    ledger.register(
        Network(
            site="cu-a-site",
            processes=(
                Process(id="tankhouse", name_zh="电解", name_en="tankhouse", balances=()),
                Process(id="store", name_zh="库", name_en="store"),
            ),
            streams=(
                Stream(id="product", name_zh="p", name_en="p", **edge),
                Stream(id="sales", name_zh="s", name_en="s", source="store", target=OUTSIDE,
                       material="cathode_copper"),
            ),
            meters=(Meter(id="scale", stream="product", sd_relative=0.005),
                    Meter(id="gate", stream="sales", sd_relative=0.005)),
        ),
        author="t",
    )  # fmt: skip
    rows = [
        Flow(site="cu-a-site", stream=stream, source=source, target=target,
             material="cathode_copper", amount=amount, unit="t",
             start=Period.month(month).start, end=Period.month(month).end, origin="measured",
             sd=0.005 * amount, meter=meter)
        for month, amount in amounts.items()
        for stream, source, target, meter in (
            ("product", "tankhouse", "store", "scale"), ("sales", "store", OUTSIDE, "gate"),
        )
    ]  # fmt: skip
    ledger.post("meters", author="t", flows=rows)


def test_reconciled_output_leads_where_there_is_one(ledger: Ledger) -> None:
    """Declared 103 a month, both scales say 101 in both years' months: the estimate follows."""
    two_years(ledger, {"cu-a": 0.03})
    months = Period.parse("2025-01..2025-10").months + Period.parse("2026-01..2026-10").months
    metered(ledger, {month: 101.0 if month > 202600 else 100.0 for month in months})
    result = ask(ledger, "statistics.estimate", kind="value_added", year=2026)
    (part,) = result.parts
    assert (part["basis"], part["base_basis"]) == ("reconciled", "reconciled")
    assert (part["output"], part["declared_output"]) == pytest.approx((1010.0, 1030.0))
    assert result.value == pytest.approx(1.0)
    assert summary(result)["reconciled_share"] == 1.0
    assert any(text.startswith("result:balance.months") for text in result.lineage)
    assert not any("not reconciled" in badge for badge in result.badges)


def test_a_mixed_basis_is_said(ledger: Ledger) -> None:
    """Meters only since this year: the growth mixes two bases, and a badge says for whom."""
    two_years(ledger, {"cu-a": 0.03})
    metered(ledger, dict.fromkeys(Period.parse("2026-01..2026-10").months, 101.0))
    result = ask(ledger, "statistics.estimate", kind="value_added", year=2026)
    assert (
        "growth mixes a reconciled year with a declared one: cu-a cathode_copper" in result.badges
    )


def test_incomplete_meters_do_not_replace_the_declaration(ledger: Ledger) -> None:
    """Nine of ten months are no ten months: declared is used and said."""
    two_years(ledger, {"cu-a": 0.03})
    metered(ledger, dict.fromkeys(Period.parse("2026-01..2026-09").months, 101.0))
    result = ask(ledger, "statistics.estimate", kind="value_added", year=2026)
    assert [part["basis"] for part in result.parts] == ["declared"]


def test_what_the_test_firms_make_has_a_price(ledger: Ledger) -> None:
    """Guards the fixtures: every product of theirs is priced in both years."""
    for dated in ledger.parameters.values["statistics.prices"]:
        assert set(PRODUCT.values()) <= set(dated.value)


# -- free-form growth ------------------------------------------------------------------------


def test_free_growth_queries_answer_with_their_working(ledger: Ledger) -> None:
    """Value and the rows it was made from."""
    forward = ask(ledger, "statistics.growth_forward", base_levels=[2.0, 1.0], yoy_pct=[3.0, 6.0])
    assert forward.value == pytest.approx(4.0)
    assert [row["cumulative_yoy_pct"] for row in forward.parts] == pytest.approx([3.0, 4.0])
    needed = ask(ledger, "statistics.growth_needed", base_done=[3.0], base_rest=[1.0],
                 done_yoy_pct=4.0, target_pct=5.0)  # fmt: skip
    assert needed.value == pytest.approx(8.0)
    assert [row["yoy_pct"] for row in needed.parts] == pytest.approx([4.0, 8.0, 5.0])
    scope = ask(ledger, "statistics.growth_scope", level=104.0, restated=100.0, published=97.0)
    assert scope.value == pytest.approx(4.0)
    assert scope.parts[1]["growth_pct"] == pytest.approx(100 * (104 / 97 - 1))
    average = ask(ledger, "statistics.growth_average", first_pct=-13.5, second_pct=35.1)
    assert average.value == pytest.approx(8.1, abs=0.05)


def test_the_inverse_always_has_an_interval(ledger: Ledger) -> None:
    """The step is a parameter; another one may be given, none below zero."""
    asked = {"base_levels": [2.0, 1.0], "cumulative_yoy_pct": [3.0, 4.0]}
    result = ask(ledger, "statistics.growth_inverse", **asked)
    assert (result.low, result.value, result.high) == pytest.approx((5.75, 6.0, 6.25))
    assert result.lineage == ("parameter:statistics.publication_rounding@2000-01-01",)
    coarse = ask(ledger, "statistics.growth_inverse", **asked, rounding_pct=1.0)
    assert (coarse.low, coarse.high) == pytest.approx((3.5, 8.5))
    with pytest.raises(InputError, match="rounding_pct is -1"):
        ask(ledger, "statistics.growth_inverse", **asked, rounding_pct=-1.0)


@pytest.mark.parametrize(
    ("name", "arguments", "match"),
    [
        ("growth_forward", {"base_levels": [1.0], "yoy_pct": [1.0, 2.0]}, "has 1 periods"),
        ("growth_forward", {"base_levels": [], "yoy_pct": []}, "list of positive levels"),
        ("growth_forward", {"base_levels": [1.0, 0.0], "yoy_pct": [1, 2]}, "positive levels"),
        ("growth_needed", {"base_done": [1], "base_rest": [-1], "done_yoy_pct": 1,
                           "target_pct": 1}, "base_rest must be"),
        ("growth_deflated", {"nominal_pct": 1.0, "price_pct": -100.0}, "less than 100 %"),
        ("growth_scope", {"level": 1.0, "restated": 0.0}, "restated level"),
        ("growth_scope", {"level": 1.0, "restated": 1.0, "published": -1.0}, "published"),
        ("growth_average", {"first_pct": -100.0, "second_pct": 1.0}, "no level to grow from"),
        ("growth_average", {"first_pct": NAN, "second_pct": 1.0}, "first_pct is nan"),
        ("growth_deflated", {"nominal_pct": NAN, "price_pct": 1.0}, "nominal_pct is nan"),
        ("growth_deflated", {"nominal_pct": 1.0, "price_pct": float("inf")}, "price_pct is inf"),
        ("growth_scope", {"level": NAN, "restated": 1.0}, "level is nan"),
        ("growth_scope", {"level": 1.0, "restated": NAN}, "restated is nan"),
        ("growth_scope", {"level": 1.0, "restated": 1.0, "published": NAN}, "published is nan"),
        ("growth_needed", {"base_done": [1], "base_rest": [1], "done_yoy_pct": NAN,
                           "target_pct": 1}, "done_yoy_pct is nan"),
        ("growth_inverse", {"base_levels": [1.0], "cumulative_yoy_pct": [1.0],
                            "rounding_pct": NAN}, "rounding_pct is nan"),
        ("growth_forward", {"base_levels": [1.0], "yoy_pct": [NAN]}, "yoy_pct is .*finite"),
        ("growth_forward", {"base_levels": [float("inf")], "yoy_pct": [1.0]}, "positive levels"),
    ],
)  # fmt: skip
def test_impossible_arithmetic_is_refused(
    ledger: Ledger, name: str, arguments: dict[str, Any], match: str
) -> None:
    """With what is allowed instead."""
    with pytest.raises(InputError, match=match):
        ask(ledger, f"statistics.{name}", **arguments)
