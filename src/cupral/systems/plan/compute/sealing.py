"""Office files as the same bytes every time: fixed times, fixed order, no author."""

import io
import re
import zipfile

_STAMP = re.compile(rb"(<dcterms:(created|modified)[^>]*>)[^<]*(</dcterms:)")
_INSTANT = b"2000-01-01T00:00:00Z"
_EPOCH = (1980, 1, 1, 0, 0, 0)


def sealed(office: bytes) -> bytes:
    """An office file (a zip of XML) without the time at which it was written.

    Parameters
    ----------
    office : bytes
        DOCX or XLSX.

    Returns
    -------
    bytes
        The same parts in the same order with fixed times: equal content, equal bytes.
    """
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(office)) as old,
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o600 << 16
            new.writestr(entry, _STAMP.sub(rb"\g<1>" + _INSTANT + rb"\g<3>", old.read(name)))
    return buffer.getvalue()
