"""Pages and forms of documents: open, search, move, comment, attach, download, inbox."""

import io
import zipfile
from urllib.parse import quote

import pytest

from cupral.ledger.workflow import history
from tests.surfaces.reader import Reader

TEXT = "申请 2026 年绿电直连容量 50 MW；附可行性报告。"


def opened(reader: Reader, id: str = "r1", title: str = "绿电直连申请", text: str = TEXT) -> str:
    """Address of a request of E1 that li has opened."""
    answer = reader.post("/documents", data={"kind": "request", "party": "E1", "title": title,
                                             "text": text, "id": id, "author": "li"})  # fmt: skip
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def act(reader: Reader, place: str, author: str, do: str, **more: str) -> int:
    """Send one form of a document's page as the page has it now; returns the status."""
    version = str(len(history(reader.ledger, "request", place.rsplit("/", 1)[1])))
    data = {"do": do, "author": author, "version": version, **more}
    return reader.post(place, data=data).status_code


def attached(reader: Reader, place: str, name: str, content: bytes) -> tuple[int, str]:
    """Attach a file by the form of the page."""
    answer = reader.post(place, data={"do": "attach", "author": "li"},
                         files={"file": (name, content, "application/x-lies")},
                         headers={"cookie": "lang=en"})  # fmt: skip
    return answer.status_code, answer.text


def test_a_request_goes_all_the_way(reader: Reader) -> None:
    place = opened(reader)
    assert place == "/documents/request/r1"
    assert act(reader, place, "li", "submitted") == 303
    assert act(reader, place, "wang", "under_review") == 303
    page = reader.page(place)
    assert "under review (now)" in page
    assert "accepted (ahead)" in page
    assert act(reader, place, "wang", "returned", reason="缺可行性报告") == 303
    page = reader.page(place)
    assert "缺可行性报告" in page
    assert act(reader, place, "li", "revise", title="绿电直连申请（二稿）", text="补报告") == 303
    assert act(reader, place, "li", "submitted") == 303
    assert act(reader, place, "wang", "under_review") == 303
    assert act(reader, place, "wang", "accepted") == 303
    page = reader.page(place, "zh")
    assert "已通过（" not in page
    assert "绿电直连申请（二稿）" in page
    assert [v.state for v in history(reader.ledger, "request", "r1")] == [
        "draft", "submitted", "under_review", "returned", "returned", "submitted", "under_review",
        "accepted"]  # fmt: skip
    done = [row for row in reader.ledger.records.audit() if row["action"] == "documents.decide"]
    assert [row["author"] for row in done] == ["wang", "wang"]


def test_four_eyes_on_the_page(reader: Reader) -> None:
    place = opened(reader)
    act(reader, place, "li", "submitted")
    act(reader, place, "wang", "under_review")
    assert "a second person must" in reader.page(place)
    assert act(reader, place, "li", "accepted") == 403
    assert reader.ledger.document("request", "r1").state == "under_review"


def test_a_page_from_before_a_change_is_told_so(reader: Reader) -> None:
    place = opened(reader)
    act(reader, place, "li", "submitted")
    answer = reader.post(place, data={"do": "withdrawn", "version": "1", "author": "li"},
                         headers={"cookie": "lang=en"})  # fmt: skip
    assert answer.status_code == 409
    assert "you saw version 1" in answer.text


@pytest.mark.parametrize(
    ("data", "status", "told"),
    [
        ({"do": "explode"}, 422, "it can ask for comment, attach, revise, submitted"),
        ({"do": "submitted", "version": "x"}, 422, "is no whole number"),
        ({"do": "submitted", "version": "9"}, 404, "has no version 9"),
        ({"do": "accepted", "version": "1"}, 422, "it leads to submitted, withdrawn"),
        ({"do": "comment", "text": " "}, 422, "a comment of 0 characters"),
        ({"do": "attach"}, 422, "no file was sent"),
    ],
)
def test_a_wrong_form_is_told_what_is_allowed(
    reader: Reader, data: dict[str, str], status: int, told: str
) -> None:
    place = opened(reader)
    answer = reader.post(place, data={"author": "li", **data}, headers={"cookie": "lang=en"})
    assert (answer.status_code, told in answer.text) == (status, True), answer.text


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("text=绿电", True), ("text=直连容量", True), ("text=r1", True), ("text=50 mw", True),
        ("text=50%", True), ("text=光伏", False), ("text=%25", False), ("text='", False),
        ("text=' OR 1=1 --", False), ('text=" OR "', False), ("text=*", False),
        ("text=年绿 NOT 电", False), ("kind=request", True), ("kind=ticket", False),
        ("state=draft", True), ("state=decided", False), ("party=E1", True), ("party=E2", False),
        ("overdue=yes", False), ("text=绿电&state=draft&party=E1", True), ("skip=50", False),
        ("skip=-1", True), ("skip=99999999999", True), ("text=" + "绿" * 500, False),
    ],
)  # fmt: skip
def test_the_list_is_searched_and_filtered(reader: Reader, asked: str, found: bool) -> None:
    opened(reader)
    query = quote(asked, safe="=&%") if "%25" in asked else quote(asked, safe="=&")
    page = reader.page(f"/documents?{query}")
    assert ('href="/documents/request/r1"' in page) == found
    assert ("No document fits" in page) != found


def test_what_was_written_is_shown_as_text(reader: Reader) -> None:
    place = opened(reader, title="<script>alert(1)</script>", text="<img src=x onerror=y>")
    act(reader, place, "li", "comment", text="</p><script>")
    for page in (reader.page(place), reader.page("/documents"), reader.page("/inbox?all=yes")):
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert "</p><script>" not in page


def test_comments_are_found_and_told(reader: Reader) -> None:
    place = opened(reader)
    assert act(reader, place, "wang", "comment", text="请补充环评批复") == 303
    assert "请补充环评批复" in reader.page(place)
    assert place in reader.page(f"/documents?text={quote('环评批复')}")


def test_a_file_is_saved_under_its_name_and_never_shown(reader: Reader) -> None:
    place = opened(reader)
    assert attached(reader, place, "../../可研 报告.txt", "内容".encode())[0] == 303
    page = reader.page(place)
    assert "可研 报告.txt" in page
    address = page.split('<a href="/attachments/')[1].split('"')[0]
    answer = reader.get(f"/attachments/{address}")
    assert answer.content == "内容".encode()
    assert answer.headers["content-disposition"] == (
        "attachment; filename*=UTF-8''%E5%8F%AF%E7%A0%94%20%E6%8A%A5%E5%91%8A.txt"
    )
    assert answer.headers["content-type"] == "text/plain"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "script-src 'self'" in answer.headers["content-security-policy"]


def test_a_file_belongs_to_its_document_only(reader: Reader) -> None:
    place, other = opened(reader), opened(reader, "r2")
    attached(reader, place, "a.txt", b"secret")
    address = reader.page(place).split('<a href="/attachments/')[1].split('"')[0]
    elsewhere = address.replace("/r1", "/r2")
    assert elsewhere != address
    assert other.endswith("r2")
    assert reader.get(f"/attachments/{elsewhere}").status_code == 404
    for wrong in ("request/../../documents.sqlite/r1", f"request/{'0' * 64}/r1"):
        assert reader.get(f"/attachments/{wrong}").status_code == 404


def bomb() -> bytes:
    """A workbook that unpacks to 200 MB."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "openxmlformats-officedocument")
        archive.writestr("xl/workbook.xml", "<workbook/>")
        archive.writestr("xl/sharedStrings.xml", b"0" * 200_000_000)
    return made.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.xlsx", None, "unpacks to"),
        ("a.txt", b"", "is empty"),
        ("a.txt", b"x" * 21_000_000, "at most 20,000,000 are taken"),
        ("a.html", b"<html><script>alert(1)</script>", "HTML, SVG and XML are not taken"),
        ("a.pdf", b"MZ\x90\x00", "of a kind that is not taken"),
    ],
)
def test_hostile_files_are_refused(
    reader: Reader, name: str, content: bytes | None, told: str
) -> None:
    place = opened(reader)
    status, text = attached(reader, place, name, bomb() if content is None else content)
    assert status == 422
    assert told in text
    assert "No attachments." in reader.page(place)
    assert not (reader.ledger.folder / "attachments").exists()


def test_the_inbox_tells_and_forgets(reader: Reader) -> None:
    place = opened(reader)
    act(reader, place, "li", "submitted")
    page = reader.page("/inbox")
    assert "1 unread notices" in page
    assert place in page
    number = page.split('name="number" value="')[1].split('"')[0]
    assert reader.post("/inbox", data={"number": number, "author": "wang"}).status_code == 303
    assert "0 unread notices" in reader.page("/inbox")
    assert "wang" in reader.page("/inbox?all=yes")
    assert reader.post("/inbox", data={"number": "x", "author": "wang"}).status_code == 422


def test_documents_without_a_workflow_are_shown_too(reader: Reader) -> None:
    """Also those whose id holds a slash, as the accounts of a site."""
    from cupral.ledger.document import Document

    account = Document(
        kind="account", id="S 1/2026-03", party="E1", body={"t": [1]}, state="signed"
    )
    reader.ledger.put(account, author="li")
    page = reader.page("/documents")
    assert 'href="/documents/account/S%201/2026-03"' in page
    shown = reader.page("/documents/account/S%201/2026-03")
    assert "signed" in shown
    assert 'value="attach"' not in shown
    assert reader.get("/documents/account/none").status_code == 404


def test_the_same_over_the_interface(reader: Reader) -> None:
    wanted = {"kind": "request", "party": "E1", "id": "r9", "title": "申请"}
    made = reader.order("/api/command/documents/draft", json=wanted)
    assert made["state"] == "done", made
    sent = reader.order(
        "/api/command/documents/submit", json={"kind": "request", "id": "r9", "version": 1}
    )
    assert sent["result"]["state"] == "submitted"
    found = reader.post("/api/query/documents/find", json={"text": "申请"}).json()
    assert [row["id"] for row in found["parts"]] == ["r9"]
