"""The parameter desk on the command line, over HTTP and on its pages: from missing to decided."""

import html
import json
import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest

from cupral.ledger.ledger import Ledger
from cupral.system import ask, call, open_ledger, order
from cupral.systems.plan.compute import shipped
from tests.surfaces.cli.test_app import Line
from tests.surfaces.reader import Reader
from tests.systems.plan.province import WORKS, filed, months_of, register

INDEX = "statistics.price_index"
TARGET = {"plan": "growth-only", "through": "2026-04"}


def one_target() -> str:
    """The shipped plan with its growth target alone, judged by what is declared."""
    path = Path(shipped.__file__).parents[1] / "plans" / "shandong_nonferrous_2026.toml"
    plan = tomllib.loads(path.read_text("utf-8"))
    metrics = tomllib.loads((path.parents[1] / "tables" / "metrics.toml").read_text("utf-8"))
    growth = {n: v for n, v in metrics["value_added_growth"].items() if n != "second"}
    (target,) = [one for one in plan["targets"] if one["id"] == "T1"]
    mine = {**target, "metric": "declared_growth"}
    changed = {**plan, "id": TARGET["plan"], "targets": [mine],
               "metrics": {"declared_growth": growth}}  # fmt: skip
    return json.dumps(changed, default=str)


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A province whose returns of 2026 state no price index, and a plan of one target."""
    folder = tmp_path_factory.mktemp("province") / "ledger"
    ledger = open_ledger(folder)
    for works in WORKS:
        register(ledger, works)
    for period in ("2025-JF", *months_of(2025, 3, 12), "2026-JF", *months_of(2026, 3, 4)):
        rows = [filed(works, period) for works in WORKS]
        for row in rows if period > "2026" else ():
            del row["price_index"]
        order(ledger, "statistics.file_returns", author="t", returns=rows)
    order(ledger, "plan.load_plan", author="t", content=one_target(), form="json")
    ledger.records.database.dispose()
    return folder


@pytest.fixture
def province(built: Path, tmp_path: Path) -> Ledger:
    """A copy of it."""
    shutil.copytree(built, tmp_path / "ledger")
    return open_ledger(tmp_path / "ledger")


def expected_growth() -> float:
    """Real growth [%] from the amounts of the province, by the definition of the statistics."""
    price = {"cathode_copper": 70_000, "copper_semis": 75_000, "primary_aluminium": 18_000}
    grown = {"cathode_copper": 1.03, "copper_semis": 1.10, "primary_aluminium": 1.0}
    base = {"cathode_copper": 140_000, "copper_semis": 48_000, "primary_aluminium": 90_000}
    index = {"cathode_copper": 1.02, "copper_semis": 1.02, "primary_aluminium": 1.0}
    before = sum(base[product] * price[product] for product in base)
    after = sum(base[p] * price[p] * grown[p] / index[p] for p in base)
    return 100 * (after / before - 1)


def verdict(ledger: Ledger) -> tuple[Any, ...]:
    """How the target stands."""
    (row,) = ask(ledger, "plan.status", **TARGET).parts
    return row["verdict"], row["declared"], row["needs"]


def test_by_the_command_line_a_target_becomes_decided(
    province: Ledger, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:  # fmt: skip
    line = Line(province.folder, capsys)
    call(province, "plan.status", **TARGET)
    assert verdict(province)[:2] == ("cannot decide", None)
    assert INDEX in verdict(province)[2][0]
    listed = line.json("desk", "parameters", "--status", "missing")
    assert INDEX in [row["parameter"] for row in listed["parts"]]
    source = tmp_path / "bulletin.csv"
    source.write_text("chain,index\ncopper,102\naluminium,100\n")
    propose = ("desk", "propose", "--parameter", INDEX, "--value",
               '{"copper": 102, "aluminium": 100}', "--valid-from", "2026-01-01", "--source",
               "bulletin 4, table 2", "--content", str(source))  # fmt: skip
    monkeypatch.setenv("CUPRAL_AUTHOR", "li")
    opened = line.json(*propose)
    assert opened["body"]["file"]["name"] == "bulletin.csv"
    assert verdict(province)[0] == "cannot decide", "a proposal is not in force"
    _, error = line.both("desk", "confirm", "--proposal", opened["id"], code=2)
    assert "a second person decides" in error
    effects = line.json("desk", "effects", "--proposal", opened["id"])
    (told,) = effects["parts"]
    assert told["changes"] == "verdict"
    monkeypatch.setenv("CUPRAL_AUTHOR", "wang")
    line.run("desk", "confirm", "--proposal", opened["id"])
    assert [row["key"].partition("?")[0] for row in province.results(stale=True)] == ["plan.status"]
    status, value, needs = verdict(province)
    assert (status, INDEX in str(needs)) == ("not met", False)
    assert value == pytest.approx(expected_growth())
    shown = line.run("explain", f"parameter:{INDEX}@2026-01-01")
    assert f"<- document:parameter/{INDEX}@2026-01-01" in shown


def test_over_http_a_target_becomes_decided(province: Ledger) -> None:
    call(province, "plan.status", **TARGET)
    reader = Reader(province)
    given = {"parameter": INDEX, "value": {"copper": 102, "aluminium": 100},
             "valid_from": "2026-01-01", "source": "bulletin 4, table 2"}  # fmt: skip
    opened = reader.order("/api/command/desk/propose?author=li", json=given)
    id = opened["result"]["id"]
    refused = reader.order("/api/command/desk/confirm?author=li", json={"proposal": id})
    assert "second person" in str(refused["problem"])
    (told,) = reader.get("/api/query/desk/effects", params={"proposal": id}).json()["parts"]
    assert told["changes"] == "verdict"
    done = reader.order("/api/command/desk/confirm?author=wang", json={"proposal": id})
    assert done["result"]["state"] == "confirmed"
    found = reader.get("/api/query/plan/status", params=TARGET).json()
    assert found["parts"][0]["verdict"] == "not met"
    assert found["parts"][0]["declared"] == pytest.approx(expected_growth())
    scenario = {"query": "plan.status", "arguments": TARGET,
                "assume": {INDEX: {"copper": 90, "aluminium": 100}}}  # fmt: skip
    assumed = reader.post("/api/query/desk/scenario", json=scenario).json()
    assert assumed["status"] == "scenario: ok"
    assert any(badge.startswith(f"scenario: assumes {INDEX}") for badge in assumed["badges"])
    assert assumed["parts"][0]["declared"] > found["parts"][0]["declared"]


class TestPages:
    """Propose, look at the effects, confirm, all by forms."""

    def test_from_the_form_to_the_curve(self, province: Ledger) -> None:
        call(province, "plan.status", **TARGET)
        reader = Reader(province)
        page = reader.page(f"/parameters/{INDEX}")
        assert "cannot decide" in page
        assert "statistics/queries/reading.py" in page
        form = {"value": '{"copper": 102, "aluminium": 100}', "valid_from": "2026-01-01",
                "source": "bulletin", "author": "li", "status": "confirmed"}  # fmt: skip
        file = {"file": ("bulletin.csv", b"chain,index\ncopper,102\n", "text/csv")}
        job = reader.order(f"/parameters/{INDEX}/propose", data=form, files=file)
        assert job["state"] == "done", job["problem"]
        page = reader.page(f"/parameters/{INDEX}")
        assert "proposed by li" in page
        assert "bulletin.csv" in page
        opened = reader.page(f"/documents/parameter/{INDEX}%402026-01-01")
        assert "bulletin.csv" in opened
        job = reader.order(f"/parameters/{INDEX}/effects",
                           data={"proposal": f"{INDEX}@2026-01-01"})  # fmt: skip
        assert job["result"]["effects"][0]["changes"] == "verdict"
        shown = html.unescape(reader.page(f"/jobs/{job['id']}"))
        assert "plan.status%3Fplan%3Dgrowth-only" in shown
        decide = {"proposal": job["result"]["proposal"], "version": "1", "do": "confirm"}
        job = reader.order(f"/parameters/{INDEX}/decide", data={**decide, "author": "li"})
        assert "second person" in str(job["problem"])
        job = reader.order(f"/parameters/{INDEX}/decide", data={**decide, "author": "wang"})
        assert job["result"] == {"parameter": INDEX, "stale": 1}
        assert "1 results are stale" in reader.page(f"/jobs/{job['id']}")
        page = reader.page(f"/parameters/{INDEX}")
        assert page.count('class="step-line') == 2
        for lang in ("zh", "en"):
            assert INDEX in reader.page("/parameters", lang)
        reader.order("/refresh")
        assert verdict(province)[0] == "not met"

    def test_forms_that_lack_something_say_so(self, reader: Reader) -> None:
        answer = reader.post("/parameters/plan.near_level/propose", data={"value": "0.02"})
        assert (answer.status_code, "lacks valid_from, source" in answer.text) == (422, True)
        answer = reader.post("/parameters/plan.near_level/decide", data={"do": "burn"})
        assert "is not one of confirm, refuse, withdraw" in html.unescape(answer.text)
        assert reader.get("/parameters/plan.none").status_code == 404
        answer = reader.post("/parameters/export", data={"author": "x"})
        assert "no value of these parameters was confirmed here" in html.unescape(answer.text)

    def test_every_parameter_has_its_page(self, reader: Reader) -> None:
        for id in reader.ledger.book.values:
            assert id in reader.page(f"/parameters/{id}")

    def test_a_signed_file_goes_and_comes(
        self, reader: Reader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:  # fmt: skip
        place = tmp_path / "keys" / "desk.pem"
        monkeypatch.setenv("CUPRAL_DESK_KEY", str(place))
        line = Line(reader.ledger.folder, capsys)
        public = line.run("desk", "key").partition("public key ")[2].split()[0]
        assert place.stat().st_mode & 0o077 == 0
        assert public in line.run("desk", "key"), "a second time reads it"
        form = {"value": "0.02", "valid_from": "2026-01-01", "source": "s", "author": "li"}
        reader.order("/parameters/plan.near_level/propose", data=form)
        decide = {"proposal": "plan.near_level@2026-01-01", "do": "confirm", "author": "wang"}
        reader.order("/parameters/plan.near_level/decide", data=decide)
        file = reader.post("/parameters/export", data={"author": "wang"})
        assert file.headers["content-disposition"] == (
            'attachment; filename="cupral-parameters.json"')  # fmt: skip
        other = open_ledger(tmp_path / "other")
        away = Reader(other)
        send = {"data": {"author": "sun"}, "files": {"file": ("p.json", file.content)}}
        job = away.order("/parameters/import", **send)
        assert "nobody here trusts key" in job["problem"]["what"]
        monkeypatch.setenv("CUPRAL_AUTHOR", "qian")
        Line(other.folder, capsys).run("desk", "trust-key", "--key", public, "--owner", "Wang")
        job = away.order("/parameters/import", **send)
        assert job["result"]["proposed"] == ["plan.near_level@2026-01-01"]
        assert "which qian trusts" in away.page(f"/jobs/{job['id']}")


def test_a_key_without_a_place_is_refused(
    workshop: Ledger, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    line = Line(workshop.folder, capsys)
    monkeypatch.delenv("CUPRAL_DESK_KEY", raising=False)
    assert "names no file" in line.both("desk", "key", code=2)[1]
    monkeypatch.setenv("CUPRAL_DESK_KEY", str(workshop.folder / "desk.pem"))
    assert "lies in the ledger's folder" in line.both("desk", "key", code=2)[1]
