"""Judge a doubt, and sign an account: acts of a named person, kept as documents."""

from cupral.ledger.document import Document
from cupral.ledger.errors import CannotDecide, InputError, NotFound
from cupral.ledger.ledger import Ledger
from cupral.ledger.period import Period
from cupral.system import acting, command
from cupral.systems.balance.compute import account, judging
from cupral.systems.balance.queries.accounting import account_of, doubts_of


@command
@acting("sign")
def judge_doubt(
    ledger: Ledger,
    *,
    author: str,
    site: str,
    month: str,
    meters: list[str],
    verdict: str,
    reason: str,
    kind: str = "bias",
    culprits: list[str] | None = None,
) -> Document:
    """Confirm or dismiss a doubt of one month, with a name and a reason.

    Parameters
    ----------
    author : str
        Who decides.
    site : str
    month : str
        YYYY-MM.
    meters : list of str
        The whole group of meters that cannot be told apart, as `balance doubts` lists it; for a
        leak its `leak:process:balance`.
    verdict : str
        'confirmed' sets the meters aside, 'dismissed' believes them, 'open' takes an earlier
        judgement back.
    reason : str
        What was found, e.g. the calibration record.
    kind : str
        'bias' or 'leak'.
    culprits : list of str
        Of a confirmed group, the meters at fault; empty = all of them.

    Returns
    -------
    Document
        Kind 'doubt'; each judgement is a new version, none is lost.

    Raises
    ------
    InputError
        If the verdict, reason or culprits are not allowed.
    NotFound
        If the month has no such doubt.
    """
    group = judging.key(kind, meters)
    guilty = tuple(sorted(set(culprits or ())))
    _check(verdict, reason, group[1], guilty)
    span = Period.parse(month)
    if len(span.months) != 1:
        raise InputError(f"month {month} is not one month; give YYYY-MM")
    known = doubts_of(ledger, site, month)
    if group not in {judging.key(row["kind"], row["meters"]) for row in known}:
        listed = ", ".join(f"{row['kind']} {' + '.join(row['meters'])}" for row in known) or "none"
        raise NotFound(f"{site} {month} has no doubt {kind} {' + '.join(group[1])}, only {listed}")
    body = {
        "month": span.months[0], "kind": kind, "meters": list(group[1]), "verdict": verdict,
        "culprits": list(guilty), "reason": reason.strip(),
    }  # fmt: skip
    id = judging.identifier(site, span.months[0], *group)
    document = Document(
        kind="doubt", id=id, party=site, body=body, state=verdict,
        demonstration=ledger.site(site).demonstration,
    )  # fmt: skip
    return ledger.put(document, author=author)


def _check(verdict: str, reason: str, meters: tuple[str, ...], culprits: tuple[str, ...]) -> None:
    """Refuse a judgement that says nothing."""
    if verdict not in judging.VERDICTS:
        raise InputError(f"verdict {verdict!r} is not one of {', '.join(judging.VERDICTS)}")
    if not reason.strip():
        raise InputError("a judgement needs a reason: say what was found, and where it is recorded")
    if strangers := set(culprits) - set(meters):
        raise InputError(f"culprits {sorted(strangers)} are not in the group {list(meters)}")
    if culprits and verdict != judging.CONFIRMED:
        raise InputError(f"culprits are named with 'confirmed', not with {verdict!r}")


@command
@acting("sign")
def sign_account(
    ledger: Ledger, *, author: str, site: str, period: str, statement: str
) -> Document:
    """Sign a site's account of a period, once every doubt in it is judged.

    Parameters
    ----------
    author : str
        Who signs.
    site : str
    period : str
        Months or a year, as in `balance account`.
    statement : str
        What the signer states, e.g. the scope of the audit.

    Returns
    -------
    Document
        Kind 'account', pinned to the posting, network and code it was made of and to a
        fingerprint of its tables: `balance account` says if they have changed since.

    Raises
    ------
    CannotDecide
        If doubts are open; each is named.
    InputError
        If there is no statement.
    """
    if not statement.strip():
        raise InputError("a signature needs a statement: say what was examined")
    found, sheet = account_of(ledger, site, period)
    if waiting := account.open_doubts(found):
        needs = [
            f"judgement of {r['kind']} {' + '.join(r['meters'])} in {r['month']}" for r in waiting
        ]
        raise CannotDecide(f"{site} {period}: {len(waiting)} doubts are open", needs=needs)
    body = {
        "period": str(Period.parse(period)), "statement": statement.strip(),
        "fingerprint": account.fingerprint(found), "posting": ledger.head,
        "network": sheet.network.version, "code": ledger.code,
    }  # fmt: skip
    document = Document(
        kind="account", id=f"{site}/{body['period']}", party=site, body=body, state="signed",
        demonstration=ledger.site(site).demonstration,
    )  # fmt: skip
    return ledger.put(document, author=author)
