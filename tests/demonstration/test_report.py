"""Found, missed and false, counted by hand on small cases."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from cupral.demonstration.calendar import MONTHS
from cupral.demonstration.faults import FAULTS, Fault
from cupral.demonstration.report import FaultReport, judge, report, troubled
from cupral.demonstration.truth import save, truth
from cupral.ledger.ledger import Ledger
from tests.ledger.rows import assay, flow, stocktake

BIAS = Fault(id="b", site="a", meter="a.m", kind="bias", size=0.1, first=202603, last=202605,
             zh="偏", en="biased")  # fmt: skip
STOCK = replace(BIAS, id="s", site="c", meter="c.m", kind="amount", last=202603)


def doubts(*named: tuple[str, int, set[str]]) -> dict:
    found: dict = {}
    for site, month, group in named:
        found.setdefault((site, month), []).append(frozenset(group))
    return found


def only(report: FaultReport):
    (finding,) = report.findings
    return finding


def test_a_fault_named_alone_in_one_month_is_found() -> None:
    finding = only(judge([BIAS], doubts(("a", 202604, {"a.m"})), ["a"]))
    assert (finding.found, finding.months, finding.named, finding.alone) == (True, 3, 1, 1)


def test_a_fault_named_in_a_group_is_found_but_not_alone() -> None:
    finding = only(judge([BIAS], doubts(("a", 202604, {"a.m", "a.n"})), ["a"]))
    assert (finding.named, finding.alone) == (1, 0)


def test_a_fault_named_twice_in_a_month_counts_once_and_by_its_smaller_group() -> None:
    named = doubts(("a", 202604, {"a.m", "a.n"}), ("a", 202604, {"a.m"}))
    finding = only(judge([BIAS], named, ["a"]))
    assert (finding.named, finding.alone) == (1, 1)


def test_naming_another_meter_misses_the_fault() -> None:
    report = judge([BIAS], doubts(("a", 202604, {"a.n"})), ["a"])
    assert [finding.fault.id for finding in report.missed] == ["b"]
    assert report.found == ()


def test_a_doubt_beside_an_active_fault_is_no_false_alarm() -> None:
    report = judge([BIAS], doubts(("a", 202604, {"a.n"})), ["a"])
    assert (report.false_months, report.healthy_months) == (0, len(MONTHS) - 3)


def test_a_doubt_before_the_fault_is_a_false_alarm() -> None:
    report = judge([BIAS], doubts(("a", 202602, {"a.m"})), ["a"])
    assert report.false_months == 1
    assert not only(report).found


def test_doubts_at_a_sound_site_are_false_alarms_counted_by_month() -> None:
    named = doubts(("z", 202602, {"z.m"}), ("z", 202602, {"z.n"}), ("z", 202603, {"z.m"}))
    report = judge([BIAS], named, ["a", "z"])
    assert report.false_months == 2
    assert report.healthy_months == 2 * len(MONTHS) - 3
    assert report.false_rate == pytest.approx(2 / 41)


def test_a_wrong_closing_stock_also_troubles_the_month_after() -> None:
    assert troubled(STOCK) == [202603, 202604]
    assert troubled(replace(STOCK, first=202610, last=202610)) == [202610]
    assert troubled(BIAS) == [202603, 202604, 202605]


def test_corrected_months_count_as_sound() -> None:
    corrected = {"b": frozenset({202603, 202604})}
    report = judge([BIAS], doubts(("a", 202604, {"a.m"})), ["a"], corrected)
    finding = only(report)
    assert (finding.months, finding.corrected, finding.named) == (1, 2, 0)
    assert report.false_months == 1


def test_a_fault_corrected_throughout_is_neither_found_nor_missed() -> None:
    corrected = {"b": frozenset({202603, 202604, 202605})}
    report = judge([BIAS], {}, ["a"], corrected)
    assert report.found == report.missed == ()
    assert [finding.fault.id for finding in report.corrected] == ["b"]
    assert "corrected since 1" in str(report)


def test_a_corrected_stock_also_opens_the_next_month_right() -> None:
    assert troubled(STOCK, frozenset({202603})) == []
    both = replace(STOCK, last=202604)
    assert troubled(both, frozenset({202603})) == [202604, 202605]
    report = judge([STOCK], {}, ["c"], {"s": frozenset({202603})})
    assert [finding.fault.id for finding in report.corrected] == ["s"]


@pytest.mark.parametrize(
    ("meter", "batch"),
    [
        ("LAB-S1", {"assays": [assay(fraction=0.3, month=202603)]}),
        ("M-S1", {"flows": [flow(amount=3.0, month=202603)]}),
        ("YARD", {"stocktakes": [stocktake(meter="YARD", instant=datetime(2026, 3, 31, 23))]}),
    ],
)
def test_a_corrected_reading_of_any_kind_is_no_longer_missed(
    ledger: Ledger, tmp_path: Path, meter: str, batch: dict
) -> None:
    """Not of flows only: the planted faults are in assays and stocktakes too."""
    fault = replace(BIAS, site="A", meter=meter, first=202603, last=202603)
    save(truth(), [fault.document()], tmp_path)
    ledger.post("wrong", author="me", **batch)
    assert report(ledger, tmp_path).missed
    ledger.post("right", author="me", **batch, supersede=True)
    assert report(ledger, tmp_path).missed == ()


def test_no_doubts_at_all_miss_every_fault() -> None:
    report = judge(FAULTS, {}, [fault.site for fault in FAULTS])
    assert len(report.missed) == len(FAULTS)
    assert report.false_months == 0


def test_the_report_names_each_fault_with_its_count() -> None:
    text = str(judge([BIAS, STOCK], doubts(("a", 202603, {"a.m"})), ["a", "c"]))
    head, first, second = text.splitlines()
    assert head.startswith("planted faults 2: found 1, missed 1; false alarms 0 of 39")
    assert "a.m: biased; named in 1 of 3 months, alone in 1" in first
    assert "c.m: biased; named in 0 of 2 months" in second
