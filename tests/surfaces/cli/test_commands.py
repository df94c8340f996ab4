"""Each command of the command line, on the workshop."""

import io
import json
import os
import zipfile
from pathlib import Path

import pytest
import sqlalchemy as sa

from cupral.ledger.ledger import Ledger
from cupral.ledger.stores import schema
from cupral.system import ask, call, order
from tests.surfaces.cli.test_app import Line
from tests.surfaces.workshop import NETWORK, SITE, SUSPECT, meter_file


@pytest.fixture
def line(workshop: Ledger, capsys: pytest.CaptureFixture[str]) -> Line:
    """Command lines on the workshop."""
    return Line(workshop.folder, capsys)


@pytest.fixture
def april(tmp_path: Path) -> Path:
    """The meter file of April."""
    path = tmp_path / "april.csv"
    path.write_bytes(meter_file(("2026-04",)))
    return path


class TestQueries:
    """Commands made from signatures."""

    def test_a_query_prints_value_status_and_parts(self, line: Line) -> None:
        text = line.run("balance", "streams", "--site", SITE, "--period", "2026-03")
        assert "not passed" in text
        assert SUSPECT in text
        assert "from flows:" in text

    def test_json_is_the_whole_result(self, line: Line, workshop: Ledger) -> None:
        document = line.json("balance", "streams", "--site", SITE, "--period", "2026-03")
        expected = ask(workshop, "balance.streams", site=SITE, period="2026-03")
        assert document == json.loads(json.dumps(expected.document()))

    def test_structured_arguments_are_json(self, line: Line) -> None:
        problem = {"names": ["a", "b"], "y": [1.0, 2.0], "sd": [1.0, 1.0], "A": [[1.0, -1.0]]}
        document = line.json("balance", "problem", "--problem", json.dumps(problem))
        assert document["parts"][0]["reconciled"] == pytest.approx(1.5)

    def test_a_required_option_is_asked_for(self, line: Line) -> None:
        _, error = line.both("balance", "streams", "--period", "2026-03", code=2)
        assert "--site" in error

    def test_a_command_is_ordered_and_audited(
        self, line: Line, workshop: Ledger, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("CUPRAL_AUTHOR", "analyst")
        line.run("plan", "report-progress", "--clause", "T09-M1", "--unit", "省发展改革委",
                 "--progress", "30", "--on", "2026-05-31")  # fmt: skip
        latest = workshop.records.audit(1)[0]
        assert (latest["author"], latest["outcome"]) == ("analyst", "done")

    def test_a_command_takes_files_by_name(self, line: Line, april: Path) -> None:
        document = line.json("balance", "import-meters", "--site", SITE, "--content", str(april),
                             "--filename", "april.csv")  # fmt: skip
        assert document["status"] == "posted"


class TestImport:
    """`cupral import`."""

    def test_a_dry_run_posts_nothing(self, line: Line, april: Path, workshop: Ledger) -> None:
        text = line.run("import", "meters", str(april), "--site", SITE, "--dry-run")
        assert "dry run, 7 rows read" in text
        assert workshop.head == 1

    def test_rows_are_posted_once(self, line: Line, april: Path, workshop: Ledger) -> None:
        assert "7 posted" in line.run("import", "meters", str(april), "--site", SITE)
        assert "already" in line.run("import", "meters", str(april), "--site", SITE)
        assert workshop.head == 2

    def test_the_report_is_json_if_asked(self, line: Line, april: Path) -> None:
        report = line.json("import", "meters", str(april), "--site", SITE)
        assert (report["status"], report["rows_posted"]) == ("posted", 7)

    def test_a_contradiction_needs_correct(
        self, line: Line, tmp_path: Path, workshop: Ledger
    ) -> None:
        path = tmp_path / "march.csv"
        path.write_bytes(meter_file(("2026-03",), **{SUSPECT: 1000.0}))
        _, error = line.both("import", "meters", str(path), "--site", SITE, code=2)
        assert "faulty rows" in error
        assert workshop.head == 1
        line.run("import", "meters", str(path), "--site", SITE, "--correct")
        assert ask(workshop, "balance.streams", site=SITE, period="2026-03").status == "passed"

    def test_gaps_are_taken_if_asked(self, line: Line, tmp_path: Path) -> None:
        path = tmp_path / "gap.csv"
        path.write_text("meter,period,amount\nCONC.belt,2026-04,1000\nCONC.belt,2026-06,1000\n")
        _, error = line.both("import", "meters", str(path), "--site", SITE, code=2)
        assert "--accept-gaps" in error
        text = line.run("import", "meters", str(path), "--site", SITE, "--accept-gaps")
        assert "2 posted" in text

    def test_faults_are_told_by_row_and_column(self, line: Line, tmp_path: Path) -> None:
        path = tmp_path / "bad.csv"
        path.write_text("meter,period,amount\nCONC.belt,2026-04,1O\nNONE,2026-04,5\n")
        _, error = line.both("import", "meters", str(path), "--site", SITE, code=2)
        assert "1O" in error
        assert "amount" in error
        assert "Traceback" not in error

    def test_a_missing_file_is_told(self, line: Line) -> None:
        _, error = line.both("import", "assays", "gone.csv", "--site", SITE, code=2)
        assert "gone.csv cannot be read" in error

    @pytest.mark.parametrize("kind", ["meters", "assays", "stocktakes", "returns"])
    @pytest.mark.parametrize("ending", [".csv", ".xlsx"])
    def test_templates_are_written(
        self, line: Line, tmp_path: Path, kind: str, ending: str
    ) -> None:
        out = tmp_path / f"{kind}{ending}"
        line.run("import", "template", kind, "--out", str(out))
        assert out.stat().st_size > 20

    def test_returns_of_unknown_enterprises_are_refused(self, line: Line, tmp_path: Path) -> None:
        out = tmp_path / "returns.csv"
        line.run("import", "template", "returns", "--out", str(out))
        _, error = line.both("import", "returns", str(out), code=2)
        assert "faulty rows" in error or "not allowed" in error


class TestNetwork:
    """`cupral network`."""

    def test_show_lists_processes_streams_and_meters(self, line: Line) -> None:
        text = line.run("network", "show", SITE)
        for word in ("processes", "streams", "meters", "smelting", "CONC.bridge", "version 1"):
            assert word in text

    def test_without_a_site_the_sites_are_listed(self, line: Line) -> None:
        text = line.run("network", "show")
        assert "Dongying Workshop" in text
        assert line.json("network", "show")[0]["network"] == 1

    def test_show_as_json(self, line: Line) -> None:
        assert len(line.json("network", "show", SITE)["meters"]) == 7

    @pytest.mark.parametrize("ending", [".yaml", ".xlsx"])
    def test_export_and_define_are_inverse(self, line: Line, tmp_path: Path, ending: str) -> None:
        out = tmp_path / f"n{ending}"
        line.run("network", "export", SITE, "--out", str(out))
        assert "already" in line.run("network", "define", str(out))

    def test_define_registers_a_new_site(
        self, line: Line, tmp_path: Path, workshop: Ledger
    ) -> None:
        path = tmp_path / "new.yaml"
        path.write_text(NETWORK.replace("ws-1", "ws-2"), encoding="utf-8")
        line.run("network", "define", str(path), "--dry-run")
        assert workshop.networks() == [SITE]
        line.run("network", "define", str(path))
        assert workshop.networks() == [SITE, "ws-2"]

    def test_a_faulty_file_names_its_line(self, line: Line, tmp_path: Path) -> None:
        path = tmp_path / "bad.yaml"
        path.write_text(NETWORK.replace("target: smelting", "target: smeltign"), encoding="utf-8")
        _, error = line.both("network", "define", str(path), code=2)
        assert "smeltign" in error
        assert "did you mean" in error

    def test_an_unknown_site_is_told_with_those_there_are(self, line: Line) -> None:
        _, error = line.both("network", "show", "none", code=2)
        assert SITE in error


class TestTrust:
    """`cupral explain`, `audit`, `reverse`."""

    def test_a_row_is_explained(self, line: Line, workshop: Ledger) -> None:
        posting = workshop.postings()[0]["id"]
        text = line.run("explain", f"flows:{posting}/0")
        assert "quarter.csv" in text
        assert f"<- posting:{posting}" in text

    def test_a_result_is_explained_whether_kept_or_not(self, line: Line, workshop: Ledger) -> None:
        key = f"result:balance.streams?period=2026-03&site={SITE}"
        assert "<- flows:" in line.run("explain", key)
        kept = call(workshop, "balance.streams", site=SITE, period="2026-03")
        document = line.json("explain", f"result:{kept.key}")
        assert document["history"][0]["version"] == 1

    def test_every_source_is_printed_if_asked(self, line: Line) -> None:
        key = f"result:balance.months?period=2026-01..2026-03&site={SITE}"
        short, full = line.run("explain", key), line.run("explain", key, "--all")
        assert "more; --all prints them" in short
        assert short.count("<- flows:") < full.count("<- flows:") == 21
        assert "{'" not in full
        assert "parts: 6 rows" in short

    def test_moments_name_their_zone(self, line: Line, workshop: Ledger) -> None:
        posting = workshop.postings()[0]["id"]
        for words in (("explain", f"posting:{posting}"), ("explain", f"flows:{posting}/0"),
                      ("audit", "trail")):  # fmt: skip
            assert "UTC+8" in line.run(*words)

    def test_an_unknown_reference_is_told(self, line: Line) -> None:
        _, error = line.both("explain", "tea:x", code=2)
        assert "KIND one of flows" in error

    def test_an_intact_ledger(self, line: Line) -> None:
        assert "intact: level 1" in line.run("audit", "verify")
        assert "intact: level 2" in line.run("audit", "verify", "--level", "2")
        assert line.json("audit", "verify")["damages"] == []

    def test_a_damaged_ledger_has_its_own_code(self, line: Line, workshop: Ledger) -> None:
        file = next(workshop.folder.rglob("*.parquet"))
        file.write_bytes(file.read_bytes() + b"x")
        out, _ = line.both("audit", "verify", code=1)
        assert "DAMAGES" in out

    def test_postings_and_orders_are_listed(self, line: Line) -> None:
        assert "flows:ws-1" in line.run("audit", "postings")
        assert line.json("audit", "postings")[0]["seq"] == 1
        assert "balance.import_meters" in line.run("audit", "trail")

    def test_a_posting_is_reversed(self, line: Line, workshop: Ledger) -> None:
        posting = workshop.postings()[0]["id"]
        assert "reverse:" in line.run("reverse", posting, "--reason", "wrong site")
        assert workshop.flows(site=SITE).num_rows == 0


class TestHousekeeping:
    """`cupral ledger compact` and `sweep`."""

    def test_small_files_are_merged_and_old_ones_swept(self, line: Line, workshop: Ledger) -> None:
        order(workshop, "balance.import_meters", author="me", site=SITE, correct=True,
              content=meter_file(**{SUSPECT: 1000.0}), filename="late.csv")  # fmt: skip
        before = workshop.flows()
        assert "1 files written" in line.run("ledger", "compact")
        assert "0 files deleted" in line.run("ledger", "sweep"), "a reader may hold them yet"
        for path in workshop.folder.rglob("*.parquet"):
            os.utime(path, (0, 0))
        with schema.writing(workshop.manifest.database) as connection:
            connection.execute(sa.update(schema.file).where(
                schema.file.c.removed_at.is_not(None)).values(removed_at=0))  # fmt: skip
        assert "2 files deleted" in line.run("ledger", "sweep", "--hours", "1")
        assert workshop.flows() == before
        assert "intact" in line.run("audit", "verify", "--level", "2")
        assert "ledger.sweep" in line.run("audit", "trail")


class TestPlan:
    """`cupral plan status` and `plan brief`."""

    def test_without_a_month_it_says_what_is_needed(self, line: Line) -> None:
        text = line.run("plan", "status")
        assert "cannot decide, needs declared rows of 2026" in text
        assert "--through" in text

    def test_with_a_month_each_target_says_what_it_needs(self, line: Line) -> None:
        text = line.run("plan", "status", "--through", "2026-12")
        assert "second [5 .. 95 %]" in text
        assert "T8 needs" in text

    def test_a_folder_that_is_not_there_is_told(self, line: Line) -> None:
        _, error = line.both("plan", "brief", "--through", "2026-12", "--out", "/none/b.docx",
                             code=2)  # fmt: skip
        assert "/none/b.docx cannot be written" in error
        assert "Traceback" not in error
        _, error = line.both("import", "template", "meters", "--out", "/none/m.csv", code=2)
        assert "cannot be written" in error
        _, error = line.both("network", "export", SITE, "--out", "/none/n.yaml", code=2)
        assert "cannot be written" in error

    def test_the_status_lists_every_test(self, line: Line) -> None:
        text = line.run("plan", "status", "--through", "2026-03")
        for number in range(1, 9):
            assert f"T{number}" in text
        assert "needs" in text

    def test_the_status_as_json(self, line: Line) -> None:
        assert line.json("plan", "status", "--through", "2026-03")["query"] == "plan.status"

    def test_an_unknown_plan_is_told(self, line: Line) -> None:
        _, error = line.both("plan", "status", "--plan", "none", code=2)
        assert "shandong-nonferrous-2026" in error

    @pytest.mark.parametrize("ending", ["docx", "xlsx"])
    def test_a_brief_is_a_document(self, line: Line, tmp_path: Path, ending: str) -> None:
        out = tmp_path / f"brief.{ending}"
        line.run("plan", "brief", "--out", str(out), "--through", "2026-03")
        names = zipfile.ZipFile(io.BytesIO(out.read_bytes())).namelist()
        assert "[Content_Types].xml" in names

    def test_a_brief_has_no_other_ending(self, line: Line, tmp_path: Path) -> None:
        _, error = line.both("plan", "brief", "--out", str(tmp_path / "b.pdf"), code=2)
        assert ".docx or .xlsx" in error


class TestCheck:
    """`cupral check`."""

    CASE = {  # noqa: RUF012
        "id": "D", "kind": "growth", "title": "deflation",
        "inputs": {"nominal_growth_pct": 10.0, "price_index": 105.0},
    }  # fmt: skip

    def test_values_stand_side_by_side(self, line: Line, shared: Path) -> None:
        text = line.run("check", str(shared / "data" / "ledger" / "cases.json"))
        assert "computed" in text
        assert "expected" in text
        assert "0 FAIL" in text
        assert "not judged" in text

    def test_a_wrong_expectation_fails(self, line: Line, shared: Path, tmp_path: Path) -> None:
        content = json.loads((shared / "data" / "ledger" / "cases.json").read_text())
        case = next(c for c in content["cases"] if c["id"] == "MET-2P-B")
        name = next(n for n, v in case["expected"].items() if isinstance(v, float))
        case["expected"][name] *= 1.01
        path = tmp_path / "wrong.json"
        path.write_text(json.dumps({"cases": [case], "tolerances": content["tolerances"]}))
        out, _ = line.both("check", str(path), code=1)
        assert "FAIL  MET-2P-B" in out
        assert "1 FAIL" in out

    def test_json_holds_every_comparison(self, line: Line, shared: Path, tmp_path: Path) -> None:
        content = json.loads((shared / "data" / "ledger" / "cases.json").read_text())
        path = tmp_path / "one.jsonl"
        path.write_text(json.dumps(content["cases"][0]) + "\n")
        out, _ = line.both("check", str(path), "--json")
        document = json.loads(out)
        assert document["passed"] == 1
        assert {"name", "expected", "computed", "tolerance", "ok"} == set(
            document["results"][0]["checks"][0]
        )

    def test_nothing_judged_has_its_own_code(self, line: Line, tmp_path: Path) -> None:
        path = tmp_path / "none.json"
        path.write_text('[{"id": "X", "kind": "weather"}]')
        out, _ = line.both("check", str(path), code=3)
        assert "not judged weather: X" in out
