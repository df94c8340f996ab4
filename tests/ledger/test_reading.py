"""A kept Result names what it stood on, and is marked stale by whatever touches that."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa

from cupral.ledger.dependence import fingerprint
from cupral.ledger.document import Document
from cupral.ledger.ledger import Ledger
from cupral.ledger.registers import Enterprise
from cupral.ledger.result import Result, Versions
from cupral.ledger.stores import schema
from cupral.ledger.stores.records import now
from tests.ledger.rows import assay, flow, stocktake

ENTERPRISE = Enterprise(id="E1", name_zh="甲", name_en="One", chain="copper")


def ask(ledger: Ledger, question: Callable[[], Any], name: str = "q.sum") -> Result:
    """Keep what a question answers, as `call` does."""
    with ledger.reading() as read:
        value = question()
    result = Result(
        query=name, subject="A", value=float(value), arguments={},
        demonstration=read.demonstration,
        versions=Versions(ledger.head, fingerprint(ledger.book, read.scopes), ledger.code),
    )  # fmt: skip
    return ledger.keep(result, read)


def january_of_a(ledger: Ledger) -> float:
    """Measured flows of site A in January."""
    rows = ledger.flows(site="A", origin="measured", period="2026-01")
    return float(sum(rows.column("amount").to_pylist()))


def test_a_kept_result_is_returned_while_nothing_changes(ledger: Ledger) -> None:
    ledger.post("p1", author="me", flows=[flow()])
    assert ledger.kept("q.sum", {}) is None
    kept = ask(ledger, lambda: january_of_a(ledger))
    assert ledger.kept("q.sum", {}) == kept
    assert kept.value == 10.0


TOUCHING = [
    {"flows": [flow("S9")]},
    {"flows": [flow("S9", start=flow().start.replace(day=20))]},
    {"flows": [flow("S9", month=202602), flow("S9")]},
]
APART = [
    {"flows": [flow(site="B")]}, {"flows": [flow(month=202602)]}, {"flows": [flow(month=202512)]},
    {"flows": [flow(origin="declared")]}, {"assays": [assay()]}, {"stocktakes": [stocktake()]},
]  # fmt: skip


@pytest.mark.parametrize("batch", TOUCHING)
def test_rows_within_what_was_read_make_it_stale(ledger: Ledger, batch: dict[str, Any]) -> None:
    ask(ledger, lambda: january_of_a(ledger))
    ledger.post("late", author="me", **batch)
    assert ledger.kept("q.sum", {}) is None
    assert [r.query for r in ledger.stale_results()] == ["q.sum"]
    assert ledger.versions("q.sum")[0]["stale_since"] == 1


@pytest.mark.parametrize("batch", APART)
def test_rows_apart_from_what_was_read_do_not(ledger: Ledger, batch: dict[str, Any]) -> None:
    ask(ledger, lambda: january_of_a(ledger))
    ledger.post("late", author="me", **batch)
    assert ledger.kept("q.sum", {}) is not None
    assert ledger.stale_results() == []


def test_a_question_about_everything_is_touched_by_anything(ledger: Ledger) -> None:
    ask(ledger, lambda: ledger.totals(by=["site"]).num_rows)
    ledger.post("late", author="me", flows=[flow(site="Z", month=199901, origin="planned")])
    assert ledger.kept("q.sum", {}) is None


def test_a_reversal_makes_stale_too(ledger: Ledger) -> None:
    ledger.post("p1", author="me", flows=[flow()])
    ask(ledger, lambda: january_of_a(ledger))
    ledger.reverse("p1", author="me", reason="wrong")
    assert ledger.kept("q.sum", {}) is None


def test_a_recomputed_result_is_the_next_version_and_the_old_one_stays(ledger: Ledger) -> None:
    ask(ledger, lambda: january_of_a(ledger))
    ledger.post("late", author="me", flows=[flow()])
    ask(ledger, lambda: january_of_a(ledger))
    found = [(row["version"], row["body"]["value"], row["stale_since"])
             for row in ledger.versions("q.sum")]  # fmt: skip
    assert found == [(2, 10.0, None), (1, 0.0, 1)]
    assert ledger.stale_results() == []
    assert [row["version"] for row in ledger.results()] == [2]
    assert ledger.kept("q.sum", {}).value == 10.0  # type: ignore[union-attr]


def test_the_same_result_makes_no_new_version(ledger: Ledger) -> None:
    ask(ledger, lambda: january_of_a(ledger))
    ask(ledger, lambda: january_of_a(ledger))
    assert len(ledger.versions("q.sum")) == 1


def test_other_parameters_or_code_make_a_kept_result_void(ledger: Ledger) -> None:
    id, day = "balance.significance_level", date(2026, 1, 1)
    ask(ledger, lambda: ledger.parameter(id, day).value)
    assert replace(ledger, code="other").kept("q.sum", {}) is None
    level, ratio = ledger.book.on(id, day), ledger.book.on("balance.implausible_ratio", day)
    other = ledger.book.amended([replace(ratio, value=7)])
    assert replace(ledger, shipped=other).kept("q.sum", {}) is not None
    other = ledger.book.amended([replace(level, value=0.01)])
    assert replace(ledger, shipped=other).kept("q.sum", {}) is None


def test_a_result_that_was_overtaken_while_it_was_computed_is_kept_as_stale(
    ledger: Ledger,
) -> None:
    """A posting between the reading and the keeping must not pass unnoticed."""

    def slow() -> float:
        before = january_of_a(ledger)
        ledger.post("meanwhile", author="me", flows=[flow()])
        return before

    ask(ledger, slow)
    assert ledger.kept("q.sum", {}) is None
    assert ledger.stale_results()[0].value == 0.0


def test_a_posting_elsewhere_meanwhile_does_no_harm(ledger: Ledger) -> None:
    def slow() -> float:
        before = january_of_a(ledger)
        ledger.post("meanwhile", author="me", flows=[flow(month=202605)])
        return before

    ask(ledger, slow)
    assert ledger.kept("q.sum", {}) is not None


# -- documents and registers -----------------------------------------------------------------


@pytest.mark.parametrize(
    "question",
    [lambda book: book.documents("return"), lambda book: book.documents("return", party="E1"),
     lambda book: book.documents(), lambda book: [book.document("return", "E1:2026-01")]],
)  # fmt: skip
def test_a_new_version_of_a_document_makes_stale(
    ledger: Ledger, question: Callable[[Ledger], list[Any]]
) -> None:
    filed = Document(kind="return", id="E1:2026-01", party="E1")
    ledger.put(filed, author="me")
    ask(ledger, lambda: len(question(ledger)))
    ledger.put(Document(kind="ticket", id="T", party="E2"), author="me")
    other_kind = ledger.kept("q.sum", {})
    ledger.put(replace(filed, state="restated"), author="me")
    assert ledger.kept("q.sum", {}) is None
    assert (other_kind is None) == (len(ledger.documents()) == len(question(ledger)))


def test_a_document_of_another_party_does_not(ledger: Ledger) -> None:
    ask(ledger, lambda: len(ledger.documents("return", party="E1")))
    ledger.put(Document(kind="return", id="E2:2026-01", party="E2"), author="me")
    assert ledger.kept("q.sum", {}) is not None


def test_a_new_version_in_a_register_makes_stale(ledger: Ledger) -> None:
    ledger.register(ENTERPRISE, author="me")
    ask(ledger, lambda: len(ledger.enterprises()), "q.all")
    ask(ledger, lambda: len(ledger.enterprise("E1").id), "q.one")
    ledger.register(ENTERPRISE, author="me")
    assert ledger.kept("q.all", {}) is not None, "an equal one is no new version"
    ledger.register(replace(ENTERPRISE, id="E2"), author="me")
    assert ledger.kept("q.all", {}) is None
    assert ledger.kept("q.one", {}) is not None
    ledger.register(replace(ENTERPRISE, name_en="Uno"), author="me")
    assert ledger.kept("q.one", {}) is None


def test_a_document_put_while_a_result_is_computed_is_noticed(ledger: Ledger) -> None:
    def slow() -> int:
        count = len(ledger.documents("return"))
        ledger.put(Document(kind="return", id="x", party="E"), author="me")
        return count

    ask(ledger, slow)
    assert ledger.kept("q.sum", {}) is None


def put(ledger: Ledger, connection: sa.Connection) -> None:
    """Another writer's document, not yet committed."""
    ledger.records.put_document(connection, Document(kind="return", id="x", party="E"), "me", "")


def registered(ledger: Ledger, connection: sa.Connection) -> None:
    """Another writer's register version, not yet committed."""
    values = {"kind": "enterprise", "id": "E1", "version": 1, "body": "{}", "author": "me"}
    connection.execute(sa.insert(schema.register).values(**values, recorded_at=now()))


@pytest.mark.parametrize(
    ("write", "read"),
    [(put, lambda book: len(book.documents("return"))),
     (put, lambda book: len(book.documents(id="x"))),
     (registered, lambda book: len(book.enterprises()))],
)  # fmt: skip
def test_what_was_written_before_but_committed_after_the_reading_is_noticed(
    ledger: Ledger,
    write: Callable[[Ledger, sa.Connection], None],
    read: Callable[[Ledger], int],
) -> None:
    """The other writer's clock says earlier; only the order of commits counts."""
    found: list[int] = []
    with schema.writing(ledger.records.database) as connection:
        write(ledger, connection)
        time.sleep(0.001)
        with ledger.reading() as noted:
            found.append(read(ledger))
    assert found == [0]
    ledger.keep(Result(query="q.late", subject="A", value=0.0), noted)
    assert [result.query for result in ledger.stale_results()] == ["q.late"]


# -- demonstration, nesting ------------------------------------------------------------------


@pytest.mark.parametrize(
    "question",
    [
        lambda book: book.flows(site="A").num_rows,
        lambda book: book.totals(by=["site"], site="A").num_rows,
    ],
)
def test_demonstration_rows_mark_whoever_reads_them(
    ledger: Ledger, question: Callable[[Ledger], int]
) -> None:
    ledger.post("p1", author="me", flows=[flow(demonstration=True), flow(site="B")])
    assert ask(ledger, lambda: question(ledger)).demonstration
    assert not ask(ledger, lambda: ledger.flows(site="B").num_rows, "q.b").demonstration


def test_what_a_kept_answer_stood_on_is_added_to_the_asker(ledger: Ledger) -> None:
    ledger.post("p1", author="me", flows=[flow(demonstration=True)])
    ask(ledger, lambda: january_of_a(ledger), "q.inner")

    def outer() -> float:
        return ledger.kept("q.inner", {}).value  # type: ignore[union-attr,return-value]

    assert ask(ledger, outer, "q.outer").demonstration
    ledger.post("late", author="me", flows=[flow()])
    assert {result.query for result in ledger.stale_results()} == {"q.inner", "q.outer"}


def test_readings_nest_and_end(ledger: Ledger) -> None:
    with ledger.reading() as outer:
        ledger.flows(site="A", period="2026-01")
        with ledger.reading() as inner:
            ledger.assays(site=["A", "B"], origin="measured")
    ledger.stocktakes()
    assert inner.scopes == {
        ("assays", "A", "measured", 0, 999912), ("assays", "B", "measured", 0, 999912),
    }  # fmt: skip
    assert outer.scopes == inner.scopes | {("flows", "A", "*", 202601, 202601)}


def test_two_threads_read_while_one_posts(ledger: Ledger) -> None:
    """Every answer is a whole posting, and each thread notes its own reading."""
    rows = [flow(f"S{n}", 1.0) for n in range(20)]
    seen: list[list[int]] = [[], []]
    wrong: list[object] = []
    done = threading.Event()

    def read(counts: list[int], site: str) -> None:
        try:
            while not done.is_set():
                with ledger.reading() as noted:
                    counts.append(ledger.flows(site=site).num_rows)
                    ledger.totals(by=["stream"], site=site)
                if {scope[1] for scope in noted.scopes} != {site}:
                    wrong.append(noted)
        except Exception as error:
            wrong.append(error)

    threads = [threading.Thread(target=read, args=(c, s)) for c, s in zip(seen, "AB", strict=True)]
    for thread in threads:
        thread.start()
    for number in range(25):
        both = [*rows, *(replace(row, site="B") for row in rows)]
        ledger.post(f"p{number}", author="me", flows=both)
    done.set()
    for thread in threads:
        thread.join()
    assert wrong == []
    for counts in seen:
        assert len(counts) > 5
        assert counts == sorted(counts)
        assert all(count % 20 == 0 for count in counts)
