"""Explain leads from any reference to the rows, parameters and versions it stands on."""

from datetime import UTC, date, datetime

import pytest

from cupral.ledger.document import Document
from cupral.ledger.errors import InputError, NotFound
from cupral.ledger.explain import Explanation, explain, moment
from cupral.ledger.ledger import Ledger
from cupral.ledger.parameter import ParameterBook
from cupral.ledger.registers import Network, Process
from cupral.ledger.result import Result
from tests.ledger.rows import assay, flow, stocktake

TOML = """[norm]
title_zh = "限额"
title_en = "norm"
unit = "kWh/t"
force = "standard"
[[norm.values]]
valid_from = 2014-01-01
value = 13700
source = "GB 21346-2013"
status = "confirmed"
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    """A ledger with one of everything that can be explained; the tests only read it."""
    tmp_path = tmp_path_factory.mktemp("told")
    (tmp_path / "p.toml").write_text(TOML, encoding="utf-8")
    book = ParameterBook.read({"s": tmp_path / "p.toml"})
    ledger = Ledger.open(tmp_path / "ledger", parameters=book)
    ledger.post("in/2026/01", author="me", note="first", flows=[flow(), flow("S2")],
                assays=[assay()], stocktakes=[stocktake()])  # fmt: skip
    ledger.post("fix", author="you", flows=[flow(amount=12.0)], supersede=True)
    ledger.post("t", author="me", documents=[Document(kind="ticket", id="T/1", party="P")])
    process = Process(id="x", name_zh="x", name_en="x")
    ledger.register(
        Network(site="A", processes=(process,), streams=(), meters=()), author="me"
    )  # fmt: skip
    with ledger.reading() as read:
        ledger.keep(
            Result(query="q.a", subject="A", value=3.0, lineage=("flows:fix/0",),
                   arguments={"site": "1#炉"}), read)  # fmt: skip
    return ledger


def test_a_row_leads_to_its_posting_and_to_what_undid_it(told: Ledger) -> None:
    found = explain(told, "flows:in/2026/01/0")
    assert found.kind == "flows"
    assert found.content["amount"] == 10.0
    assert found.leads_to == ("posting:in/2026/01",)
    undoing = {(row["posting"], row["row"], row["sign"]) for row in found.history}
    assert undoing == {("fix", 0, 1), ("fix", 1, -1)}


def test_a_replacing_row_leads_to_the_row_it_replaced(told: Ledger) -> None:
    found = explain(told, "flows:fix/0")
    assert found.leads_to == ("posting:fix", "flows:in/2026/01/0")
    assert found.history == ()


def test_assays_and_stocktakes_are_rows_too(told: Ledger) -> None:
    assert explain(told, "assays:in/2026/01/0").content["fraction"] == 0.25
    assert explain(told, "stocktakes:in/2026/01/0").title == "A yard 202601"


def test_a_parameter_shows_its_value_and_all_its_dates(told: Ledger) -> None:
    found = explain(told, "parameter:s.norm@2020-01-01")
    assert found.content["value"] == 13700
    assert found.history[0]["valid_from"] == date(2014, 1, 1)
    assert explain(told, "parameter:s.norm").content["source"] == "GB 21346-2013"


def test_a_result_leads_to_its_lineage_also_when_its_key_holds_a_hash_sign(told: Ledger) -> None:
    for reference in ("result:q.a?site=1#炉", "result:q.a?site=1#炉#1"):
        found = explain(told, reference)
        assert found.leads_to == ("flows:fix/0",)
        assert found.history[0]["value"] == 3.0


def test_a_posting_a_document_and_a_network_explain_themselves(told: Ledger) -> None:
    assert explain(told, "posting:in/2026/01").title == "in/2026/01 by me, 4 rows"
    document = explain(told, "document:ticket/T/1")
    assert document.leads_to == ("posting:t",)
    assert document.title == "P T/1"
    assert explain(told, "network:A@1").content["author"] == "me"
    assert explain(told, "network:A").title == "network of A, version 1"


def test_an_explanation_prints_its_content_and_where_it_leads(told: Ledger) -> None:
    text = str(explain(told, "flows:fix/0"))
    assert text.splitlines()[0] == "flows  A S1 202601"
    assert "  amount: 12.0" in text
    assert "  <- flows:in/2026/01/0" in text
    assert "correlation_group" not in text, "what is empty is not shown"


def test_rows_are_found_after_compaction(told: Ledger) -> None:
    from cupral.ledger.compaction import compact

    before = explain(told, "flows:in/2026/01/0")
    compact(told)
    assert explain(told, "flows:in/2026/01/0") == before


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("", r"'' is no reference; write KIND:NAME, KIND one of flows, assays, stocktakes, param"),
        ("colour:red", "'colour:red' is no reference; write KIND:NAME"),
        ("posting:", "'posting:' is no reference"),
        ("flows:", "flows: is no row; write flows:POSTING/ROW"),
        ("flows:p1", "flows:p1 is no row; write flows:POSTING/ROW"),
        ("flows:p1/x", "flows:p1/x is no row"),
        ("flows:p1/²", "flows:p1/² is no row"),
        ("flows:p1/99999999999", "is no row"),
        ("parameter:s.norm@soon", "has no date 'soon'; write ID@2026-01-31"),
        ("network:A@last", "network:A@last has no version 'last'; write SITE@3"),
    ],
)
def test_a_reference_without_known_form_is_refused(
    told: Ledger, reference: str, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        explain(told, reference)


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("flows:nope/0", "no posting 'nope'; `cupral audit postings` lists them"),
        ("flows:fix/7", "posting fix has no flows row 7"),
        ("assays:fix/0", "posting fix has no assays row 0"),
        ("posting:nope", "no posting 'nope'"),
        ("parameter:s.x", "no parameter 's.x'; that system has: s.norm"),
        ("result:q.b", "no kept Result 'q.b'; a Result is kept by `cupral.system.call`"),
        ("result:q.a?site=1#炉#9", "no kept Result"),
        ("document:ticket/T2", "no document 'ticket/T2'"),
        ("network:Z", "no network 'Z'; registered: A"),
        ("network:A@3", "no network 'A' version 3"),
    ],
)
def test_a_thing_that_is_not_there_is_named(told: Ledger, reference: str, message: str) -> None:
    with pytest.raises(NotFound, match=message):
        explain(told, reference)


def test_a_version_of_a_result_shows_the_others_too(told: Ledger) -> None:
    key = "q.a?site=1#炉"
    with told.reading() as read:
        told.keep(Result(query="q.a", subject="A", value=4.0, arguments={"site": "1#炉"}), read)
    first, second = explain(told, f"result:{key}#1"), explain(told, f"result:{key}")
    assert (first.content["value"], second.content["value"]) == (3.0, 4.0)
    assert [row["version"] for row in first.history] == [2, 1]
    assert first.history == second.history


def test_an_explanation_reads_as_text(told: Ledger) -> None:
    """No Python notation: fields a line each, tables by their rows, moments with a zone."""
    rows = tuple({"line": f"L{n}", "value": n / 3, "refs": ["a", "b"]} for n in range(9))
    found = Explanation("result:x", "result", "x", {"parts": rows, "tables": {"t": rows[:1]},
                        "recorded_at": 0}, tuple(f"flows:p/{n}" for n in range(30)))  # fmt: skip
    text = found.text()
    assert "parts: 9 rows" in text
    assert "line L1  value 0.333333" in text
    assert "line L8" not in text
    assert "recorded_at: 1970-01-01 08:00:00 UTC+8" in text
    assert "<- and 18 more; --all prints them" in text
    assert not set("{}[]'") & set(text)
    everything = found.text(None)
    assert "line L8" in everything
    assert everything.count("<- flows:p/") == 30


def test_a_moment_is_told_in_plant_time() -> None:
    """Microseconds and times in UTC say the same."""
    at = datetime(2026, 11, 25, 15, 4, 11)
    assert moment(at) == moment(1795619051000000) == "2026-11-25 23:04:11 UTC+8"
    assert moment(at.replace(tzinfo=UTC)) == moment(at)
