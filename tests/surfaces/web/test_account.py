"""The page of a site's metal account: doubts in groups, months, forms."""

from typing import Any

import pytest

from cupral.ledger.errors import InputError
from cupral.surfaces.web.views.account import address, groups, judgements
from tests.surfaces.reader import Reader
from tests.surfaces.workshop import SITE, SUSPECT

ACCOUNT = f"/sites/{SITE}/account"


def doubt(month: int, meter: str, state: str = "open") -> dict[str, Any]:
    """A row of the register."""
    return {"month": month, "kind": "bias", "meters": [meter], "state": state}


def test_doubts_of_one_group_stand_together_the_open_ones_first() -> None:
    rows = [doubt(202601, "a", "confirmed"), doubt(202601, "b"), doubt(202602, "b", "dismissed")]
    found = groups(rows)
    assert [(group.meters, len(group.rows), group.waiting) for group in found] == [
        (("b",), 2, True), (("a",), 1, False),
    ]  # fmt: skip


def test_a_form_judges_each_month_that_was_ticked() -> None:
    form = {"meters": '["a", "b"]', "month-202601": "yes", "month-202602": "yes",
            "verdict": "confirmed", "reason": "r", "culprit-b": "yes"}  # fmt: skip
    found = judgements(form)
    assert [order["month"] for order in found] == ["2026-01", "2026-02"]
    assert {tuple(order["culprits"]) for order in found} == {("b",)}


def test_names_with_signs_of_an_address_come_back() -> None:
    (group,) = groups([doubt(202601, '1#炉 "x" & <y>')])
    (found,) = judgements({"meters": group.names, "month-202601": "yes"})
    assert found["meters"] == list(group.meters)


@pytest.mark.parametrize("meters", ["", "x", "[1]", '"x"'])
def test_meters_that_no_form_sends_are_refused(meters: str) -> None:
    with pytest.raises(InputError, match="not those of a doubt"):
        judgements({"meters": meters, "month-202601": "yes"})


def test_the_address_names_the_period() -> None:
    assert address("a", "2026-01..2026-03") == "/sites/a/account?period=2026-01..2026-03"


def test_the_site_leads_to_its_account(browser: Reader) -> None:
    assert f'href="{ACCOUNT}"' in browser.page(f"/sites/{SITE}")


def test_the_latest_year_is_shown_unless_told(browser: Reader) -> None:
    page = browser.page(ACCOUNT)
    assert "2026-01..2026-03" in page
    assert "The ten principles" in page
    assert SUSPECT in page


def test_every_part_of_the_account_is_there(browser: Reader) -> None:
    page = browser.page(f"{ACCOUNT}?period=2026-01..2026-03&month=202601", "zh")
    for head in ("state", "principles", "doubts", "months", "meters", "sign"):
        assert f'id="{head}-head"' in page
    assert "以准确的质量与含量计量为基础" in page
    assert "Based on accurate measurement" in page
    assert "2026-01 各仪表" in page
    assert "每项存疑都判断后方可签署" in page
    assert page.count('class="why"') >= 9


def test_the_meters_of_another_month_are_one_click_away(browser: Reader) -> None:
    page = browser.page(f"{ACCOUNT}?period=2026-01..2026-03&month=2026-02")
    assert "Meters of 2026-02" in page
    assert "Meters of 2026-03" in browser.page(f"{ACCOUNT}?month=1999-01")


def test_a_period_without_readings_cannot_be_accounted(browser: Reader) -> None:
    page = browser.page(f"{ACCOUNT}?period=2020")
    assert "callout" in page
    assert "The ten principles" not in page


def test_what_is_no_period_is_a_page_of_advice(browser: Reader) -> None:
    answer = browser.get(f"{ACCOUNT}?period=soon", headers={"cookie": "lang=zh"})
    assert answer.status_code == 422
    assert "不是期间" in answer.text
