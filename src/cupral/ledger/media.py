"""Media: what a file is, by its content and not by its name; what may act is refused.

    PDF, PNG, JPEG, XLSX, DOCX, CSV and plain text (UTF-8), JSON

A file is what its first bytes say, and its name must not say otherwise. Refused are files that
can act on the reader's computer (macros, scripts in PDF, SVG and HTML), that hide others (ZIP,
files inside a PDF, a second file behind the end of a picture), and that unpack beyond measure.
"""

import io
import json
import re
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from cupral.ledger.errors import InputError

MOST_BYTES = 20_000_000
"""Size of a file."""
MOST_UNPACKED = 100_000_000
"""Bytes of an unpacked workbook or text document."""
_PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""Other ways unpack thousands of times their size at one step."""
MOST_RATIO = 300
MOST_PARTS = 5_000
MOST_NAME = 120
"""Characters of a name; in UTF-8 it still fits into the 255 bytes of a file system."""

OFFICE = "application/vnd.openxmlformats-officedocument"
ENDINGS = {
    "application/pdf": (".pdf",),
    "image/png": (".png",),
    "image/jpeg": (".jpg", ".jpeg"),
    f"{OFFICE}.spreadsheetml.sheet": (".xlsx",),
    f"{OFFICE}.wordprocessingml.document": (".docx",),
    "application/json": (".json",),
    "text/csv": (".csv",),
    "text/plain": (".txt", ".md", ".toml", ".log"),
}
"""Each medium and how the name of its files ends."""
ALLOWED = "PDF, PNG, JPEG, XLSX, DOCX, CSV, TXT (UTF-8) or JSON"

_ACTIVE_PDF = re.compile(
    rb"/(JavaScript|Launch|EmbeddedFiles?|RichMedia|SubmitForm|ImportData|GoToE|Encrypt)(?![A-Za-z])"
    rb"|/(XFA)(?=[\s\[])"
)
_ESCAPED = re.compile(rb"#([0-9A-Fa-f]{2})")
_STREAM = re.compile(rb"(?<!end)stream\r?\n")
_UNUSUAL = (b"/LZW", b"/ASCII", b"/A85", b"/AHx", b"/RunLength", b"/RL", b"/Crypt", b"/F ")
_PDF_WITHIN = 1024
"""Readers take a file for a PDF if its mark is among so many first bytes."""
_MARKUP = re.compile(
    r"<\s*(?:!doctype|\?xml|html|head|body|script|svg|iframe|object|embed|img|link|meta|style)\b"
    r"|<!\[CDATA\[|<!ENTITY|javascript:",
    re.IGNORECASE,
)
_SHADY_PARTS = ("vbaproject.bin", "vbadata.xml", ".bin", ".exe", ".dll", ".js", ".vbs", ".html",
                ".htm", ".svg", ".ole")  # fmt: skip
_SHADY_FOLDERS = ("xl/externallinks/", "/activex/", "/embeddings/", "/customui/", "xl/macrosheets/",
                  "/dialogsheets/")  # fmt: skip
_HARMLESS_BIN = re.compile(r"(?:xl|word)/printersettings/printersettings\d+\.bin")
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")


@dataclass(frozen=True, slots=True)
class Recognised:
    """A file that may be kept: its cleaned name and its medium."""

    name: str
    media: str


def recognised(content: bytes, name: str) -> Recognised:
    """What a file is, if it may be kept.

    Raises
    ------
    InputError
        If it is empty or too large, of a kind that is not allowed, can act, or is not what
        its name says.

    Examples
    --------
    >>> recognised('{"t": 1.5}'.encode(), "../../铜.json")
    Recognised(name='铜.json', media='application/json')
    """
    shown = clean_name(name)
    if not content:
        raise InputError(f"file {shown!r} is empty; choose a file with content")
    if len(content) > MOST_BYTES:
        raise InputError(
            f"file {shown!r} has {len(content):,} bytes; at most {MOST_BYTES:,} are taken;"
            " reduce or split it"
        )
    media = _media(content, shown)
    ending = _ending(shown)
    if ending not in ENDINGS[media]:
        raise InputError(
            f"file {shown!r} is {media} by its content, but its name ends in {ending or 'nothing'};"
            f" name it {' or '.join(ENDINGS[media])}"
        )
    return Recognised(shown, media)


def clean_name(name: str) -> str:
    r"""The name without folders, control and bidirectional characters, and not too long.

    Examples
    --------
    >>> clean_name("C:\\temp\\..\\report\u202efdp.exe"), clean_name("../../etc/passwd")
    ('reportfdp.exe', 'passwd')
    """
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    kept = "".join(
        c for c in last if c not in _BIDI and unicodedata.category(c) not in ("Cc", "Cf", "Cs",
                                                                              "Zl", "Zp")
    )  # fmt: skip
    plain = re.sub(r'[<>:"|?*;\s]+', " ", kept).strip(" .")
    if not plain:
        raise InputError(f"the file's name {name!r} has no readable character; name it anew")
    stem, dot, ending = plain.rpartition(".")
    over = len(plain) - MOST_NAME
    return f"{stem[:-over].rstrip()}{dot}{ending}"[-MOST_NAME:] if over > 0 else plain


def _ending(name: str) -> str:
    return f".{name.rpartition('.')[2].lower()}" if "." in name else ""


def _media(content: bytes, name: str) -> str:
    if b"%PDF-" in content[1:_PDF_WITHIN]:
        raise _refused(name, "is a PDF and something else at once", "save it again")
    if not content.startswith(b"PK") and zipfile.is_zipfile(io.BytesIO(content)):
        raise _refused(name, "holds a ZIP file", f"take one of {ALLOWED}")
    for magic, check in _MAGIC:
        if content.startswith(magic):
            return check(content, name)
    return _text(content, name)


def _refused(name: str, what: str, cure: str) -> InputError:
    return InputError(f"file {name!r} {what}; {cure}")


def _pdf(content: bytes, name: str) -> str:
    """A PDF without scripts, actions and files in it, also among its packed objects."""
    if not content.rstrip(b"\r\n \x00").endswith(b"%%EOF"):
        raise _refused(name, "does not end as a PDF does", "print it to PDF again")
    for text in (content, *_packed_objects(content, name)):
        if found := _ACTIVE_PDF.search(_unescaped(text)):
            word = (found[1] or found[2]).decode()
            raise _refused(name, f"holds /{word}, which can act or hide", "print it to PDF again")
    return "application/pdf"


def _unescaped(text: bytes) -> bytes:
    """Names in a PDF may be written with #xx for any letter."""
    return _ESCAPED.sub(lambda found: bytes([int(found[1], 16)]), text)


def _packed_objects(content: bytes, name: str) -> Iterator[bytes]:
    """What the object streams hold; pictures, fonts and pages are none."""
    left, before = MOST_UNPACKED, 0
    for match in _STREAM.finditer(content):
        described, before = _unescaped(content[before : match.start()]), match.end()
        if b"/ObjStm" not in described:
            continue
        if any(word in described for word in _UNUSUAL):
            raise _refused(name, "packs its objects in an unusual way", "print it to PDF again")
        engine, end = zlib.decompressobj(), content.find(b"endstream", before)
        try:
            inner = engine.decompress(content[before : end if end > 0 else None], left + 1)
        except zlib.error:
            inner = b""
        left -= len(inner)
        if left < 0:
            raise _refused(name, f"unpacks to over {MOST_UNPACKED:,} bytes", "print it again")
        if not engine.eof:  # broken, or it hides its end
            raise _refused(name, "has objects that cannot be read", "print it to PDF again")
        yield inner


def _png(content: bytes, name: str) -> str:
    place = 8
    while place + 12 <= len(content):
        length = int.from_bytes(content[place : place + 4], "big")
        kind = content[place + 4 : place + 8]
        place += 12 + length
        if kind == b"IEND":
            break
    else:
        raise _refused(name, "is a broken PNG", "save the picture again")
    if place != len(content):
        raise _refused(name, "holds something behind the end of the picture", "save it again")
    return "image/png"


def _jpeg(content: bytes, name: str) -> str:
    end = content.rfind(b"\xff\xd9")
    if end < 0 or content[end + 2 :].strip(b"\x00\r\n "):
        raise _refused(name, "does not end where the picture ends", "save the picture again")
    if _MARKUP.search(content[:_PDF_WITHIN].decode("latin-1")):
        raise _refused(name, "is a picture and something else at once", "save the picture again")
    return "image/jpeg"


def _office(content: bytes, name: str) -> str:
    """A workbook or text document without macros, controls, inner files or bombs."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
            _measure(parts, name)
            media = _office_media(archive, parts, name)
            _harmless(archive, parts, name)
    except InputError:
        raise
    except Exception:  # zipfile and zlib raise errors of many kinds on a damaged archive
        raise _refused(name, "is damaged or no document", f"take {ALLOWED}") from None
    if content.rfind(b"PK\x05\x06") + 22 != len(content):
        raise _refused(name, "holds something behind its end", "save it again")
    return media


def _measure(parts: list[zipfile.ZipInfo], name: str) -> None:
    unpacked = sum(part.file_size for part in parts)
    packed = max(1, sum(part.compress_size for part in parts))
    if len(parts) > MOST_PARTS or unpacked > MOST_UNPACKED:
        raise _refused(name, f"unpacks to {len(parts)} parts, {unpacked:,} bytes", "make it less")
    if unpacked > 1_000_000 and unpacked > MOST_RATIO * packed:
        raise _refused(name, f"unpacks to {unpacked // packed} times its size", "save it again")
    if any(part.flag_bits & 1 for part in parts):
        raise _refused(name, "is encrypted", "save it without a password")
    if any(part.compress_type not in _PACKED for part in parts):
        raise _refused(name, "is packed in an unusual way", "save it again")


def _office_media(archive: zipfile.ZipFile, parts: list[zipfile.ZipInfo], name: str) -> str:
    names = {part.filename for part in parts}
    types = archive.read("[Content_Types].xml") if "[Content_Types].xml" in names else b""
    if b"macroEnabled" in types:
        raise _refused(name, "holds macros", "save it without macros")
    for part, media in (("xl/workbook.xml", "spreadsheetml.sheet"),
                        ("word/document.xml", "wordprocessingml.document")):  # fmt: skip
        if part in names and b"openxmlformats-officedocument" in types:
            return f"{OFFICE}.{media}"
    raise _refused(name, "is a ZIP file", f"unpack it and take its files one by one: {ALLOWED}")


def _harmless(archive: zipfile.ZipFile, parts: list[zipfile.ZipInfo], name: str) -> None:
    read = 0
    for part in parts:
        low = part.filename.lower()
        if ".." in low.split("/") or low.startswith("/") or "\\" in low:
            raise _refused(name, f"has a part outside of itself ({low[:60]!r})", "save it again")
        if low.endswith(_SHADY_PARTS) and not _HARMLESS_BIN.fullmatch(low):
            what = "macros" if "vba" in low else f"the part {low[:60]!r}, which can act"
            raise _refused(name, f"holds {what}", "save it without macros and controls")
        if any(folder in f"/{low}" for folder in _SHADY_FOLDERS):
            raise _refused(name, f"holds {low[:60]!r}", "save it without links and inner files")
        with archive.open(part) as stream:  # what the directory says of its size may be a lie
            text = stream.read(MOST_UNPACKED - read + 1)
        read += len(text)
        if read > MOST_UNPACKED:
            raise _refused(name, f"unpacks to over {MOST_UNPACKED:,} bytes", "make it less")
        if b"<!ENTITY" in text or b"<!DOCTYPE" in text or b"DDEAUTO" in text:
            raise _refused(name, "defines XML entities or starts programs", "save it anew")
        if low.endswith(".rels") and _remote(text):
            raise _refused(name, "loads a template or frame from elsewhere", "save it without")


def _remote(relations: bytes) -> bool:
    """Whether a document loads something when opened; a link that one must click is none."""
    for relation in re.findall(rb"<[^>]*TargetMode\s*=\s*[\"']External[\"'][^>]*>", relations):
        if b"/hyperlink" not in relation:
            return True
    return False


def _text(content: bytes, name: str) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _refused(name, "is of a kind that is not taken", f"take {ALLOWED}") from None
    strange = {c for c in text if ord(c) < 32 or ord(c) == 127} - set("\t\r\n\f")
    if strange:
        raise _refused(name, "holds control characters, so is no text", f"take {ALLOWED}")
    if found := _MARKUP.search(text):
        raise _refused(name, f"holds {found[0][:20]!r}: HTML, SVG and XML are not taken",
                       "print it to PDF")  # fmt: skip
    if _ending(name) == ".json":
        try:
            json.loads(text)
        except (ValueError, RecursionError):
            raise _refused(name, "is no JSON", "mend it, or name it .txt") from None
        return "application/json"
    return "text/csv" if _ending(name) == ".csv" else "text/plain"


_MAGIC: tuple[tuple[bytes, Callable[[bytes, str], str]], ...] = (
    (b"%PDF-", _pdf),
    (b"\x89PNG\r\n\x1a\n", _png),
    (b"\xff\xd8\xff", _jpeg),
    (b"PK\x03\x04", _office),
)
