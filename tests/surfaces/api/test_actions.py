"""Forms: upload, post, reverse, recompute, define and edit a network."""

import re

import pytest

from cupral.ledger.result import Result
from cupral.surfaces.api import actions
from cupral.surfaces.intake import KINDS
from cupral.system import call
from tests.surfaces.reader import Reader
from tests.surfaces.workshop import NETWORK, SITE, SUSPECT, meter_file

APRIL = meter_file(("2026-04",))


def upload(reader: Reader, content: bytes, mode: str, **more: str) -> dict:
    """Upload a meter file and wait for the end of the job."""
    data = {"kind": "meters", "site": SITE, "author": "engineer", "mode": mode, **more}
    return reader.order("/upload", data=data, files={"file": ("april.csv", content, "text/csv")})


def report(reader: Reader, job: dict) -> str:
    """The page of a job, in English."""
    return reader.page(f"/jobs/{job['id']}")


def test_a_check_posts_nothing_and_offers_to_post(reader: Reader) -> None:
    job = upload(reader, APRIL, "check")
    assert job["result"]["status"] == "dry run"
    assert reader.ledger.head == 1
    page = report(reader, job)
    assert "nothing is posted yet" in page
    assert f'action="/jobs/{job["id"]}/post"' in page


def test_a_checked_file_is_posted_without_sending_it_again(reader: Reader) -> None:
    job = upload(reader, APRIL, "check")
    posted = reader.order(f"/jobs/{job['id']}/post")
    assert posted["result"]["status"] == "posted"
    assert reader.ledger.head == 2
    assert "Posted as" in report(reader, posted)


def test_a_checked_file_is_posted_once(reader: Reader) -> None:
    job = upload(reader, APRIL, "check")
    reader.order(f"/jobs/{job['id']}/post")
    again = reader.post(f"/jobs/{job['id']}/post", headers={"cookie": "lang=en"})
    assert again.status_code == 422
    assert "upload it again" in again.text


def test_check_and_post_in_one_go(reader: Reader) -> None:
    job = upload(reader, APRIL, "post")
    assert [job["state"], job["of"], job["result"]["rows_posted"]] == ["done", 3, 7]
    latest = reader.ledger.records.audit(1)[0]
    assert latest["author"] == "engineer"


def test_what_stood_on_corrected_rows_is_recomputed(reader: Reader) -> None:
    kept = call(reader.ledger, "balance.streams", site=SITE, period="2026-03")
    march = meter_file(("2026-03",), **{"CONC.belt": 1000.0})
    job = upload(reader, march, "post", correct="yes")
    assert job["result"]["recomputed"] == [kept.key]
    assert [row["version"] for row in reader.ledger.versions(kept.key)] == [2, 1]
    assert "1 results were recomputed" in report(reader, job)


def test_a_contradiction_needs_the_tick_for_correction(reader: Reader) -> None:
    march = meter_file(("2026-03",), **{"CONC.belt": 1000.0})
    job = upload(reader, march, "post")
    assert job["state"] == "failed"
    assert "correct" in job["problem"]["faults"][0]["cure"]
    assert reader.ledger.head == 1


def test_a_gap_needs_the_tick_for_gaps(reader: Reader) -> None:
    gap = b"meter,period,amount\nCONC.belt,2026-04,1000\nCONC.belt,2026-06,1000\n"
    job = upload(reader, gap, "post")
    assert "accept_gaps" in job["problem"]["faults"][0]["cure"]
    assert "(accept_gaps)" in reader.page("/upload")
    assert upload(reader, gap, "post", accept_gaps="yes")["result"]["rows_posted"] == 2


def test_columns_are_explained_in_both_languages(reader: Reader) -> None:
    assert "计量点 meter" in reader.page("/upload")


def test_faults_are_shown_by_row_and_column(reader: Reader) -> None:
    job = upload(reader, b"meter,period,amount\nCONC.bel,2026-04,1O\n", "post")
    page = report(reader, job)
    assert "Nothing was posted" in page
    assert "<code>1O</code>" in page
    assert re.search(r'<td class="num">2</td>', page)
    assert reader.ledger.head == 1


@pytest.mark.parametrize(
    ("data", "file", "says"),
    [
        ({"kind": "tea", "site": SITE}, True, "kind &#39;tea&#39; is not known"),
        ({"kind": "meters", "site": ""}, True, "name the site"),
        ({"kind": "meters", "site": SITE}, False, "no file was sent"),
    ],
)
def test_an_upload_that_cannot_begin_says_why(
    reader: Reader, data: dict[str, str], file: bool, says: str
) -> None:
    files = {"file": ("a.csv", APRIL, "text/csv")} if file else {"other": ("a", b"x", "text/csv")}
    answer = reader.post("/upload", data=data, files=files, headers={"cookie": "lang=en"})
    assert answer.status_code == 422
    assert says in answer.text


def test_a_posting_is_reversed_with_a_reason(reader: Reader) -> None:
    posting = reader.ledger.postings()[0]["id"]
    job = reader.order("/reverse", data={"posting": posting, "reason": "wrong site"})
    assert job["state"] == "done"
    assert reader.ledger.flows(site=SITE).num_rows == 0
    assert "reversed" in reader.page("/postings")


def test_a_reversal_without_reason_is_refused(reader: Reader) -> None:
    posting = reader.ledger.postings()[0]["id"]
    job = reader.order("/reverse", data={"posting": posting, "reason": " "})
    assert job["state"] == "failed"
    assert "reason" in job["problem"]["what"]


def test_recomputing_when_nothing_is_stale_is_harmless(reader: Reader) -> None:
    job = reader.order("/refresh")
    assert job["result"] == {"recomputed": [], "unanswered": []}


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_templates_are_downloaded(browser: Reader, kind: str, form: str) -> None:
    answer = browser.get(f"/template/{kind}.{form}")
    assert answer.status_code == 200
    assert f'filename="cupral-{kind}.{form}"' in answer.headers["content-disposition"]
    assert answer.content.startswith(b"PK" if form == "xlsx" else b"\xef\xbb\xbf")


def test_other_templates_are_a_page_of_advice(browser: Reader) -> None:
    answer = browser.get("/template/tea.csv", headers={"cookie": "lang=en"})
    assert answer.status_code == 404
    assert "meters" in answer.text


@pytest.mark.parametrize("form", ["yaml", "xlsx"])
def test_networks_are_downloaded_and_uploaded(reader: Reader, form: str) -> None:
    content = reader.get(f"/networks/{SITE}/file.{form}").content
    job = reader.order("/networks", data={"author": "a"},
                       files={"file": (f"n.{form}", content, "text/plain")})  # fmt: skip
    assert job["result"]["status"] == "already"


def test_a_new_site_is_defined_by_a_file(reader: Reader) -> None:
    other = NETWORK.replace("ws-1", "ws-2").encode()
    job = reader.order("/networks", data={"author": "a"}, files={"file": ("n.yaml", other)})
    assert job["state"] == "done"
    assert reader.ledger.networks() == ["ws-1", "ws-2"]


def fields(page: str) -> dict[str, str]:
    """The fields of the editing form of a page, as a browser would send them."""
    import html

    found = {
        name: html.unescape(value)
        for name, value in re.findall(r'<input type="text" name="([^"]+)" value="([^"]*)"', page)
    }
    for name, options in re.findall(r'<select name="([^"]+)".*?>(.*?)</select>', page):
        chosen = re.search(r"<option selected>([^<]*)</option>", options)
        found[name] = chosen[1] if chosen else ""
    return found


def test_a_form_saved_unchanged_changes_nothing(reader: Reader) -> None:
    form = fields(reader.page(f"/networks/{SITE}"))
    answer = reader.post(f"/networks/{SITE}", data={**form, "do": "save"})
    assert answer.status_code == 200
    assert "already" in answer.text
    assert reader.ledger.network(SITE).version == 1


def test_a_preview_shows_the_draft_and_saves_nothing(reader: Reader) -> None:
    form = fields(reader.page(f"/networks/{SITE}"))
    form |= {"streams-0-name_en": "rich concentrate", "do": "preview"}
    answer = reader.post(f"/networks/{SITE}", data=form, headers={"cookie": "lang=en"})
    assert "rich concentrate" in answer.text
    assert '<svg class="net"' in answer.text
    assert reader.ledger.network(SITE).version == 1


def test_an_edit_becomes_a_new_version(reader: Reader) -> None:
    form = fields(reader.page(f"/networks/{SITE}"))
    number = 6
    row = {"id": "GAS", "name_en": "off-gas", "source": "smelting", "target": "outside"}
    form |= {f"streams-{number}-{name}": value for name, value in row.items()}
    reader.post(f"/networks/{SITE}", data={**form, "do": "save", "author": "engineer"})
    network = reader.ledger.network(SITE)
    assert (network.version, network.author) == (2, "engineer")
    assert network.stream("GAS").name_en == "off-gas"


def test_emptying_a_row_deletes_it(reader: Reader) -> None:
    form = fields(reader.page(f"/networks/{SITE}"))
    form = {n: "" if n.startswith("meters-6-") else value for n, value in form.items()}
    reader.post(f"/networks/{SITE}", data={**form, "do": "save"})
    assert len(reader.ledger.network(SITE).meters) == 6


def test_a_faulty_form_names_sheet_and_column_and_keeps_what_was_typed(reader: Reader) -> None:
    form = fields(reader.page(f"/networks/{SITE}"))
    form |= {"streams-0-target": "smeltign", "do": "save"}
    answer = reader.post(f"/networks/{SITE}", data=form, headers={"cookie": "lang=en"})
    assert answer.status_code == 422
    assert "streams.target" in answer.text
    assert 'value="smeltign"' in answer.text
    assert reader.ledger.network(SITE).version == 1


def test_an_empty_new_form_says_what_is_missing(reader: Reader) -> None:
    answer = reader.post("/networks/new", data={"do": "save"}, headers={"cookie": "lang=en"})
    assert answer.status_code == 422
    assert "Faulty rows" in answer.text


def test_an_unknown_job_is_a_page(browser: Reader) -> None:
    assert browser.get("/jobs/none").status_code == 404


def test_job_pages_are_never_kept(reader: Reader) -> None:
    job = upload(reader, APRIL, "check")
    assert reader.get(f"/jobs/{job['id']}").headers["cache-control"] == "no-store"


def test_a_result_without_an_answer_is_told_beside_the_posting(reader: Reader) -> None:
    with reader.ledger.reading() as read:
        reader.ledger.flows(site=SITE)
    arguments = {"site": "gone", "period": "2026"}
    reader.ledger.keep(Result(query="balance.streams", subject="x", arguments=arguments), read)
    job = upload(reader, APRIL, "post")
    page = report(reader, job)
    assert (job["state"], reader.ledger.head) == ("done", 2)
    assert "have no answer now" in page
    assert "balance.streams?period=2026&amp;site=gone" in page
    assert "Nothing was posted" not in page


def test_a_defect_after_the_posting_does_not_say_that_nothing_was_posted(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_ledger: object) -> dict:
        raise ZeroDivisionError

    monkeypatch.setattr(actions, "recomputed", broken)
    job = upload(reader, APRIL, "post")
    page = report(reader, job)
    assert (job["state"], reader.ledger.head) == ("failed", 2)
    assert "The file was posted; only what came after it failed." in page
    assert "Nothing was posted" not in page


def test_checked_files_are_kept_up_to_a_size(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The latest one always, however large."""
    monkeypatch.setattr(actions, "KEPT_BYTES", int(len(APRIL) * 2.5))
    jobs = [upload(reader, APRIL, "check") for _ in range(3)]
    assert reader.post(f"/jobs/{jobs[0]['id']}/post").status_code == 422
    assert reader.order(f"/jobs/{jobs[1]['id']}/post")["result"]["status"] == "posted"
    monkeypatch.setattr(actions, "KEPT_BYTES", 1)
    last = upload(reader, meter_file(("2026-05",)), "check")
    assert reader.order(f"/jobs/{last['id']}/post")["result"]["status"] == "posted"


def test_a_field_numbered_by_no_plain_digit_is_passed_over(reader: Reader) -> None:
    answer = reader.post("/networks/new", data={"site-²-id": "x", "do": "preview"})
    assert answer.status_code == 422


def test_a_reversal_can_be_reversed_from_the_page(reader: Reader) -> None:
    (posting,) = [row["id"] for row in reader.ledger.postings()]
    for id in (posting, f"reverse:{posting}"):
        assert f'name="posting" value="{id}"' in reader.page("/postings")
        reader.order("/reverse", data={"posting": id, "reason": "x", "author": "me"})
    page = reader.page("/postings")
    assert page.count("b-none") == 1, "the reversal is reversed, what it reversed stands again"
    assert f'name="posting" value="{posting}"' in page


# -- the account -----------------------------------------------------------------------------

ACCOUNT = f"/sites/{SITE}/account"
MARCH = "2026-01..2026-03"


def judged(**changed: str) -> dict[str, str]:
    """A form that judges the belt scale of March."""
    return {"period": MARCH, "kind": "bias", "meters": f'["{SUSPECT}"]', "month-202603": "yes",
            "verdict": "confirmed", "reason": "calibration 7", "author": "auditor",
            **changed}  # fmt: skip


def test_an_account_is_judged_and_signed_without_scripts(reader: Reader) -> None:
    assert "open doubts" in reader.page(f"{ACCOUNT}?period={MARCH}")
    job = reader.order(f"{ACCOUNT}/judge", data=judged())
    assert job["state"] == "done", job["problem"]
    page = reader.page(f"/jobs/{job['id']}")
    assert f'href="{ACCOUNT}?period=2026-01..2026-03"' in page
    (found,) = reader.ledger.documents("doubt", party=SITE)
    assert (found.state, found.author) == ("confirmed", "auditor")
    assert "ready to sign" in reader.page(f"{ACCOUNT}?period={MARCH}")
    form = {"period": MARCH, "statement": "all scales", "author": "chief"}
    assert reader.order(f"{ACCOUNT}/sign", data=form)["state"] == "done"
    page = reader.page(f"{ACCOUNT}?period={MARCH}")
    assert "signed" in page
    assert "all scales" in page


def test_an_account_with_open_doubts_is_not_signed(reader: Reader) -> None:
    form = {"period": MARCH, "statement": "all scales", "author": "chief"}
    job = reader.order(f"{ACCOUNT}/sign", data=form)
    assert job["state"] == "failed"
    assert "1 doubts are open" in job["problem"]["what"]
    assert "1 项存疑未判断" in reader.page(f"/jobs/{job['id']}", "zh")


@pytest.mark.parametrize(
    ("changed", "says"),
    [({"month-202603": ""}, ""), ({"meters": "CONC"}, "meters are not those of a doubt"),
     ({"meters": '{"a": 1}'}, "meters are not those of a doubt")],
)  # fmt: skip
def test_a_judgement_of_nothing_is_a_page_of_advice(
    reader: Reader, changed: dict[str, str], says: str
) -> None:
    form = judged(**changed)
    if not says:
        del form["month-202603"]
        says = "tick the months"
    answer = reader.post(f"{ACCOUNT}/judge", data=form, headers={"cookie": "lang=en"})
    assert answer.status_code == 422
    assert says in answer.text


def test_a_judgement_without_reason_is_refused(reader: Reader) -> None:
    job = reader.order(f"{ACCOUNT}/judge", data=judged(reason=" "))
    assert job["state"] == "failed"
    assert "a judgement needs a reason" in job["problem"]["what"]
    assert not reader.ledger.documents("doubt", party=SITE)


def test_an_account_takes_no_orders_from_another_sites_page(reader: Reader) -> None:
    answer = reader.post(f"{ACCOUNT}/judge", data=judged(),
                         headers={"sec-fetch-site": "cross-site"})  # fmt: skip
    assert answer.status_code == 403
    assert not reader.ledger.documents("doubt", party=SITE)


def test_a_job_that_failed_is_told_in_the_readers_language(reader: Reader) -> None:
    job = upload(reader, b"meter,period,amount\nX,2026-04,1O\n", "check")
    page = reader.page(f"/jobs/{job['id']}", "zh")
    for text in ("数字后面有文字或单位", "只写数字，单位写在单位列", "处错误，未记账"):
        assert text in page
    assert "behind the number" not in page
