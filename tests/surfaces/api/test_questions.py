"""Queries and commands over HTTP, made from their signatures."""

import json
from typing import Any

import pytest

from cupral.system import ask, commands, queries
from tests.surfaces.reader import Reader
from tests.surfaces.workshop import SITE, meter_file

LEVEL = "/api/query/efficiency/level"


def test_a_query_answers_with_its_result(browser: Reader) -> None:
    answer = browser.get(LEVEL, params={"norm": "al_liquid_ac", "value": "13000"})
    assert answer.status_code == 200
    expected = ask(browser.ledger, "efficiency.level", norm="al_liquid_ac", value=13000.0)
    assert answer.json() == expected.document()


def test_a_query_takes_json_as_well(browser: Reader) -> None:
    answer = browser.post(LEVEL, json={"norm": "al_liquid_ac", "value": 13000})
    assert answer.json()["value"] == 2.0


def test_anybody_may_reconcile_their_own_equations(browser: Reader) -> None:
    problem = {
        "names": ["in", "out"], "y": [10.0, 12.0], "sd": [1.0, 1.0], "A": [[1.0, -1.0]],
    }  # fmt: skip
    answer = browser.post("/api/query/balance/problem", json={"problem": problem})
    assert answer.status_code == 200, answer.text
    rows = answer.json()["parts"]
    assert [row["reconciled"] for row in rows] == pytest.approx([11.0, 11.0])


def test_a_large_answer_is_compressed(browser: Reader) -> None:
    answer = browser.get("/api/query/plan/clauses", headers={"accept-encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.json()["query"] == "plan.clauses"


@pytest.mark.parametrize(
    ("params", "status", "what"),
    [
        ({}, 422, "argument norm is missing"),
        ({"norm": "al_liquid_ac", "value": "high"}, 422, "argument value"),
        ({"norm": "al_liquid_ac", "value": "1", "colour": "x"}, 422, "no argument colour"),
        ({"norm": "tea", "value": "1"}, 404, "no norm 'tea'"),
    ],
)
def test_errors_are_problems_with_four_parts(
    browser: Reader, params: dict[str, str], status: int, what: str
) -> None:
    answer = browser.get(LEVEL, params=params)
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("application/problem+json")
    document = answer.json()
    assert what in document["detail"]
    assert {"what", "where", "allowed", "next", "type", "title", "status"} <= set(document)
    assert document["where"] == LEVEL
    assert document["next"]


@pytest.mark.parametrize("content", [b"{", b"[1]", b'"x"', b"\xff\xfe"])
def test_a_body_that_is_no_object_is_refused(browser: Reader, content: bytes) -> None:
    answer = browser.post(LEVEL, content=content, headers={"content-type": "application/json"})
    assert answer.status_code == 422
    assert "send an object of arguments" in answer.text


def test_an_unknown_query_is_not_found(browser: Reader) -> None:
    assert browser.get("/api/query/weather/tomorrow").status_code == 404


def test_a_command_answers_with_a_job(reader: Reader) -> None:
    job = reader.order(
        "/api/command/balance/import_meters",
        data={"site": SITE, "filename": "april.csv"},
        files={"content": ("april.csv", meter_file(("2026-04",)), "text/csv")},
    )
    assert job["state"] == "done", job
    assert job["result"]["status"] == "posted"
    assert job["result"]["rows_posted"] == 7
    assert "april.csv" in job["result"]["name"]


def test_the_name_of_an_uploaded_file_need_not_be_said_twice(reader: Reader) -> None:
    job = reader.order(
        "/api/command/balance/import_meters",
        data={"site": SITE},
        files={"content": ("april.csv", meter_file(("2026-04",)), "text/csv")},
    )
    assert "april.csv" in job["result"]["name"]


def test_faulty_rows_reach_the_caller_by_row_and_column(reader: Reader) -> None:
    head = reader.ledger.head
    job = reader.order(
        "/api/command/balance/import_meters",
        data={"site": SITE},
        files={"content": ("bad.csv", b"meter,period,amount\nCONC.belt,2026-13,1\n", "text/csv")},
    )
    assert job["state"] == "failed"
    fault = job["problem"]["faults"][0]
    assert fault["row"] == 2
    assert fault["column"]
    assert fault["cure"]
    assert reader.ledger.head == head


def test_the_author_is_recorded(reader: Reader) -> None:
    reader.order(
        "/api/command/plan/report_progress",
        json={"clause": "T09-M1", "unit": "省发展改革委", "progress": 20.0, "on": "2026-06-30"},
        headers={"x-author": "analyst"},
    )
    latest = reader.ledger.records.audit(1)[0]
    assert (latest["author"], latest["action"]) == ("analyst", "plan.report_progress")


def test_a_path_of_the_server_is_no_argument(browser: Reader) -> None:
    """A caller over HTTP must not make the server read its own files."""
    answer = browser.post("/api/command/statistics/import_returns", json={"path": "/etc/passwd"})
    assert answer.status_code == 422
    assert "no argument path" in answer.text


@pytest.fixture(scope="module")
def described(browser: Reader) -> dict[str, Any]:
    """The OpenAPI document."""
    document: dict[str, Any] = browser.get("/api/openapi.json").json()
    return document


class TestOpenApi:
    """The description of the interface."""

    def test_every_query_and_command_is_described(self, described: dict[str, Any]) -> None:
        paths = described["paths"]
        for name in queries():
            system, _, short = name.partition(".")
            assert set(paths[f"/api/query/{system}/{short}"]) == {"get", "post"}, name
        for name in commands():
            system, _, short = name.partition(".")
            assert "post" in paths[f"/api/command/{system}/{short}"], name

    def test_arguments_have_types_defaults_and_help(self, described: dict[str, Any]) -> None:
        found = described["paths"]["/api/query/efficiency/level"]["get"]
        by_name = {p["name"]: p for p in found["parameters"]}
        assert by_name["value"]["schema"]["type"] == "number"
        assert by_name["value"]["required"] is True
        assert by_name["on"]["schema"]["default"] == ""
        assert by_name["norm"]["description"]

    def test_files_are_binary_fields_of_a_form(self, described: dict[str, Any]) -> None:
        found = described["paths"]["/api/command/balance/import_meters"]["post"]
        form = found["requestBody"]["content"]["multipart/form-data"]["schema"]
        assert form["properties"]["content"]["format"] == "binary"
        assert {"site", "content"} <= set(form["required"])

    def test_the_server_path_is_not_described(self, described: dict[str, Any]) -> None:
        found = described["paths"]["/api/command/statistics/import_returns"]["post"]
        form = found["requestBody"]["content"]["application/json"]["schema"]
        assert "path" not in form["properties"]

    def test_operation_ids_are_unique(self, described: dict[str, Any]) -> None:
        ids = [
            operation["operationId"]
            for path in described["paths"].values()
            for operation in path.values()
        ]
        assert len(ids) == len(set(ids))

    def test_no_page_of_another_host_is_offered(self, browser: Reader) -> None:
        assert browser.get("/docs").headers["location"] == "/api/openapi.json"
        assert browser.get("/redoc").status_code == 404


PROBLEM = "application/problem+json"


def test_a_body_nested_too_deeply_is_refused(browser: Reader) -> None:
    answer = browser.post(LEVEL, content="[" * 100_000,
                          headers={"content-type": "application/json"})  # fmt: skip
    assert (answer.status_code, answer.headers["content-type"]) == (422, PROBLEM)
    assert "nested too deeply" in answer.json()["what"]


@pytest.mark.parametrize("value", ["NaN", "Infinity", float("inf")])
def test_a_number_that_is_none_is_refused(browser: Reader, value: Any) -> None:
    body = json.dumps({"norm": "al_liquid_ac", "value": value})
    answer = browser.post(LEVEL, content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.headers["content-type"]) == (422, PROBLEM)
    assert "finite number" in answer.json()["what"]


@pytest.mark.parametrize("path", ["/api/query/nope/x", "/api/nothing"])
def test_an_unknown_address_is_a_problem_too(browser: Reader, path: str) -> None:
    for answer in (browser.get(path), browser.post(path, json={})):
        assert (answer.status_code, answer.headers["content-type"]) == (404, PROBLEM)
        assert "/api/openapi.json" in answer.json()["next"] + answer.json()["allowed"]


def test_a_wrong_method_is_a_problem_too(browser: Reader) -> None:
    answer = browser.ask("DELETE", LEVEL)
    assert (answer.status_code, answer.headers["content-type"]) == (405, PROBLEM)


def test_missing_arguments_are_what_is_wrong(browser: Reader) -> None:
    """Two of them are told together, not one as what to do."""
    found = browser.post("/api/query/balance/streams", json={}).json()
    assert "argument site is missing, argument period is missing" in found["what"]
    assert "missing" not in found["next"]
