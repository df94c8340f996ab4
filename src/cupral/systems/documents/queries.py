"""Questions about documents: which there are, how each came to where it stands, what is new."""

from collections.abc import Collection
from dataclasses import asdict
from datetime import date, timedelta

from cupral.ledger.errors import InputError
from cupral.ledger.explain import moment
from cupral.ledger.ledger import Ledger
from cupral.ledger.reading import note
from cupral.ledger.result import Result, Row
from cupral.ledger.stores import docket
from cupral.ledger.stores.attachments import attachments
from cupral.ledger.stores.correspondence import NOTICES, comments
from cupral.ledger.stores.correspondence import inbox as notices
from cupral.ledger.workflow import OWNER, Move, allowed_moves
from cupral.ledger.workflow import history as versions
from cupral.ledger.working_days import today_in_china
from cupral.system import query, workflows
from cupral.systems.documents import compute

MOST = 200
"""Documents listed at once."""
MOST_SKIPPED = 10_000_000


@query
def find(
    ledger: Ledger, *, text: str = "", kind: str | None = None, state: str | None = None,
    party: str | None = None, due_until: str | None = None, overdue: bool = False,
    on: str | None = None, limit: int = 50, skip: int = 0,
) -> Result:  # fmt: skip
    """Documents by what they or their comments say, by kind, state, party and deadline.

    Parameters
    ----------
    text : any part of title, content, id, party or comments
    state : one state, or 'decided' for every decision
    due_until : only with a deadline on this day or before
    overdue : only those whose deadline has passed
    on : the day on which it is asked; today in China unless told
    """
    ledger.guard.rows("read", f"document:{kind or '*'}", [party] if party else None)
    note(f"document:{kind or '*'}", (party or "*",))
    today = _day(on)
    until = _before(today) if overdue else due_until and _day(due_until)
    wanted = docket.Wanted(
        text=text, kind=kind or None, states=compute.states_of(state),
        parties=(party,) if party else None, due_until=until or None,
    )  # fmt: skip
    most, before = max(1, min(limit, MOST)), max(0, min(skip, MOST_SKIPPED))
    found, more = docket.find(ledger.records.database, wanted, limit=most, skip=before)
    rows = tuple(_row(entry, today) for entry in found)
    following: tuple[Row, ...] = ({"skip": before + most},) if more else ()
    return Result(query="documents.find", subject=text or kind or "documents", period=today,
                  value=float(len(rows)), unit="1", parts=rows,
                  tables={"next": following})  # fmt: skip


@query
def history(ledger: Ledger, *, kind: str, id: str, on: str | None = None) -> Result:
    """One document: every version, its comments and files, its deadline, and what may follow."""
    past, today = versions(ledger, kind, id), _day(on)
    latest, flow = past[-1], workflows().get(kind)
    with ledger.records.database.connect() as connection:
        entry, stamps = docket.standing(connection, kind, id), docket.moments(connection, latest)
    tables = {
        "comments": tuple(_dated(asdict(one)) for one in comments(ledger, kind, id)),
        "attachments": tuple(_dated(asdict(one)) for one in attachments(ledger, kind, id)),
        "moves": tuple(_plain(m) for m in allowed_moves(flow, latest.state, OWNER)) if flow else (),
        "line": tuple(asdict(one) for one in compute.line(flow, past)) if flow else (),
        "entry": (_row(entry, today),) if entry else (),
    }  # fmt: skip
    rows = tuple(compute.steps(past, [moment(stamp) for stamp in stamps]))
    return Result(query="documents.history", subject=f"{kind}/{id}", period=today,
                  value=float(latest.version), unit="1", status=latest.state, parts=rows,
                  tables=tables, lineage=(f"document:{kind}/{id}",))  # fmt: skip


@query
def inbox(
    ledger: Ledger, *, person: str = "", roles: list[str] | None = None,
    enterprises: list[str] | None = None, unread: bool = False,
) -> Result:  # fmt: skip
    """Notices for a person and for whoever has these roles; without roles, of every role."""
    rights, owner = ledger.rights, bool(OWNER & ledger.rights.roles)
    if not owner:
        rights.demand_name(person)
    note(f"document:{NOTICES}", ("*",) if owner else tuple(sorted(rights.enterprises)) or ("*",))
    found = notices(
        ledger, person=person, roles=_within(roles, rights.roles, owner),
        enterprises=_within(enterprises, rights.enterprises, owner), unread=unread,
    )  # fmt: skip
    waiting = sum(one.read_at is None for one in found)
    return Result(query="documents.inbox", subject=person or "all", value=float(waiting), unit="1",
                  parts=tuple(_dated(asdict(one)) for one in found))  # fmt: skip


def _within(asked: Collection[str] | None, mine: Collection[str], owner: bool) -> Collection[str]:
    """What was asked for, of one's own; who holds the folder may ask for any."""
    if asked is None:
        return mine
    return asked if owner else set(asked) & set(mine)


def _day(given: str | None) -> str:
    try:
        return (date.fromisoformat(given) if given else today_in_china()).isoformat()
    except ValueError:
        raise InputError(f"{given!r} is no day; write it as 2026-03-31") from None


def _before(day: str) -> str:
    return (max(date.fromisoformat(day), date(1, 1, 2)) - timedelta(days=1)).isoformat()


def _plain(move: Move) -> Row:
    """A move as it reads again after being kept: lists, no tuples."""
    return {**asdict(move), "roles": list(move.roles), "tells": list(move.tells)}


def _row(entry: docket.Entry, today: str) -> Row:
    return {**_dated(asdict(entry)), "overdue": compute.is_overdue(entry.due, today)}


def _dated(row: dict[str, object]) -> Row:
    return {**row, "recorded_at": moment(int(str(row["recorded_at"])))}
