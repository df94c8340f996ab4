"""Change what is in force: propose, decide; carry values from desk to desk in signed files."""

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cupral.ledger import proposal as proposals
from cupral.ledger.document import Document
from cupral.ledger.errors import CannotDecide, InputError, NoRight
from cupral.ledger.ledger import Ledger
from cupral.ledger.parameter import CONFIRMED, KIND, PROPOSED
from cupral.system import acting, command
from cupral.systems.desk.compute import signing
from cupral.systems.desk.model import Imported, SignedFile
from cupral.systems.desk.queries.drafting import draft, same
from cupral.systems.desk.queries.listing import KEY_KIND

KEY_FILE = "CUPRAL_DESK_KEY"
"""Environment variable: where the private key lies, outside of every ledger."""
_CARRIED = ("parameter", "value", "unit", "valid_from", "valid_to", "source", "note", "status",
            "force", "file")  # fmt: skip
TRUSTED, REVOKED = "trusted", "revoked"


@command
@acting("amend")
def propose(
    ledger: Ledger, *, author: str, parameter: str, value: object, valid_from: str, source: str,
    unit: str = "", valid_to: str = "", note: str = "", status: str = "confirmed", force: str = "",
    content: bytes | None = None, filename: str = "",
) -> Document:  # fmt: skip
    """Propose a value of a parameter, with its source; a second person confirms it.

    Parameters
    ----------
    parameter : str
        Its id, e.g. 'plan.near_level'.
    value : object
        Number, table or list (JSON), of the shape of the values that there are.
    valid_from : str
        First day on which it holds, e.g. '2026-01-01'.
    source : str
        Document, clause and page.
    unit : str
        Unit of the value; empty = that of the parameter. What converts is converted.
    valid_to : str
        First day on which it does not hold any more; empty = none.
    note : str
    status : str
        'confirmed', or 'unconfirmed' for a number that shall keep its badge.
    force : str
        'law', 'standard', 'proposal', 'demonstration' or 'fact'; empty = that of the parameter.
    content : bytes
        The file that is the source.
    filename : str
        What it is called.

    Returns
    -------
    Document
        Kind 'parameter', state 'proposed'; its body says what it replaces (`overlaps`).
    """
    body = draft(
        ledger, parameter=parameter, value=value, unit=unit, valid_from=valid_from,
        valid_to=valid_to, source=source, note=note, status=status, force=force,
    )  # fmt: skip
    for one in ledger.documents(KIND, state=PROPOSED):
        if same(body, one.body):
            raise InputError(f"{one.id} by {one.author} says the same and waits; let it be decided")
    if content is not None and not filename.strip():
        raise InputError("the source file has no name; give its filename")
    file = None if content is None else (filename, content)
    return proposals.propose(ledger, {**body, "proposed_by": author}, author=author, file=file)


@command
@acting("confirm")
def confirm(
    ledger: Ledger, *, author: str, proposal: str, version: int = 0, reason: str = ""
) -> Document:
    """Confirm what somebody else has proposed: it is in force, and Results on it are stale.

    Parameters
    ----------
    proposal : str
        Its id, as `desk proposals` lists it.
    version : int
        The version that was looked at; 0 = the latest.
    reason : str
        A remark.
    """
    seen = _seen(ledger, proposal, version)
    return proposals.confirm(ledger, seen, author=author, reason=reason)


@command
@acting("confirm")
def refuse(
    ledger: Ledger, *, author: str, proposal: str, reason: str, version: int = 0
) -> Document:
    """Refuse what somebody else has proposed, with a reason."""
    seen = _seen(ledger, proposal, version)
    return proposals.refuse(ledger, seen, author=author, reason=reason)


@command
@acting("amend")
def withdraw(ledger: Ledger, *, author: str, proposal: str, reason: str = "") -> Document:
    """Take back what one has proposed oneself."""
    return proposals.withdraw(ledger, _seen(ledger, proposal, 0), author=author, reason=reason)


def _seen(ledger: Ledger, id: str, version: int) -> Document:
    found = proposals.proposal(ledger, id)
    versions = ledger.documents(KIND, id=id, latest=False) if version else [found]
    mine = [one for one in versions if version in (0, one.version)]
    if not mine:
        raise InputError(f"{id} has no version {version}; its latest is {found.version}")
    return mine[0]


@command
@acting("confirm")
def export_parameters(
    ledger: Ledger, *, author: str, parameters: list[str] | None = None
) -> SignedFile:
    """A signed file of the values that were confirmed here.

    Parameters
    ----------
    parameters : list of str
        Ids; none = all that were amended.

    Raises
    ------
    CannotDecide
        If there is no key to sign with.
    InputError
        If nothing was confirmed of what is asked for.
    """
    held = [one.document.removeprefix(f"{KIND}/")
            for dated in ledger.book.values.values() for one in dated if one.document]  # fmt: skip
    bodies = {one.id: one.body for one in ledger.documents(KIND, state=CONFIRMED)}
    mine = [
        bodies[id] for id in held if parameters is None or bodies[id]["parameter"] in parameters
    ]
    if not mine:
        raise InputError(
            "no value of these parameters was confirmed here; there is nothing to sign"
        )
    rows = [{name: body[name] for name in _CARRIED} for body in mine]
    content = {"signed_by": author, "at": datetime.now(UTC).isoformat(timespec="seconds"),
               "parameters": rows}  # fmt: skip
    return signing.signed(content, signing.private_from(*_private(ledger)))


def _private(ledger: Ledger) -> tuple[bytes, str]:
    place = os.environ.get(KEY_FILE, "")
    if not place:
        raise CannotDecide(f"no key to sign with: {KEY_FILE} names no file; make one with"
                           " `cupral desk key`", needs=[KEY_FILE])  # fmt: skip
    path = Path(place).expanduser()
    refuse_inside(path, ledger.folder)
    try:
        return path.read_bytes(), place
    except OSError as error:
        raise InputError(
            f"key {place} cannot be read ({error.strerror}); check {KEY_FILE}"
        ) from None


def refuse_inside(place: Path, folder: Path) -> None:
    """Refuse a private key in the ledger's folder, which backups and copies take along.

    Raises
    ------
    InputError
        If it lies there.
    """
    if folder.resolve() in place.resolve().parents:
        raise InputError(f"key {place} lies in the ledger's folder, which is copied and backed up;"
                         f" keep it elsewhere and say where by {KEY_FILE}")  # fmt: skip


@command
@acting("amend")
def import_parameters(
    ledger: Ledger, *, author: str, content: bytes, dry_run: bool = False
) -> Imported:
    """Enter the values of a signed file as proposals of whoever imports it.

    Parameters
    ----------
    content : bytes
        A file of `desk export-parameters`.
    dry_run : bool
        Only say who signed and what would be proposed.

    Raises
    ------
    InputError
        If a byte has changed, or a value is not allowed; nothing is entered.
    NoRight
        If nobody here trusts the key that signed it.
    """
    opened = signing.opened(content)
    trust = _trust(ledger, opened.key)
    bodies = [_drafted(ledger, row) for row in _rows(opened.content)]
    held = [one.body for one in ledger.documents(KIND) if one.state in (PROPOSED, CONFIRMED)]
    fresh = [body for body in bodies if not any(same(body, other) for other in held)]
    for body in () if dry_run else fresh:
        proposals.propose(ledger, {**body, "proposed_by": author}, author=author)
    names = [f"{body['parameter']}@{body['valid_from']}" for body in fresh]
    known = [f"{body['parameter']}@{body['valid_from']}" for body in bodies if body not in fresh]
    return Imported(
        signed_by=str(opened.content.get("signed_by", "")), key=opened.key,
        trusted_by=trust.author, proposed=tuple(names), already=tuple(known),
    )  # fmt: skip


def _trust(ledger: Ledger, key: str) -> Document:
    found = [one for one in ledger.documents(KEY_KIND, id=key) if one.state == TRUSTED]
    if not found:
        raise NoRight(f"nobody here trusts key {key}; ask its owner to read it to you, then"
                      f" `cupral desk trust-key --key {key} --owner NAME`")  # fmt: skip
    return found[0]


def _rows(content: Mapping[str, Any]) -> list[dict[str, Any]]:
    rows = content.get("parameters") if isinstance(content, Mapping) else None
    if not isinstance(rows, list) or not all(
        isinstance(row, dict) and set(row) == set(_CARRIED) for row in rows
    ):
        raise InputError(f"the signed file holds no rows of {', '.join(_CARRIED)}")
    return rows


def _drafted(ledger: Ledger, row: Mapping[str, Any]) -> dict[str, Any]:
    texts = {name: row[name] for name in _CARRIED if name not in ("value", "file")}
    if not all(isinstance(text, str) for text in texts.values()):
        raise InputError(f"a row of the signed file holds no text where one belongs: {texts}")
    body = draft(ledger, value=row["value"], **texts)
    file = row["file"] if isinstance(row["file"], dict) else None
    carried = f"{file['name']} (SHA-256 {file['sha256']})" if file else ""
    return {**body, "note": " · ".join(text for text in (body["note"], carried) if text)}


@command
@acting("confirm")
def trust_key(
    ledger: Ledger, *, author: str, key: str, owner: str, trusted: bool = True
) -> Document:
    """Trust the key of another desk, or no longer.

    Parameters
    ----------
    key : str
        Public key in hexadecimal (64 digits), as its owner reads it out.
    owner : str
        Whose it is.
    trusted : bool
        False takes the trust back.
    """
    digits = key.strip().lower()
    if len(digits) != 64 or set(digits) - set("0123456789abcdef"):
        raise InputError(f"key {key[:80]!r} is no public key; give its 64 hexadecimal digits")
    if not owner.strip():
        raise InputError("whose key is it? give the name of its owner")
    state = TRUSTED if trusted else REVOKED
    body = {"name": owner.strip(), "title": owner.strip()}
    return ledger.put(Document(kind=KEY_KIND, id=digits, party=proposals.PARTY, body=body,
                               state=state), author=author)  # fmt: skip
