"""Returns copy the enterprises' own meters, and together they say what the plan reads."""

from collections.abc import Iterable

import numpy as np
import pytest

from cupral.demonstration.calendar import MONTHS
from cupral.demonstration.faults import KEY
from cupral.demonstration.parameters import value
from cupral.demonstration.province import ENTRANT, enterprises
from cupral.demonstration.returns import STANDARD_COAL, books, prices, spans
from cupral.demonstration.truth import Truth
from cupral.ledger.ledger import Ledger
from cupral.system import order

TO_DATE = ("JF", *(f"{month:02d}" for month in range(3, 11)))
TWELVE = ("2025-11", "2025-12", "2026-JF", *(f"2026-{month:02d}" for month in range(3, 11)))
CHAINS = {firm.id: firm.chain for firm in enterprises()}


def amounts(
    filed: dict, item: str, periods: Iterable[str], chain: str = "", **wanted: str
) -> float:
    """Sum of an item over periods [its unit]."""
    return sum(
        row["amount"]
        for period in periods
        for one in filed[period]
        if chain in ("", CHAINS[one["enterprise"]])
        for row in one["items"]
        if row["item"] == item and all(row.get(name) == text for name, text in wanted.items())
    )


def year(number: int, parts: Iterable[str] = (*TO_DATE, "11", "12")) -> list[str]:
    return [f"{number}-{part}" for part in parts]


def projected(filed: dict, item: str, chain: str = "", **wanted: str) -> float:
    """2026 if the rest of the year grows like the months to date."""
    base = amounts(filed, item, year(2025), chain, **wanted)
    done = amounts(filed, item, year(2025, TO_DATE), chain, **wanted)
    return base * amounts(filed, item, year(2026, TO_DATE), chain, **wanted) / done


def declared_intensity(filed: dict, site: str, line: str) -> float:
    """Declared liquid AC of a series over twelve months [kWh/t]."""
    energy = amounts(filed, "line_energy", TWELVE, site=site, line=line, boundary="liquid_ac")
    return 1000.0 * energy / amounts(filed, "line_output", TWELVE, site=site, line=line)


def shares(known: Truth, filed: dict) -> tuple[float, float]:
    """Declared share above benchmark, and what it would be with the key fault undone."""
    total = declared = undone = 0.0
    for plant in known.plants:
        for line in plant.site.lines:
            if line.product == "primary_aluminium":
                used = declared_intensity(filed, plant.site.id, line.id)
                total += line.capacity
                declared += line.capacity * (used <= 13000.0)
                planted = (plant.site.id, line.id) == (KEY.site, "series-2")
                right = used / (1.0 + KEY.size) if planted else used
                undone += line.capacity * (right <= 13000.0)
    return declared / total, undone / total


def test_the_declared_share_is_met_only_because_of_the_faulty_meter(
    known: Truth, filed: dict
) -> None:
    declared, undone = shares(known, filed)
    assert 0.36 < declared < 0.37
    assert 0.33 < undone < 0.345


def test_the_faulty_series_is_declared_below_13000(filed: dict) -> None:
    assert 12800 < declared_intensity(filed, KEY.site, "series-2") < 13000


def test_no_declared_series_stands_so_near_that_rounding_decides(known: Truth, filed: dict) -> None:
    used = {
        (plant.site.id, line.id): declared_intensity(filed, plant.site.id, line.id)
        for plant in known.plants
        for line in plant.site.lines
        if line.product == "primary_aluminium"
    }
    assert len(used) > 5
    assert [key for key, value in used.items() if abs(value - 13000.0) <= 10.0] == []


@pytest.mark.parametrize(
    ("product", "total"), [("cathode_copper", 1.65e6), ("copper_semis", 5.77e5)]
)
def test_declared_outputs_of_2025_are_the_base_within_meter_error(
    filed: dict, product: str, total: float
) -> None:
    assert amounts(filed, "output", year(2025), product=product) == pytest.approx(total, rel=3e-3)


@pytest.mark.parametrize(
    ("product", "target"), [("cathode_copper", 1.70e6), ("copper_semis", 6.0e5)]
)
def test_projected_outputs_lie_around_the_plan(filed: dict, product: str, target: float) -> None:
    assert projected(filed, "output", product=product) == pytest.approx(target, rel=5e-3)


def test_copper_gross_output_value_just_passes_2000(filed: dict) -> None:
    assert 2.000e11 < projected(filed, "gross_output_value", "copper") < 2.03e11


def test_aluminium_revenue_just_passes_6600(filed: dict) -> None:
    assert 6.600e11 < projected(filed, "revenue", "aluminium") < 6.68e11


def test_value_added_grows_about_5_percent_at_comparable_prices(filed: dict) -> None:
    real = base = 0.0
    for period in year(2026, TO_DATE):
        before = {one["enterprise"]: one for one in filed[period.replace("2026", "2025")]}
        for one in filed[period]:
            firm = one["enterprise"]
            now = {row["item"]: row["amount"] for row in one["items"] if row["item"] != "output"}
            real += now["value_added"] / (one["price_index"] / 100.0)
            base += (
                one["restated"]["value_added"]
                if firm == ENTRANT
                else sum(r["amount"] for r in before[firm]["items"] if r["item"] == "value_added")
            )
    assert 100.0 * (real / base - 1.0) == pytest.approx(5.0, abs=0.2)


def test_growth_over_the_published_base_would_be_wrong(filed: dict) -> None:
    """The entrant lifts this year's level, not last year's published one."""
    now = amounts(filed, "output", year(2026, TO_DATE), product="aluminium_semis")
    published = amounts(filed, "output", year(2025, TO_DATE), product="aluminium_semis")
    restated = published + sum(
        one["restated"]["output:aluminium_semis"]
        for period in year(2026, TO_DATE)
        for one in filed[period]
        if one["enterprise"] == ENTRANT
    )
    assert now / published - now / restated > 0.004
    assert now / restated - 1.0 == pytest.approx(value("growth")["aluminium_semis"], abs=3e-3)


def test_january_and_february_are_returned_together(filed: dict) -> None:
    assert list(filed)[:2] == ["2025-JF", "2025-03"]
    assert not {"2025-01", "2025-02", "2026-01", "2026-02"} & set(filed)
    assert len(filed) == 20


def test_periods_cover_every_month_once() -> None:
    covered = [month for period, window in spans() for month in MONTHS[window]]
    assert covered == list(MONTHS)
    assert all(period.months == MONTHS[window] for period, window in spans())


def test_every_enterprise_returns_once_a_period_and_the_entrant_from_2026(filed: dict) -> None:
    firms = {firm.id for firm in enterprises()}
    assert len(filed) > 12
    for period, listed in filed.items():
        names = [one["enterprise"] for one in listed]
        assert len(names) == len(set(names))
        assert set(names) == (firms if period.startswith("2026") else firms - {ENTRANT})


def test_only_the_entrant_restates(filed: dict) -> None:
    restating = {
        one["enterprise"] for listed in filed.values() for one in listed if one.get("restated")
    }
    assert restating == {ENTRANT}


def test_a_return_copies_the_primary_meter_faulty_or_not(read: dict, filed: dict) -> None:
    declared = amounts(filed, "line_energy", ["2026-05"], site=KEY.site, line="series-2",
                       boundary="liquid_ac")  # fmt: skip
    assert declared == pytest.approx(read[KEY.meter][MONTHS.index(202605)])


def test_merged_months_are_the_sum_of_both(read: dict, filed: dict) -> None:
    declared = amounts(filed, "line_output", ["2026-JF"], site="al-wf-1", line="series-1")
    assert declared == pytest.approx(read["al-wf-1.METAL-1.crucible"][12:14].sum())


def test_outputs_of_an_enterprise_are_those_of_its_lines(filed: dict) -> None:
    for period in ("2025-JF", "2026-07"):
        for one in filed[period]:
            made: dict[str, float] = {}
            for row in one["items"]:
                if row["item"] == "line_output":
                    made[row["product"]] = made.get(row["product"], 0.0) + row["amount"]
            stated = {r["product"]: r["amount"] for r in one["items"] if r["item"] == "output"}
            assert set(made) <= set(stated)
            for product, amount in made.items():
                assert stated[product] == pytest.approx(amount)


def test_value_added_is_output_value_times_the_rate(filed: dict) -> None:
    assert filed["2026-04"]
    for one in filed["2026-04"]:
        money = {row["item"]: row["amount"] for row in one["items"] if row["unit"] == "CNY"}
        assert money["value_added"] == pytest.approx(
            money["gross_output_value"] * one["value_added_rate"]
        )
        assert money["revenue"] > money["gross_output_value"]


def test_smelters_return_acid_gold_and_silver(filed: dict) -> None:
    (one,) = [one for one in filed["2026-04"] if one["enterprise"] == "e-cu-3"]
    stated = {r["product"]: r["amount"] for r in one["items"] if r["item"] == "output"}
    assert set(stated) == {"cathode_copper", "sulphuric_acid", "gold", "silver"}
    assert 0.5 < stated["gold"] < 3.0
    assert stated["sulphuric_acid"] > stated["cathode_copper"]


def test_gold_of_the_province_is_tens_of_tonnes(filed: dict) -> None:
    assert 20 < amounts(filed, "output", year(2025), product="gold") < 45


def test_comprehensive_energy_is_declared_at_its_electricity_equivalent(
    known: Truth, read: dict
) -> None:
    (book,) = [book for book in books(known, read) if book.id == "e-cu-1"]
    _, energy = book.lines["cu-dy-1", "cathode", "comprehensive"]
    parts = {"E-SMELT.submeter": "electricity", "E-GAS.submeter": "electricity",
             "E-TANK.submeter": "electricity", "E-AUX.submeter": "electricity",
             "COAL.belt": "coal", "NGAS.gas_meter": "natural_gas"}  # fmt: skip
    coal = sum(read[f"cu-dy-1.{meter}"] * STANDARD_COAL[kind] for meter, kind in parts.items())
    coal = coal - read["cu-dy-1.STEAM.gas_meter"] * STANDARD_COAL["heat"]
    np.testing.assert_allclose(energy, coal / STANDARD_COAL["electricity"], rtol=1e-12)


@pytest.mark.parametrize(
    ("firm", "low", "high"),
    [("e-cu-1", 190, 210), ("e-cu-2", 200, 215), ("e-cu-3", 215, 230), ("e-cu-4", 270, 310)],
)
def test_smelters_use_energy_near_the_norms(
    known: Truth, read: dict, firm: str, low: float, high: float
) -> None:
    (book,) = [book for book in books(known, read) if book.id == firm]
    energy = next(a for (_, _, what), (_, a) in book.lines.items() if what == "comprehensive")
    intensity = STANDARD_COAL["electricity"] * energy.sum() / book.outputs["cathode_copper"].sum()
    assert low < intensity < high


def test_ore_route_smelters_together_reach_level_1(known: Truth, read: dict) -> None:
    energy = output = 0.0
    for book in books(known, read):
        if book.id in ("e-cu-1", "e-cu-2", "e-cu-3"):
            for (_, _, what), (_, amount) in book.lines.items():
                if what == "comprehensive":
                    energy += amount.sum()
            output += book.outputs["cathode_copper"].sum()
    assert STANDARD_COAL["electricity"] * energy / output < 210.0


def test_an_enterprise_with_two_sites_adds_them(known: Truth, read: dict) -> None:
    (book,) = [book for book in books(known, read) if book.id == "e-al-1"]
    assert len({site for site, _, _ in book.lines}) == 2
    every = [read[m] for m in read if m.split(".")[0] in ("al-bz-1", "al-bz-2")
             and m.split(".")[1].startswith("METAL-")]  # fmt: skip
    np.testing.assert_allclose(book.outputs["primary_aluminium"], np.sum(every, axis=0))


def test_prices_average_to_their_parameter_and_rise_as_stated() -> None:
    assert set(prices()) == set(value("price_growth"))
    for product, path in prices().items():
        assert path[:12].mean() == pytest.approx(value("prices")[product])
        rise = path[12:] / path[:10] - 1.0
        assert rise == pytest.approx(np.full(10, value("price_growth")[product]))


def test_the_price_index_of_one_product_is_its_price_rise(filed: dict) -> None:
    (one,) = [one for one in filed["2026-09"] if one["enterprise"] == "e-cs-1"]
    assert one["price_index"] == pytest.approx(100.0 * (1 + value("price_growth")["copper_semis"]))


def test_the_first_year_states_no_price_index(filed: dict) -> None:
    assert all("price_index" not in one for one in filed["2025-07"])
    assert all("price_index" in one for one in filed["2026-07"])


def test_statistics_takes_the_returns_without_a_question(
    known: Truth, filed: dict, ledger: Ledger
) -> None:
    for firm in enterprises():
        ledger.register(firm, author="test")
    for plant in known.plants:
        ledger.register(plant.site, author="test")
    for period in ("2025-03", "2026-03"):
        done = order(ledger, "statistics.file_returns", author="test", returns=filed[period])
        assert done.status == "posted"
        assert done.warnings == ()
    rows = ledger.flows(origin="declared", period="2026-03")
    assert rows.num_rows == sum(len(one["items"]) for one in filed["2026-03"])
    assert all(rows["demonstration"].to_pylist())
