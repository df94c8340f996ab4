"""Postings, audit, explanations, registers over HTTP."""

import pytest

from tests.surfaces.reader import Reader
from tests.surfaces.workshop import SITE


def test_postings_come_in_order_with_their_chain(browser: Reader) -> None:
    content = browser.get("/api/postings").json()
    assert content["head"] == len(content["postings"]) == 1
    row = content["postings"][0]
    assert row["seq"] == 1
    assert len(row["chain_sha"]) == 64


@pytest.mark.parametrize(("level", "parts"), [("1", 0), ("2", 3)])
def test_the_audit_has_two_levels(browser: Reader, level: str, parts: int) -> None:
    verdict = browser.get("/api/audit", params={"level": level}).json()
    assert verdict["intact"] is True
    assert verdict["parts"] == parts
    assert verdict["trail"][0]["action"] == "balance.import_meters"


def test_a_damage_is_found(reader: Reader) -> None:
    file = next((reader.ledger.folder).rglob("*.parquet"))
    file.write_bytes(file.read_bytes()[:-4] + b"oops")
    verdict = reader.get("/api/audit").json()
    assert verdict["intact"] is False
    assert verdict["damages"]


def test_a_row_is_explained(browser: Reader) -> None:
    posting = browser.get("/api/postings").json()["postings"][0]["id"]
    found = browser.get("/api/explain", params={"reference": f"flows:{posting}/0"}).json()
    assert found["kind"] == "flows"
    assert found["content"]["site"] == SITE
    assert found["leads_to"] == [f"posting:{posting}"]


def test_a_result_leads_to_rows_and_parameters(browser: Reader) -> None:
    key = f"result:balance.streams?period=2026-03&site={SITE}"
    found = browser.get("/api/explain", params={"reference": key}).json()
    kinds = {reference.partition(":")[0] for reference in found["leads_to"]}
    assert kinds == {"flows", "parameter", "network"}


@pytest.mark.parametrize(
    ("reference", "status"), [("", 422), ("tea:x", 422), ("posting:none", 404)]
)
def test_what_cannot_be_explained_is_a_problem(
    browser: Reader, reference: str, status: int
) -> None:
    answer = browser.get("/api/explain", params={"reference": reference})
    assert answer.status_code == status
    assert answer.json()["next"]


def test_registers_are_told(browser: Reader) -> None:
    assert browser.get("/api/sites").json()[0]["id"] == SITE
    network = browser.get(f"/api/network/{SITE}").json()
    assert len(network["streams"]) == 6
    assert browser.get("/api/network/none").status_code == 404


def test_parameters_and_systems_are_told(browser: Reader) -> None:
    parameters = browser.get("/api/parameters").json()["parameters"]
    assert parameters["efficiency.al_liquid_ac"][0]["source"]
    assert "balance" in browser.get("/api/systems").json()
