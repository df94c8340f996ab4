"""Hostile files at every door that takes files: told, never posted, never a defect."""

import io
import time
import zipfile
from collections.abc import Callable, Mapping

import pytest
from openpyxl import Workbook

from tests.surfaces.reader import Reader
from tests.surfaces.workshop import SITE, meter_file

APRIL = meter_file(("2026-04",))
PATIENCE = 10.0
"""Seconds within which any file is refused, on a machine that is busy."""


def book(*rows: list[object]) -> bytes:
    """A workbook with one sheet of meters."""
    made, out = Workbook(), io.BytesIO()
    made.remove(made.worksheets[0])
    sheet = made.create_sheet("meters")
    for row in rows:
        sheet.append(row)
    made.save(out)
    return out.getvalue()


ROWS = (["meter", "period", "amount", "unit"], ["CONC.bel", "2026-04", 1.0, "t"])


def with_part(name: str, content: bytes) -> bytes:
    """A workbook with one part more."""
    out = io.BytesIO(book(*ROWS))
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return out.getvalue()


ALIASES = "a: &a [x, x, x, x, x, x, x, x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a]\n"
FILES: Mapping[str, tuple[str, Callable[[], bytes]]] = {
    "zip bomb": ("m.xlsx", lambda: with_part("xl/big.xml", b" " * 40_000_000)),
    "macro sheet": ("m.xlsx", lambda: with_part("xl/macrosheets/s.xml", b"<a/>")),
    "macro": ("m.xlsx", lambda: with_part("xl/vbaProject.bin", b"x")),
    "macro ending": ("m.xlsm", lambda: book(*ROWS)),
    "entities": (
        "m.xlsx",
        lambda: with_part("xl/e.xml", b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"),
    ),
    "links": ("m.xlsx", lambda: with_part("xl/externalLinks/l.xml", b"<a/>")),
    "formula": ("m.xlsx", lambda: book(ROWS[0], ["=1+1", "2026-04", '=cmd|"/C calc"!A0', "t"])),
    "archive": ("m.zip", lambda: with_part("a", b"a")),
    "text as a workbook": ("m.xlsx", lambda: APRIL),
    "workbook as text": ("m.csv", lambda: book(*ROWS)),
    "program": ("m.csv", lambda: b"MZ\x90\x00\x03" + b"\x00" * 200),
    "program of Linux": ("m.xlsx", lambda: b"\x7fELF\x02\x01\x01" + b"\x00" * 200),
    "picture": ("m.csv", lambda: b"\x89PNG\r\n\x1a\n" + b"\x00" * 100),
    "web page": ("m.csv", lambda: b"<html><script>alert(1)</script></html>"),
    "drawing": ("m.svg", lambda: b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'),
    "pickle": ("m.csv", lambda: b"\x80\x04cos\nsystem\n(S'id'\ntR."),
    "gzip": ("m.csv", lambda: b"\x1f\x8b\x08\x00" + b"\x00" * 50),
    "control characters": ("m.csv", lambda: APRIL.replace(b"SLAG", b"SL\x1b[2JAG")),
    "one endless line": ("m.csv", lambda: b"meter,period,amount,unit\n" + b"a" * 5_000_000),
    "endless columns": ("m.csv", lambda: b"meter,period,amount,unit\nx" + b"," * 3_000_000),
    "open quotation mark": ("m.csv", lambda: b'meter,period,amount,unit\n"x' + b"\n1" * 500_000),
    "too large": ("m.csv", lambda: APRIL + b"#" * 20_000_001),
    "aliases": ("n.yaml", ALIASES.encode),
    "object of Python": ("n.yaml", lambda: b'site: !!python/object/apply:os.system ["id"]'),
    "nested deeply": ("n.yaml", lambda: b"[" * 100_000),
    "nothing": ("m.csv", bytes),
}
DOORS: Mapping[str, tuple[str, Mapping[str, str], str]] = {
    "page": ("/upload", {"kind": "meters", "site": SITE, "mode": "post", "author": "a"}, "file"),
    "page of returns": ("/upload", {"kind": "returns", "mode": "post", "author": "a"}, "file"),
    "command": ("/api/command/balance/import_meters", {"site": SITE, "author": "a"}, "content"),
    "network": ("/networks", {"author": "a"}, "file"),
    "command of a network": ("/api/command/balance/define_network", {"author": "a"}, "content"),
}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("kind", FILES)
def test_a_hostile_file_is_told_in_time_and_leaves_nothing(
    browser: Reader, kind: str, door: str
) -> None:
    """Either the door refuses it at once or its job fails with advice; the ledger stays."""
    head, networks = browser.ledger.head, browser.ledger.sites()
    name, made = FILES[kind]
    path, data, field = DOORS[door]
    content, began = made(), time.monotonic()
    answer = browser.post(path, data=dict(data), files={field: (name, content, "text/csv")})
    assert answer.status_code in (202, 303, 413, 422), answer.text[:200]
    if answer.status_code in (202, 303):
        id = answer.headers.get("location", "").removeprefix("/jobs/") or answer.json()["id"]
        job = browser.finished(id)
        assert job["state"] == "failed"
        assert job["problem"]["status"] == 422, job["problem"]
        assert job["problem"]["next"] or job["problem"]["faults"]
        assert "Traceback" not in str(job["problem"])
    assert time.monotonic() - began < PATIENCE
    assert browser.ledger.head == head
    assert browser.ledger.sites() == networks


@pytest.mark.parametrize(
    "name",
    ["../../etc/cron.d/x.csv", "..\\..\\x.csv", "/etc/passwd.csv", 'a"; filename="b.csv',
     "a\r\nset-cookie: x=y.csv", "<img src=x onerror=alert(1)>.csv", "=cmd.csv", "a\u202evsc.csv"],
)  # fmt: skip
def test_the_name_of_a_file_is_text_and_no_place(reader: Reader, name: str) -> None:
    """It is kept beside the posting; no file is made of it, and no page runs it."""
    folder = reader.ledger.folder
    before = {path for path in folder.parent.rglob("*") if path.suffix == ".csv"}
    data = {"kind": "meters", "site": SITE, "author": "a", "mode": "post"}
    job = reader.order("/upload", data=data, files={"file": (name, APRIL, "text/csv")})
    assert {path for path in folder.parent.rglob("*") if path.suffix == ".csv"} == before
    page = reader.page(f"/jobs/{job['id']}")
    assert "<img src=x" not in page
    assert "set-cookie" not in reader.get(f"/jobs/{job['id']}").headers
    if job["state"] == "done":
        assert reader.ledger.postings()[-1]["author"] == "a"


@pytest.mark.parametrize(
    "more", [{"author": "chief"}, {"seq": "1"}, {"dry_run": "no", "role": "x"}]
)
def test_fields_that_a_form_does_not_have_change_nothing(
    reader: Reader, more: dict[str, str]
) -> None:
    """The interface names them, a page passes over them: nothing is filled that is not asked."""
    files = {"content": ("m.csv", APRIL, "text/csv")}
    answer = reader.post(
        "/api/command/balance/import_meters", data={"site": SITE, **more}, files=files
    )
    assert answer.status_code in (202, 422)
    if answer.status_code == 202:
        reader.finished(answer.json()["id"])
        assert reader.ledger.postings()[-1]["author"] != "chief"
