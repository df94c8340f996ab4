"""The whole demonstration once: built, told, explained, corrected; on the systems users call."""

from pathlib import Path

import pytest

from cupral import system
from cupral.demonstration import SENTENCE_EN, build, report, story
from cupral.demonstration.faults import FAULTS, KEY
from cupral.demonstration.story import corrected_file
from cupral.demonstration.truth import FILE
from cupral.ledger.errors import Conflict
from cupral.ledger.ledger import Ledger


class Told:
    """A built demonstration, with what was seen before and after its story."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.steps: list[tuple[str, float]] = []
        self.ledger: Ledger = build(folder, progress=lambda *step: self.steps.append(step))
        self.status = system.call(self.ledger, "plan.status", through="2026-10")
        self.before = report(self.ledger, folder)
        self.doubted = system.ask(self.ledger, "balance.streams", site=KEY.site, period="2026-05")
        self.head = self.ledger.head
        self.file = corrected_file(self.ledger)
        self.lines = story(self.ledger, folder)
        self.after = report(self.ledger, folder)

    def row(self, test: str) -> dict:
        """The row of one test of the status before the story."""
        return next(dict(row) for row in self.status.parts if row["test_id"] == test)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """Built once for this file."""
    return Told(tmp_path_factory.mktemp("demonstration") / "province")


def test_the_story_takes_at_most_25_lines_and_begins_with_the_sentence(told: Told) -> None:
    assert len(told.lines) <= 25
    assert told.lines[0] == SENTENCE_EN


def test_all_eight_targets_are_told(told: Told) -> None:
    text = "\n".join(told.lines)
    assert all(any(line.startswith(f"T{n} ") for line in told.lines) for n in range(1, 9))
    assert "cannot decide" not in text


def test_the_share_is_met_as_declared_and_not_as_reconciled(told: Told) -> None:
    row = told.row("T8-level")
    assert row["met_declared"] == "met"
    assert row["met_reconciled"] == "not met"
    assert 36.0 < row["declared"] < 37.0
    assert 33.0 < row["reconciled"] < 34.5
    assert row["probability"] < 0.1


@pytest.mark.parametrize("test", ["T1-growth", "T2-level", "T2-growth", "T3-level", "T3-growth"])
def test_growth_and_outputs_are_met_on_both_figures(told: Told, test: str) -> None:
    row = told.row(test)
    assert row["met_declared"] == "met"
    assert row["met_reconciled"] == "met"


def test_copper_output_value_is_just_met(told: Told) -> None:
    assert 2000.0 < told.row("T4-level")["declared"] < 2030.0


def test_the_faulty_meter_is_named_alone(told: Told) -> None:
    groups = [row["group"] for row in told.doubted.tables["suspects"]]
    assert groups == [[KEY.meter]]


def test_the_size_of_the_fault_is_seen_within_its_uncertainty(told: Told) -> None:
    (row,) = told.doubted.tables["suspects"]
    reading = next(m for m in told.doubted.tables["meters"] if m["meter"] == KEY.meter)
    true = KEY.size / (1.0 + KEY.size) * reading["reading"]
    assert row["size"] == pytest.approx(true, abs=3.0 * row["size_sd"])


def test_every_planted_fault_is_found_and_few_sound_months_alarm(told: Told) -> None:
    assert [finding.fault.id for finding in told.before.missed] == []
    assert len(told.before.found) == len(FAULTS)
    assert told.before.false_rate <= 0.05


def test_the_key_fault_is_named_in_most_of_its_months(told: Told) -> None:
    finding = next(f for f in told.before.findings if f.fault.id == KEY.id)
    assert finding.alone >= 10


def test_the_story_checks_itself_against_the_truth(told: Told) -> None:
    text = "\n".join(told.lines)
    assert "generator's truth 13,121 kWh/t" in text
    assert "truth 33.54 % (off by +0.00)" in text
    assert KEY.meter in text


def test_the_command_that_explains_is_given_and_works(told: Told) -> None:
    from cupral.ledger.explain import explain

    (line,) = [line for line in told.lines if line.startswith("explain:")]
    reference = line.split("'")[1]
    assert "T8-level" in str(explain(told.ledger, reference).content)


def test_the_corrected_file_holds_the_wrong_months_only(told: Told) -> None:
    rows = told.file.decode().splitlines()
    assert rows[0] == "meter,period,amount,unit"
    assert [row.split(",")[1] for row in rows[1:]] == [
        "2025-11", "2025-12", *(f"2026-{month:02d}" for month in range(1, 11))
    ]  # fmt: skip


def test_the_corrected_file_is_posted_and_marks_what_stood_on_it(told: Told) -> None:
    text = "\n".join(told.lines)
    assert "12 rows" in text
    assert "1 plan.status" in text
    assert "2 efficiency.share" in text
    assert "balance.months" in text


def test_results_of_other_sites_stay_fresh(told: Told) -> None:
    fresh = told.ledger.versions(
        system.ask(told.ledger, "balance.months", site="cu-dy-1", period="2026-01..2026-10").key
    )
    assert fresh[0]["version"] == 1
    assert fresh[0]["stale_since"] is None


def test_the_target_is_a_new_version_and_the_old_one_is_kept(told: Told) -> None:
    versions = told.ledger.versions(told.status.key)
    assert [version["version"] for version in versions] == [2, 1]
    assert versions[1]["body"]["parts"] == told.status.document()["parts"]
    assert told.ledger.stale_results() == []


def test_after_the_correction_the_meter_is_believed_and_the_answer_is_surer(told: Told) -> None:
    answer = system.ask(told.ledger, "efficiency.share", through="2026-10")
    row = next(r for r in answer.parts if (r["site"], r["line"]) == (KEY.site, "series-2"))
    assert 13080 < row["intensity"] < 13160
    assert not row["above"]
    months = system.ask(told.ledger, "balance.months", site=KEY.site, period="2025-11..2026-10")
    assert not any(KEY.meter in doubt["group"] for doubt in months.tables["suspects"])


def test_the_report_after_the_correction_says_so(told: Told) -> None:
    assert [finding.fault.id for finding in told.after.corrected] == [KEY.id]
    assert told.after.missed == ()


def test_everything_in_the_ledger_is_flagged(told: Told) -> None:
    for table in (told.ledger.flows(), told.ledger.assays(), told.ledger.stocktakes()):
        assert table.num_rows
        assert all(table["demonstration"].to_pylist())
    assert told.status.demonstration
    assert all(document.demonstration for document in told.ledger.documents("return"))


def test_reconciled_flows_of_every_site_and_month_are_posted(told: Told) -> None:
    rows = told.ledger.totals(by=("site", "month"), origin="reconciled").to_pylist()
    assert len({(row["site"], row["month"]) for row in rows}) == 25 * 22


def test_progress_runs_from_0_to_1(told: Told) -> None:
    shares = [share for _, share in told.steps]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0.0, 1.0)


def test_the_truth_stays_beside_the_ledger_and_not_in_it(told: Told) -> None:
    assert (told.folder / FILE).is_file()
    assert all("truth" not in posting["id"] for posting in told.ledger.postings())


def test_a_folder_with_a_ledger_is_not_built_over(told: Told) -> None:
    with pytest.raises(Conflict, match="give an empty folder"):
        build(told.folder)
