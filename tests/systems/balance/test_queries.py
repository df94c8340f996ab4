"""The balance of a small works, end to end: readings posted, questions asked, errors named."""

import numpy as np
import pytest

from cupral.ledger.errors import CannotDecide, InputError, NotFound
from cupral.ledger.explain import explain
from cupral.ledger.ledger import Ledger
from cupral.ledger.result import Result
from cupral.system import ask, call, order
from tests.systems.balance.network import SITE, TRUE_FLOWS, post, register


@pytest.fixture
def works(ledger: Ledger) -> Ledger:
    """A ledger with the small works and one exact month."""
    register(ledger)
    post(ledger, 202601)
    return ledger


def part(result: Result, **wanted: str) -> dict[str, object]:
    """The one part with these values."""
    (row,) = [r for r in result.parts if all(r[k] == v for k, v in wanted.items())]
    return dict(row)


def test_exact_readings_reconcile_to_themselves_and_close(works: Ledger) -> None:
    """With no error there is nothing to adjust, and the unmeasured matte follows."""
    result = ask(works, "balance.streams", site=SITE, period="2026-01")
    for stream, amount in TRUE_FLOWS.items():
        assert part(result, stream=stream)["reconciled"] == pytest.approx(amount, rel=1e-9)
    assert part(result, stream="matte")["reconciled"] == pytest.approx(285.5 / 0.6, rel=1e-9)
    assert part(result, stream="matte")["class"] == "observable"
    assert result.status == "passed"
    assert result.demonstration
    for row in result.tables["balances"]:
        assert abs(row["relative"]) < 1e-12


def test_a_wrong_meter_is_named_set_aside_and_its_true_amount_found(works: Ledger) -> None:
    """The furnace power meter reads 5 % low: named, sized, and replaced by the bus balance."""
    post(works, 202602, scale={"E-furnace-power": 0.95})
    result = ask(works, "balance.streams", site=SITE, period="2026-02")
    (suspect,) = result.tables["suspects"]
    assert set(suspect["group"]) == {"E-furnace-power", "E-grid", "E-other-power"}
    kept = ask(works, "balance.streams", site=SITE, period="2026-02", treatment="keep")
    assert result.status == "not passed"
    assert part(kept, stream="grid")["reconciled"] is not None


def test_one_of_two_scales_cannot_be_told_from_the_other_but_a_third_witness_decides(
    works: Ledger,
) -> None:
    """Sales are weighed twice and checked by the store: the wrong scale is named alone."""
    post(works, 202602, scale={"W-sales-2": 1.10})
    result = ask(works, "balance.streams", site=SITE, period="2026-02")
    (suspect,) = result.tables["suspects"]
    assert suspect["group"] == ["W-sales-2"]
    assert suspect["size"] == pytest.approx(0.1 * TRUE_FLOWS["sales"], rel=0.02)
    assert part(result, stream="sales")["reconciled"] == pytest.approx(
        TRUE_FLOWS["sales"], rel=1e-3
    )
    assert any("W-sales-2" in badge for badge in result.badges)


def test_months_add_up_and_what_a_meter_keeps_adds_coherently(works: Ledger) -> None:
    """Two equal months: the shared part of the sd doubles, the own part grows by root two."""
    post(works, 202602)
    one = ask(works, "balance.months", site=SITE, period="2026-01")
    two = ask(works, "balance.months", site=SITE, period="2026-01..2026-02")
    assert part(two, stream="grid")["reconciled"] == pytest.approx(10000.0)

    def loading(result: Result, kept: bool) -> float:
        """Size of what the grid's meter keeps, or of all own errors."""
        rows = [r for r in result.tables["loadings"] if r["stream"] == "grid"]
        found = [r["loading"] for r in rows if r["group"].startswith("own:") != kept]
        assert found
        return float(np.hypot.reduce(found))

    assert loading(two, True) == pytest.approx(2.0 * loading(one, True))
    assert loading(two, False) == pytest.approx(2.0**0.5 * loading(one, False))
    groups = [{row["group"] for row in result.tables["loadings"]} for result in (one, two)]
    assert {name.split(":")[0] for name in groups[0] ^ groups[1]} == {"own"}
    assert not any(name.startswith("own:") for name in groups[0] & groups[1])
    sd = sum(r["loading"] ** 2 for r in two.tables["loadings"] if r["stream"] == "grid") ** 0.5
    assert part(two, stream="grid")["sd"] == pytest.approx(sd)


def test_recovery_and_losses_share_the_copper_out(works: Ledger) -> None:
    """275 of 282 t of copper leave in blister, 7 in slag."""
    recovered = ask(works, "balance.recoveries", site=SITE, period="2026-01")
    lost = ask(works, "balance.losses", site=SITE, period="2026-01")
    assert part(recovered, product="sales")["recovery"] == pytest.approx(275.0 / 282.0)
    (slag,) = lost.parts
    assert slag["amount"] == pytest.approx(7.0)
    assert slag["share"] == pytest.approx(7.0 / 282.0)


def test_consumption_is_in_standard_coal_and_says_that_the_coefficient_is_unconfirmed(
    works: Ledger,
) -> None:
    """5000 MWh at 122.9 kgce over the tonnes sold."""
    result = ask(works, "balance.consumption", site=SITE, period="2026-01")
    whole = part(result, boundary="comprehensive")
    assert whole["intensity"] == pytest.approx(5000.0 * 122.9 / TRUE_FLOWS["sales"])
    assert whole["unit"] == "kgce/t"
    assert "unconfirmed: balance.standard_coal" in result.badges


def test_element_contents_close_around_the_furnace(works: Ledger) -> None:
    """Copper into smelting equals copper out of it."""
    result = ask(works, "balance.elements", site=SITE, period="2026-01")
    into = sum(row["amount"] for row in result.parts if row["target"] == "smelt")
    out = sum(row["amount"] for row in result.parts if row["source"] == "smelt")
    assert into == pytest.approx(out, rel=1e-12)


def test_reconciled_flows_are_posted_once_and_superseded_by_better_ones(works: Ledger) -> None:
    """The same answer twice is one posting; a corrected reading makes a new one."""
    first = order(works, "balance.reconcile", author="t", site=SITE, period="2026-01")
    again = order(works, "balance.reconcile", author="t", site=SITE, period="2026-01")
    assert (first.status, again.status) == ("posted", "already")
    rows = works.flows(site=SITE, origin="reconciled", period="2026-01").to_pylist()
    assert {row["stream"] for row in rows} == {*TRUE_FLOWS, "matte"}


def test_an_answer_leads_to_its_rows_network_and_parameters(works: Ledger) -> None:
    """Each reference in the lineage can be explained."""
    result = call(works, "balance.streams", site=SITE, period="2026-01")
    kinds = {reference.partition(":")[0] for reference in result.lineage}
    assert kinds == {"flows", "assays", "stocktakes", "network", "parameter"}
    for reference in result.lineage:
        assert explain(works, reference).kind


def test_new_readings_make_the_kept_answer_stale(works: Ledger) -> None:
    """Late data of the same month reopen it; another month does not."""
    call(works, "balance.streams", site=SITE, period="2026-01")
    post(works, 202603)
    assert works.stale_results() == []
    works.reverse("m:202601", author="t", reason="wrong file")
    assert [r.query for r in works.stale_results()] == ["balance.streams"]


def test_what_is_missing_or_wrong_is_said(works: Ledger) -> None:
    """No readings, no site, no such treatment, no such period."""
    with pytest.raises(CannotDecide, match="no meter readings in 2026-05"):
        ask(works, "balance.streams", site=SITE, period="2026-05")
    with pytest.raises(NotFound, match="no network 'nowhere'"):
        ask(works, "balance.streams", site="nowhere", period="2026-01")
    with pytest.raises(InputError, match="treatment 'guess' is not one of"):
        ask(works, "balance.streams", site=SITE, period="2026-01", treatment="guess")
    with pytest.raises(InputError, match="is no period"):
        ask(works, "balance.streams", site=SITE, period="January")
    with pytest.raises(InputError, match="one month"):
        ask(works, "balance.streams", site=SITE, period="2026-01..2026-02")


@pytest.mark.parametrize(
    ("problem", "message"),
    [
        ({"y": [1.0], "sd": [1.0]}, "either A"),
        ({"y": [1.0, 2.0], "sd": [1.0], "A": [[1, -1]]}, "give one of each"),
        ({"y": [1.0, 2.0], "sd": [1.0, -1.0], "A": [[1, -1]]}, "sd is negative"),
        ({"y": [1.0, 2.0], "sd": [0.0, 0.0], "A": [[1, -1]]}, "cannot be reconciled"),
        ({"y": [1.0, 2.0], "sd": [1.0, 1.0], "A": [[1, -1], [1]]}, "differ in length"),
        ({"y": [1.0], "sd": [1.0], "constraints": [[[1.0, {"q": 1}]]]}, "constraints name"),
        ({"y": [1.0, 2.0], "sd": [1.0, 1.0], "A": [[1, -1]], "extra": 1}, "extra"),
    ],
)
def test_a_malformed_problem_is_refused_with_its_reason(
    ledger: Ledger, problem: dict[str, object], message: str
) -> None:
    """Each refusal names what is wrong."""
    with pytest.raises(InputError, match=message):
        ask(ledger, "balance.problem", problem=problem)


@pytest.mark.parametrize(
    "formula", ["__import__('os')", "V.real", "(lambda: 1)()", "V if V else I", "open(V)", "V;I"]
)
def test_a_formula_cannot_be_made_to_execute_anything(ledger: Ledger, formula: str) -> None:
    """Only arithmetic of the given names is let through."""
    with pytest.raises(InputError):
        ask(
            ledger, "balance.propagation", names=["V", "I"], expressions={"R": formula},
            x=[1.0, 2.0], u=[0.1, 0.1],
        )  # fmt: skip


def test_all_sites_are_reconciled_in_one_posting(works: Ledger) -> None:
    """'all' stands for every site with a network; the rows equal those of the site alone."""
    receipt = order(works, "balance.reconcile", author="t", site="all", period="2026-01")
    rows = works.flows(site=SITE, origin="reconciled", period="2026-01").to_pylist()
    assert receipt.rows == len(rows) == len(TRUE_FLOWS) + 1
    assert {row["posting"] for row in rows} == {receipt.id}


ONE_METER = """
site: {id: one, name_en: one, enterprise: firm}
processes: [{id: shop, balances: [energy]}]
streams:
  - {id: AC-1, source: outside, target: shop, material: electricity, carrier: energy, unit: MWh}
  - {id: USED, source: shop, target: outside, material: electricity, carrier: energy, unit: MWh}
meters: [{id: M-1, stream: AC-1, unit: MWh, sd_relative: 0.01}]
"""


def one_meter(ledger: Ledger, *rows: str) -> Result:
    """A site of one meter, its rows of November, and its balance."""
    order(ledger, "balance.define_network", author="e", content=ONE_METER.encode(),
          filename="one.yaml")  # fmt: skip
    content = "\n".join(["meter,start,end,amount", *rows]).encode()
    order(ledger, "balance.import_meters", author="e", site="one", content=content,
          filename="m.csv")  # fmt: skip
    return ask(ledger, "balance.streams", site="one", period="2025-11")


def test_what_nothing_checks_is_not_tested(ledger: Ledger) -> None:
    """One meter agrees with itself; that is no passed test."""
    result = one_meter(ledger, "M-1,2025-11-01,2025-12-01,100")
    (summary,) = result.tables["summary"]
    assert (result.status, summary["verdict"]) == ("not tested", "not tested")
    assert (summary["redundancy"], summary["passed"], summary["p_value"]) == (0, None, None)
    assert not any(badge.startswith("incomplete") for badge in result.badges)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (("M-1,2025-11-01,2025-11-20,100",), "19 of 30 days of 202511 read, M-1"),
        (("M-1,2025-11-01,2025-11-10,40", "M-1,2025-11-10,2025-11-20,60"), "19 of 30 days"),
        (("M-1,2025-11-20,2025-12-10,100",), "11 of 30 days of 202511 read, and 9 days of other"),
    ],
)
def test_a_month_that_was_not_read_to_its_end_is_named(
    ledger: Ledger, rows: tuple[str, ...], said: str
) -> None:
    """The sum of what was read stands, and the answer says of which days it is."""
    result = one_meter(ledger, *rows)
    assert any(badge.startswith("incomplete month: ") and said in badge for badge in result.badges)
    assert part(result, stream="AC-1")["measured"] == 100.0
    assert ask(ledger, "balance.months", site="one", period="2025-11").status == "incomplete"


def test_a_shift_of_hours_is_no_gap(ledger: Ledger) -> None:
    """Meters are read at eight in the morning."""
    result = one_meter(ledger, "M-1,2025-11-01 08:00,2025-12-01 08:00,100")
    assert result.badges == ()


def test_a_stream_whose_meter_is_set_aside_has_the_class_of_its_value(works: Ledger) -> None:
    """Without its meters it has no value, so it is not redundant."""
    post(works, 202602, scale={"E-furnace-power": 0.9})
    result = ask(works, "balance.streams", site=SITE, period="2026-02")
    for row in result.parts:
        known = row["reconciled"] is not None
        assert known == (row["class"] != "unobservable"), row["stream"]
    assert part(result, stream="furnace-power")["class"] == "unobservable"
    kept = ask(works, "balance.streams", site=SITE, period="2026-02", treatment="keep")
    assert part(kept, stream="furnace-power")["class"] == "redundant"


def test_the_two_stocktakes_of_a_month_have_names_of_their_own(works: Ledger) -> None:
    """One meter, two readings: each is named by its day, the meter stands once in the group."""
    post(works, 202602, scale={"S-store": 1.5})
    result = ask(works, "balance.streams", site=SITE, period="2026-02")
    labels = [row["label"] for row in result.tables["meters"]]
    assert len(labels) == len(set(labels))
    assert {"S-store 2026-02-01", "S-store 2026-03-01"} < set(labels)
    (doubt,) = [row for row in result.tables["suspects"] if "S-store" in row["group"]]
    assert doubt["group"].count("S-store") == 1
    assert {"S-store 2026-02-01", "S-store 2026-03-01"} & set(doubt["readings"])
    aside = [badge for badge in result.badges if "S-store" in badge]
    assert aside
    assert all("(202602)" in badge for badge in aside)


def propagated(ledger: Ledger, formula: str, x: float, u: float = 1.0) -> Result:
    """A formula of one input."""
    return ask(ledger, "balance.propagation", names=["a"], expressions={"y": formula}, x=[x], u=[u])


@pytest.mark.parametrize(
    ("formula", "x", "why"),
    [
        ("1/(a-1)", 1.0, r"formula y = 1/\(a-1\) has no finite value at a = 1 \(float division"),
        ("sqrt(a)", -1.0, "math domain error|nonnegative"),
        ("a**0.5", -2.0, "its value is not finite"),
        ("exp(a)", 1000.0, "math range error"),
        ("a*1e200*1e200", 1.0, "its value is not finite"),
        ("log(a)", 0.0, "has no finite value at a = "),
    ],
)
def test_a_formula_without_a_value_is_named(
    ledger: Ledger, formula: str, x: float, why: str
) -> None:
    """Never an infinity, a complex number or a crash."""
    with pytest.raises(InputError, match=why):
        propagated(ledger, formula, x)


def test_an_uncertainty_without_bounds_or_no_formula_is_refused(ledger: Ledger) -> None:
    """The variance would overflow."""
    with pytest.raises(InputError, match="its variance is not finite"):
        propagated(ledger, "a*1e10", 1.0, 1e200)
    with pytest.raises(InputError, match="there is no formula"):
        ask(ledger, "balance.propagation", names=["a"], expressions={}, x=[1.0], u=[1.0])
