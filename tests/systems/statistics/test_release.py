"""Releases of statistics: what is withheld, what a revision may show, and that nothing leaks."""

from collections.abc import Mapping
from itertools import combinations
from typing import Any

import numpy as np
import pytest

from cupral.ledger.errors import CannotDecide, Conflict
from cupral.ledger.ledger import Ledger
from cupral.ledger.registers import Enterprise, Line, Site
from cupral.ledger.release import BASIS, KIND, release_file, released
from cupral.ledger.result import Result
from cupral.system import ask, open_ledger, order
from tests.methods.attack import leaks
from tests.systems.statistics.filings import file, filing

CITIES = {
    "甲市": ("a1", "a2", "a3", "a4", "a5", "a6"), "乙市": ("b1",), "丙市": ("c1", "c2", "c3", "c4"),
}  # fmt: skip
SIZE = {"a1": 100.0, "a2": 95.0, "a3": 90.0, "a4": 85.0, "a5": 80.0, "a6": 75.0, "b1": 60.0,
        "c1": 50.0, "c2": 45.0, "c3": 40.0, "c4": 35.0}  # fmt: skip
PERIODS = ("2026-JF", "2026-03", "2026-04")


def amount(firm: str, period: str) -> float:
    """What a firm makes in a period [t]."""
    return SIZE[firm] * {"2026-JF": 2.0, "2026-03": 1.1, "2026-04": 0.9}.get(period, 1.0)


def register(ledger: Ledger) -> None:
    """Eleven copper makers in three cities; one is alone in its city."""
    for city, firms in CITIES.items():
        for firm in firms:
            ledger.register(Enterprise(id=firm, name_zh=firm, name_en=firm, chain="copper"),
                            author="t")  # fmt: skip
            line = Line(id="L", product="cathode_copper", capacity=1e5, metal_stream="product",
                        energy_streams=(("comprehensive", "power"),))  # fmt: skip
            ledger.register(Site(id=f"{firm}-site", name_zh=firm, name_en=firm, enterprise=firm,
                                 city=city, cluster="", lines=(line,)), author="t")  # fmt: skip


def month(ledger: Ledger, period: str, changed: Mapping[str, float] = {}, **more: Any) -> None:
    """File a period of all firms; a firm changed to None files nothing."""
    filed = [filing(firm, period, changed.get(firm, amount(firm, period))) for firm in SIZE
             if changed.get(firm, 1.0) is not None]  # fmt: skip
    file(ledger, filed, **more)


def revise(ledger: Ledger, period: str, changed: Mapping[str, float]) -> None:
    """Some firms correct a period."""
    file(ledger, [filing(firm, period, new) for firm, new in changed.items()], supersede=True)


def publish(ledger: Ledger, period: str, **more: Any) -> Any:
    """By the command, as every surface does."""
    return order(ledger, "statistics.release", author="department", period=period, **more)


def figure(found: Result, city: str, period: str, span: str = "month") -> Mapping[str, Any]:
    """One row of the copper table."""
    return next(row for row in found.parts if row["item"] == "cathode_copper"
                and (row["city"], row["period"], row["span"]) == (city, period, span))  # fmt: skip


@pytest.fixture
def market(tmp_path: Any) -> Ledger:
    """Returns of January to April, published through March."""
    ledger = open_ledger(tmp_path)
    register(ledger)
    for period in PERIODS:
        month(ledger, period)
    publish(ledger, "2026-03")
    return ledger


def test_the_lone_firm_and_the_cell_that_would_give_it_away_are_withheld(market: Ledger) -> None:
    """The cheaper of the two other cities goes with it; the province and the other stay."""
    found = ask(market, "statistics.released")
    marks = {city: figure(found, city, "2026-JF")["mark"] for city in ("", *CITIES)}
    assert marks == {"": "", "甲市": "", "乙市": "x", "丙市": "x"}
    whole = figure(found, "", "2026-03", "to date")
    assert whole["value"] == pytest.approx(sum(SIZE.values()) * 3.1)
    assert whole["enterprises"] == 11
    hidden = figure(found, "丙市", "2026-03", "to date")
    assert (hidden["value"], hidden["enterprises"]) == (None, None)
    assert figure(found, "甲市", "2026-03")["value"] == pytest.approx(1.1 * 525.0)
    assert found.badges[0] == "unconfirmed: statistics.secrecy_holders"


def test_the_public_query_reads_release_documents_only(market: Ledger) -> None:
    """So no filter and no moment can bring live rows out."""
    before = ask(market, "statistics.released")
    with market.reading() as read:
        ask(market, "statistics.released", item="cathode_copper")
    assert {scope[0] for scope in read.scopes} == {f"document:{KIND}"}
    revise(market, "2026-03", {"a1": 500.0})
    assert ask(market, "statistics.released").parts == before.parts


def test_a_release_is_an_act_of_the_department_for_the_public(market: Ledger) -> None:
    """And what it stood on by enterprise is not for the public; the same again is no version."""
    (document,) = market.documents(KIND)
    (basis,) = market.documents(BASIS)
    assert (document.party, document.version, document.author) == ("public", 1, "department")
    assert basis.party == "department"
    assert not any(firm in str(document.body) for firm in SIZE)
    assert publish(market, "2026-03").version == 1


def test_a_missing_return_holds_the_release_up(market: Ledger) -> None:
    """A late one would stand alone in the difference."""
    month(market, "2026-05", {"c1": None})  # type: ignore[dict-item]
    with pytest.raises(CannotDecide, match="c1:2026-05"):
        publish(market, "2026-05")
    publish(market, "2026-05", incomplete=True)
    file(market, [filing("c1", "2026-05", 50.0)])
    document = publish(market, "2026-05")
    assert document.version == 2 or any("2026-05" in text for text in document.body["held"])


def test_the_revision_of_one_firm_waits_and_that_of_three_is_shown(market: Ledger) -> None:
    """Old minus new must not single anybody out; a later sum does not tell either."""
    revise(market, "2026-03", {"a1": 150.0})
    document = publish(market, "2026-04")
    assert any("2026-03" in text and "1 enterprises" in text for text in document.body["held"])
    found = ask(market, "statistics.released")
    assert figure(found, "甲市", "2026-03")["mark"] == "*"
    assert figure(found, "甲市", "2026-03")["value"] == pytest.approx(1.1 * 525.0)
    assert figure(found, "甲市", "2026-04", "to date")["value"] == pytest.approx(4.0 * 525.0)
    revise(market, "2026-03", {"a2": 140.0, "a3": 135.0})
    assert publish(market, "2026-04").body["held"] == []
    found = ask(market, "statistics.released")
    now = 1.1 * 525.0 + (150 - 110) + (140 - 104.5) + (135 - 99)
    assert figure(found, "甲市", "2026-03")["value"] == pytest.approx(now)
    assert figure(found, "甲市", "2026-03")["mark"] == ""


def test_a_revision_in_a_hidden_cell_waits_if_the_total_would_show_it(market: Ledger) -> None:
    """Three firms of the open city revise, and the lone one: the rest of the total is its alone."""
    revise(market, "2026-03", {"a1": 150.0, "a2": 140.0, "a3": 135.0, "b1": 99.0})
    assert "hidden rest" in publish(market, "2026-03").body["held"][0]


def test_a_revision_is_compared_with_every_version(market: Ledger) -> None:
    """One after the other, two harmless steps must not add up to one firm's."""
    revise(market, "2026-03", {"a1": 150.0, "a2": 140.0, "a3": 135.0})
    assert publish(market, "2026-03").body["held"] == []
    revise(market, "2026-03", {"a2": amount("a2", "2026-03"), "a3": amount("a3", "2026-03"),
                               "a1": 150.0, "a4": amount("a4", "2026-03")})  # fmt: skip
    assert len(publish(market, "2026-03").body["held"]) > 0


def test_a_cell_that_loses_its_firms_closes_for_the_rest_of_the_year(market: Ledger) -> None:
    """What was published stays; the month and every sum that contains it are withheld."""
    gone = dict.fromkeys(("a3", "a4", "a5", "a6"), 0.0)
    month(market, "2026-05", gone)
    publish(market, "2026-05")
    month(market, "2026-06")
    publish(market, "2026-06")
    found = ask(market, "statistics.released")
    assert figure(found, "甲市", "2026-03")["mark"] == ""
    assert figure(found, "甲市", "2026-03", "to date")["mark"] == ""
    for period in ("2026-05", "2026-06"):
        assert figure(found, "甲市", period)["mark"] == "x"
        assert figure(found, "甲市", period, "to date")["mark"] == "x"


def test_a_release_goes_on_from_the_last_one(market: Ledger) -> None:
    """It does not go back."""
    with pytest.raises(Conflict, match="2026-03 is published already"):
        publish(market, "2026-02")


def test_the_three_sums_of_money_hide_the_same_cells(market: Ledger) -> None:
    """Revenue tells of output value."""
    found = ask(market, "statistics.released", period="2026-03")
    hidden = {
        item: {(row["chain"], row["city"]) for row in found.parts
               if row["item"] == item and row["mark"] == "x"}
        for item in ("revenue", "gross_output_value", "value_added")
    }  # fmt: skip
    assert hidden["revenue"] == hidden["gross_output_value"] == hidden["value_added"] != set()


def test_the_file_shows_marks_and_says_what_they_mean(market: Ledger) -> None:
    """And begins no cell with a sign that a spreadsheet would compute."""
    text = release_file(released(market, "statistics:2026")).decode("utf-8-sig")
    assert "output,cathode_copper,,乙市,2026-JF,month,t,,x," in text
    assert "withheld" in text.splitlines()[-2]
    assert not any(line.lstrip('"').startswith(("=", "+", "@")) for line in text.splitlines())
    assert release_file(released(market, "statistics:2026"), "xlsx").startswith(b"PK")


def test_nothing_has_been_published_at_first(tmp_path: Any) -> None:
    """The public is told so."""
    with pytest.raises(CannotDecide, match="no figures"):
        ask(open_ledger(tmp_path), "statistics.released")


@pytest.mark.parametrize("seed", range(2))
def test_nobody_learns_a_firm_from_all_that_is_published(tmp_path: Any, seed: int) -> None:
    """An independent attack with every published month and sum, by each firm and by outsiders."""
    rng = np.random.default_rng(seed)
    ledger = open_ledger(tmp_path)
    register(ledger)
    made = {
        period: {firm: round(SIZE[firm] * float(rng.lognormal(0, 1.0)), 3) for firm in SIZE}
        for period in PERIODS[:2]
    }
    for period, changed in made.items():
        month(ledger, period, changed)
    publish(ledger, "2026-03")
    filed = {((p, firm), n): made[p][firm] for p in made for n, firm in enumerate(SIZE)}
    cells, hidden = {}, set()
    for row in ask(ledger, "statistics.released").parts:
        if row["item"] == "cathode_copper":
            last = list(made).index(row["period"])
            periods = list(made)[: last + 1] if row["span"] == "to date" else [row["period"]]
            firms = CITIES.get(row["city"], tuple(SIZE))
            key = (row["city"], row["period"], row["span"])
            cells[key] = frozenset(k for k in filed if k[0][0] in periods and k[0][1] in firms)
            hidden |= {key} if row["mark"] else set()
    assert hidden
    assert leaks(filed, cells, hidden, 0.10) == []


@pytest.mark.parametrize("seed", range(3))
def test_no_two_versions_differ_by_one_firm(tmp_path: Any, seed: int) -> None:
    """Random revisions, published after each: any two published figures of a cell differ by
    nothing or by the changes of at least three."""
    rng = np.random.default_rng(seed)
    ledger, standing = open_ledger(tmp_path), dict(SIZE)
    register(ledger)
    month(ledger, "2026-JF", standing)
    versions = [(dict(standing), publish(ledger, "2026-02"))]
    for _ in range(6):
        firms = rng.choice(sorted(SIZE), size=rng.integers(1, 5), replace=False)
        changed = {str(f): round(SIZE[str(f)] * float(rng.choice([0.9, 1.0, 1.1, 1.2])), 3)
                   for f in firms}  # fmt: skip
        revise(ledger, "2026-JF", changed)
        standing |= changed
        versions.append((dict(standing), publish(ledger, "2026-02")))
    shown: list[tuple[dict[str, float], dict[str, float]]] = []
    for amounts, document in versions:
        rows = {row["city"]: row["value"] for row in document.body["cells"]
                if row["item"] == "cathode_copper" and row["span"] == "month"}  # fmt: skip
        held = any(row["mark"] == "*" for row in document.body["cells"]
                   if row["item"] == "cathode_copper")  # fmt: skip
        shown.append((shown[-1][0] if held else amounts, rows))
    for (one, first), (two, second) in combinations(shown, 2):
        for city, value in first.items():
            if value is None or second[city] is None:
                continue
            firms = CITIES.get(city, tuple(SIZE))
            moved = [f for f in firms if one[f] != two[f]]
            assert (second[city] == value and not moved) or len(moved) >= 3
