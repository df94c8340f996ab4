"""Sentences of the systems are told in Chinese; unknown ones stay as they are."""

import re

import pytest

from cupral.ledger.errors import InputError, NotFound, RowFaults
from cupral.ledger.ledger import Ledger
from cupral.surfaces.problem import problem
from cupral.surfaces.web.language import language
from cupral.surfaces.web.phrases import LONGEST, phrases, said
from cupral.system import ask, order
from tests.surfaces.workshop import SITE, meter_file

ZH, EN = language("zh"), language("en")
HAN = re.compile(r"[\u4e00-\u9fff]")
SLOT = re.compile(r"{(\w+)}")

FAULTY = {
    "no number": b"meter,period,amount\nCONC.belt,2026-04,1O\n",
    "no value": b"meter,period,amount\nCONC.belt,2026-04,n/a\n",
    "comma": b'meter,period,amount\nCONC.belt,2026-04,"1,234"\n',
    "decimal comma": b'meter;period;amount\nCONC.belt;2026-04;1,5\n',
    "unit behind": b"meter,period,amount\nCONC.belt,2026-04,12 t\n",
    "percentage": b"meter,period,amount\nCONC.belt,2026-04,12 %\n",
    "negative": b"meter,period,amount\nCONC.belt,2026-04,-1\n",
    "superscript": "meter,period,amount\nCONC.belt,2026-04,10³\n".encode(),
    "empty": b"meter,period,amount\nCONC.belt,2026-04,\n",
    "no meter": b"meter,period,amount\n,2026-04,1\n",
    "other meter": b"meter,period,amount\nCONC.blt,2026-04,1\n",
    "far meter": b"meter,period,amount\nQQQ,2026-04,1\n",
    "no period": b"meter,period,amount\nCONC.belt,,1\n",
    "strange period": b"meter,period,amount\nCONC.belt,last month,1\n",
    "month 13": b"meter,period,amount\nCONC.belt,2026-13,1\n",
    "far year": b"meter,period,amount\nCONC.belt,2056-01,1\n",
    "repeated": b"meter,period,amount\nCONC.belt,2026-04,1\nCONC.belt,2026-04,2\n",
    "overlap": b"meter,start,end,amount\nCONC.belt,2026-04-01,2026-05-01,1\n"
               b"CONC.belt,2026-04-20,2026-05-20,1\n",
    "backwards": b"meter,start,end,amount\nCONC.belt,2026-05-01,2026-04-01,1\n",
    "gap": b"meter,period,amount\nCONC.belt,2026-04,1000\nCONC.belt,2026-06,1000\n",
    "counter": b"meter,period,opening,closing\nCONC.belt,2026-04,1,2\n",
    "unit": b"meter,period,amount,unit\nCONC.belt,2026-04,1,MWh\n",
    "no unit": b"meter,period,amount,unit\nCONC.belt,2026-04,1,bushel\n",
    "column": b"meter,period,amount,colour\nCONC.belt,2026-04,1,red\n",
    "no column": b"period,amount\n2026-04,1\n",
    "wide row": b"meter,period,amount\nCONC.belt,2026-04,1,2\n",
    "no rows": b"meter,period,amount\n",
    "no table": b"%PDF-1.7",
    "Excel date": b"meter,start,end,amount\nCONC.belt,46113,2026-05-01,1\n",
    "two dates": b"meter,start,end,amount\nCONC.belt,01/04/2026,2026-05-01,1\n",
    "contradiction": meter_file(("2026-02",), **{"CONC.belt": 5.0}),
}  # fmt: skip
"""A meter file of each kind of fault that an upload raises most."""


@pytest.mark.parametrize("name", FAULTY)
def test_the_faults_of_a_meter_file_are_told_in_chinese(shared_workshop: Ledger, name: str) -> None:
    with pytest.raises(RowFaults) as raised:
        order(shared_workshop, "balance.import_meters", author="t", site=SITE, dry_run=True,
              content=FAULTY[name], filename="f.csv")  # fmt: skip
    for fault in raised.value.faults:
        assert HAN.search(said(ZH, fault.what)), fault.what
        assert HAN.search(said(ZH, fault.cure)), fault.cure
    assert HAN.search(said(ZH, problem(raised.value).what))


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("balance.streams", {"site": "none", "period": "2026-03"}),
     ("balance.streams", {"site": SITE, "period": "2026-99"}),
     ("plan.status", {"plan": "zzz"}), ("plan.target", {"target": "T99", "through": "2026-03"})],
)  # fmt: skip
def test_errors_of_pages_are_told_in_chinese(
    shared_workshop: Ledger, name: str, arguments: dict[str, str]
) -> None:
    with pytest.raises((InputError, NotFound)) as raised:
        ask(shared_workshop, name, **arguments)
    told = problem(raised.value)
    assert HAN.search(said(ZH, told.what)), told.what
    for text in filter(None, (told.allowed, told.next)):
        assert HAN.search(said(ZH, text)), text


def test_needs_of_an_empty_plan_are_told_in_chinese(shared_workshop: Ledger) -> None:
    needs = ask(shared_workshop, "plan.status", through="2026-12").needs
    assert needs
    assert [need for need in needs if said(ZH, need) == need] == []
    assert said(ZH, "declared: returns 2026-01..2026-12") == "申报：2026-01..2026-12 的报表"


def test_english_readers_get_the_sentence_itself() -> None:
    assert said(EN, "the cell is empty") == "the cell is empty"


def test_a_sentence_that_is_not_listed_stays() -> None:
    assert said(ZH, "the moon is full") == "the moon is full"


def test_names_from_outside_are_not_taken_for_places() -> None:
    text = "no plan '{id} {0} {x!r}'"
    assert said(ZH, text) == "没有方案 '{id} {0} {x!r}'"


def test_a_very_long_text_is_not_looked_up() -> None:
    text = "no plan " + "x" * LONGEST
    assert said(ZH, text) == text


def test_places_are_the_same_in_both_languages() -> None:
    assert len(phrases()) > 150
    for english, chinese in phrases().items():
        assert set(SLOT.findall(english)) == set(SLOT.findall(chinese)), english
        assert HAN.search(chinese), english
