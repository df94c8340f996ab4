"""Readings follow the meters' own uncertainty model; faults do what they say; rows are rows."""

from dataclasses import replace

import numpy as np
import pyarrow.compute as pc
import pytest

from cupral.demonstration.calendar import MONTHS
from cupral.demonstration.faults import EFFECTS, FAULTS, KEY, Fault, distorted
from cupral.demonstration.meters import (
    BOUNDARIES,
    meter_files,
    readings,
    true_values,
    uncertainty,
)
from cupral.demonstration.truth import Truth
from cupral.ledger.flow import NOUNS, SCHEMAS
from cupral.ledger.ledger import Ledger
from cupral.ledger.registers import Meter


def fault(kind: str, size: float, first: int = 202603, last: int = 202605) -> Fault:
    return Fault(id="x", site="s", meter="m", kind=kind, size=size, first=first, last=last,
                 zh="", en="")  # fmt: skip


def errors(known: Truth, read: dict) -> dict[str, np.ndarray]:
    """Errors of all meters in their own standard uncertainties."""
    found = {}
    for plant in known.plants:
        for meter in plant.network.meters:
            true = true_values(plant, meter)
            spread = uncertainty(meter, true)
            found[meter.id] = (read[meter.id] - true) / np.where(spread > 0, spread, 1.0)
    return found


def test_errors_have_mean_0_and_sd_1(known: Truth, sound: dict) -> None:
    every = np.concatenate([e for e in errors(known, sound).values() if np.any(e)])
    assert every.mean() == pytest.approx(0.0, abs=0.1)
    assert every.std() == pytest.approx(1.0, abs=0.05)


def test_seven_tenths_of_the_variance_stay_with_the_meter(known: Truth, sound: dict) -> None:
    found = errors(known, sound)
    own = [found[m.id] for p in known.plants for m in p.network.meters
           if m.correlation == 0.7 and not m.correlation_group and np.any(found[m.id])]  # fmt: skip
    within = np.mean([e.var(ddof=1) for e in own])
    between = np.var([e.mean() for e in own], ddof=1) - within / len(MONTHS)
    assert within == pytest.approx(0.3, abs=0.03)
    assert between == pytest.approx(0.7, abs=0.1)


def test_scales_of_one_calibration_err_together(known: Truth, sound: dict) -> None:
    found = errors(known, sound)
    pairs: dict[str, list[float]] = {}
    for plant in known.plants:
        for meter in plant.network.meters:
            if meter.correlation_group:
                pairs.setdefault(meter.correlation_group, []).append(found[meter.id].mean())
    first, second = np.array(list(pairs.values())).T
    assert np.corrcoef(first, second)[0, 1] > 0.9


def test_stocktakes_err_anew_each_time(known: Truth, sound: dict) -> None:
    found = errors(known, sound)
    takes = [found[m.id] for p in known.plants for m in p.network.meters if m.kind == "stocktake"]
    assert np.mean([e.var(ddof=1) for e in takes]) == pytest.approx(1.0, abs=0.1)


def test_uncertainty_combines_relative_and_absolute_parts() -> None:
    meter = Meter(id="m", stream="s", sd_relative=0.03, sd_absolute=4.0)
    assert uncertainty(meter, np.array([100.0, -100.0, 0.0])).tolist() == [5.0, 5.0, 4.0]


def test_the_same_seed_reads_the_same_and_another_does_not(known: Truth, read: dict) -> None:
    again, other = readings(known), readings(known, seed=1)
    assert all(np.array_equal(read[meter], again[meter]) for meter in read)
    assert not np.array_equal(read["cu-dy-1.CONC.belt"], other["cu-dy-1.CONC.belt"])


def test_faults_touch_their_own_meter_and_months_only(read: dict, sound: dict) -> None:
    wrong = {fault.meter: fault for fault in FAULTS}
    assert set(wrong) < set(read)
    for meter, values in read.items():
        changed = values != sound[meter]
        if meter not in wrong:
            assert not changed.any(), meter
            continue
        offset = len(values) - len(MONTHS)
        active = np.array([False] * offset + [wrong[meter].active(month) for month in MONTHS])
        assert (changed == active).all(), meter


def test_planted_faults_name_meters_that_exist(known: Truth) -> None:
    for planted in FAULTS:
        meters = {meter.id for meter in known.plant(planted.site).network.meters}
        assert planted.meter in meters


def test_there_are_at_least_five_faults_of_five_kinds_at_other_sites() -> None:
    assert FAULTS[0] is KEY
    assert len(FAULTS) >= 5
    assert {planted.kind for planted in FAULTS} == set(EFFECTS)
    assert len({planted.site for planted in FAULTS}) == len(FAULTS)


def test_fault_ids_are_distinct_and_told_in_both_languages() -> None:
    assert len({planted.id for planted in FAULTS}) == len(FAULTS)
    assert all(planted.zh and planted.en for planted in FAULTS)


def test_a_fault_survives_its_document() -> None:
    assert Fault(**KEY.document()) == KEY


@pytest.mark.parametrize(
    ("kind", "size", "expected"),
    [
        ("bias", -0.5, [5.0, 5.0, 5.0]),
        ("drift", 0.1, [11.0, 12.0, 13.0]),
        ("factor", 10.0, [100.0, 100.0, 100.0]),
        ("amount", 3.0, [13.0, 13.0, 13.0]),
        ("stuck", 0.0, [10.0, 10.0, 10.0]),
    ],
)
def test_each_kind_of_fault_by_hand(kind: str, size: float, expected: list[float]) -> None:
    wrong = distorted(fault(kind, size), np.full(22, 10.0))
    at = MONTHS.index(202603)
    assert wrong[at : at + 3] == pytest.approx(expected)
    assert wrong[:at].tolist() == [10.0] * at
    assert wrong[at + 3 :].tolist() == [10.0] * (19 - at)


def test_a_stuck_meter_repeats_the_month_before() -> None:
    wrong = distorted(fault("stuck", 0.0, 202602, 202603), np.arange(22.0))
    assert wrong[12:16].tolist() == [12.0, 12.0, 12.0, 15.0]


def test_a_stocktake_fault_hits_the_closing_instant() -> None:
    wrong = distorted(fault("amount", -1.0, 202501, 202501), np.zeros(23))
    assert wrong.tolist() == [0.0, -1.0] + [0.0] * 21


def test_a_fault_leaves_the_sound_readings_as_they_were() -> None:
    sound = np.ones(22)
    distorted(KEY, sound)
    assert sound.tolist() == [1.0] * 22


def test_a_fault_is_active_from_first_to_last_month() -> None:
    planted = replace(KEY, first=202512, last=202601)
    active = [month for month in MONTHS if planted.active(month)]
    assert active == [202512, 202601]


def test_every_reading_is_in_one_file(known: Truth, read: dict) -> None:
    files = meter_files(known, read)
    assert list(files) == list(MONTHS)
    rows = sum(getattr(file, table).num_rows for file in files.values() for table in NOUNS)
    assert rows == sum(len(values) for values in read.values())


@pytest.mark.parametrize("table", list(NOUNS))
def test_rows_have_the_nouns_columns_and_types(known: Truth, read: dict, table: str) -> None:
    rows = getattr(meter_files(known, read)[202603], table)
    assert set(rows.schema.names) >= set(NOUNS[table].__dataclass_fields__)
    for name in NOUNS[table].__dataclass_fields__:
        assert rows.schema.field(name).type == SCHEMAS[table].field(name).type


def test_rows_are_measured_and_flagged(known: Truth, read: dict) -> None:
    files = meter_files(known, read)
    assert len(files) == len(MONTHS)
    for file in files.values():
        for table in NOUNS:
            rows = getattr(file, table)
            assert set(rows["origin"].to_pylist()) == {"measured"}
            assert pc.all(rows["demonstration"]).as_py()


def test_a_row_says_what_its_meter_read(known: Truth, read: dict) -> None:
    rows = meter_files(known, read)[202603].flows.to_pylist()
    (row,) = [row for row in rows if row["meter"] == KEY.meter]
    month = MONTHS.index(202603)
    assert row["amount"] == read[KEY.meter][month]
    assert row["sd"] == pytest.approx(0.002 * row["amount"])
    assert (row["site"], row["stream"], row["material"]) == ("al-yt-1", "AC-2", "electricity")
    assert (row["source"], row["target"], row["unit"]) == ("bus", "rectifier-2", "MWh")
    assert (str(row["start"]), str(row["end"])) == ("2026-03-01 00:00:00", "2026-04-01 00:00:00")


def test_opening_stocks_are_filed_with_the_first_month(known: Truth, read: dict) -> None:
    files = meter_files(known, read)
    first, second = files[202501].stocktakes, files[202502].stocktakes
    assert first.num_rows == 2 * second.num_rows
    assert set(first["instant"].to_pylist()) == set(BOUNDARIES[:2])
    assert set(second["instant"].to_pylist()) == {BOUNDARIES[2]}


def test_a_month_posts_as_one_batch_and_posts_once(
    known: Truth, read: dict, ledger: Ledger
) -> None:
    file = meter_files(known, read)[202603]
    tables = {table: getattr(file, table) for table in NOUNS}
    receipt = ledger.post("meters:202603", author="test", **tables)
    again = ledger.post("meters:202603", author="test", **tables)
    assert (receipt.status, again.status) == ("posted", "already")
    found = ledger.flows(site="al-yt-1", period="2026-03", origin="measured")
    flows = [m for m in known.plant("al-yt-1").network.meters if m.kind == "flow"]
    assert found.num_rows == len(flows)
    assert pc.all(found["demonstration"]).as_py()
