"""The docket: one row for each document, of its latest version, to find it by.

Text is found as it is written, anywhere in a word, in Chinese as in English: no word list
tells Chinese words apart. Beside each row lie its words and their *grams* (each character, each two
neighbours, of Latin letters and digits each three); an index of the grams names the few
documents that hold all those of the question, and only these are looked into.
"""

import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from cupral.ledger.document import Document
from cupral.ledger.stores import schema

TITLES = ("title", "title_zh", "name_zh", "name", "title_en", "name_en")
"""Where a body may say what the document is called, from the best on."""
MOST_WORDS = 20_000
"""Characters of a document by which it is found, and as many again of what was said of it."""


MOST_ASKED = 64
"""Grams that are looked up; the rest of a longer question is left to the words themselves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A document as the docket has it."""

    kind: str
    id: str
    version: int
    party: str
    state: str
    title: str
    due: str | None
    """Last day (ISO) of the deadline that its state has."""
    recorded_at: int
    """Of its latest version, in microseconds UTC."""


_ENTRY = tuple(Entry.__slots__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which documents are looked for; what is left out does not matter."""

    text: str = ""
    kind: str | None = None
    states: Collection[str] | None = None
    parties: Collection[str] | None = None
    due_until: str | None = None
    """Only those with a deadline on this day (ISO) or before."""


def find(
    database: sa.Engine, wanted: Wanted, *, limit: int = 50, skip: int = 0
) -> tuple[list[Entry], bool]:  # fmt: skip
    """Documents in question, those opened last first (by deadline, if that is asked for).

    Returns
    -------
    tuple of list of Entry and bool
        At most `limit` of them, and whether there are more.
    """
    table = schema.docket
    sought = words_of([wanted.text])
    if wanted.text.strip() and not sought:  # a text without letter or digit is nowhere
        return [], False
    query = sa.select(*(table.c[name] for name in _ENTRY))
    for condition in _conditions(wanted):
        query = query.where(condition)
    order = (table.c.due, table.c.number) if wanted.due_until else (table.c.number.desc(),)
    query = query.order_by(*order).limit(limit + 1).offset(skip)
    with database.connect() as connection:
        if sought:
            query = query.where(*_holding(sought, wanted, connection.dialect.name))
        rows = schema.one_by_one(connection.execute(query))
    return [Entry(**row) for row in rows[:limit]], len(rows) > limit


def _conditions(wanted: Wanted) -> Iterator[sa.ColumnElement[bool]]:
    column = schema.docket.c
    if wanted.kind is not None:
        yield column.kind == wanted.kind
    if wanted.states is not None:
        yield column.state.in_(sorted(wanted.states))
    if wanted.parties is not None:
        yield column.party.in_(sorted(wanted.parties))
    if wanted.due_until is not None:
        yield column.due <= wanted.due_until


def _holding(sought: str, wanted: Wanted, dialect: str) -> Iterator[sa.ColumnElement[bool]]:
    """That a document has all the grams, and, looked at only then, the words themselves."""
    number, table = schema.docket.c.number, schema.docket_words.c
    grams = asked_grams(sought)[:MOST_ASKED]
    mine = table.number == number
    if dialect == "sqlite":
        # Plus nothing keeps SQLite from going through all rows with these grams where it can go
        # through the few that pass a filter, or in the order asked for until the page is full.
        filtered = any(True for _ in _conditions(wanted))
        match = sa.text("SELECT rowid FROM docket_gram WHERE docket_gram MATCH :grams")
        asked = " ".join(f'"{gram}"' for gram in grams)
        yield (number + 0 if filtered else number).in_(match.bindparams(grams=asked))
        words = sa.select(table.words).where(mine).scalar_subquery()
        yield sa.func.instr(words, sought) > 0
    else:
        held = sa.func.string_to_array(table.grams, sa.literal_column("' '"))
        yield mine
        yield held.op("@>")(sa.cast(grams, postgresql.ARRAY(sa.Text)))
        yield sa.func.strpos(table.words, sought) > 0


def words_of(texts: Iterable[str], most: int = MOST_WORDS) -> str:
    """Letters and digits in one form (NFKC, small), anything else between them as one blank.

    Examples
    --------
    >>> words_of(["阳光铜业（一期）", "GB 21346—2022; 100%"])
    '阳光铜业 一期 gb 21346 2022 100'
    """
    plain = unicodedata.normalize("NFKC", " ".join(texts)).casefold()
    kept = "".join(c if c.isalnum() else " " for c in plain)
    return " ".join(kept.split())[:most].strip()


def grams_of(words: str) -> str:
    """Everything that a question may ask for: each one, two, and of ASCII each three together."""
    held = set[str]()
    for word in words.split():
        held.update(word)
        held.update(map("".join, pairwise(word)))
        threes = map("".join, zip(word, word[1:], word[2:], strict=False))
        held.update(three for three in threes if three.isascii())
    return " ".join(sorted(held))


def asked_grams(words: str) -> list[str]:
    """The grams that must all be there if these words are: as long ones as there are.

    Examples
    --------
    >>> asked_grams("铜 电解铝 2022")
    ['022', '202', '电解', '解铝', '铜']
    """
    asked = set[str]()
    for word in words.split():
        if len(word) > 2 and word.isascii():
            asked.update(map("".join, zip(word, word[1:], word[2:], strict=False)))
        elif len(word) > 1:
            asked.update(map("".join, pairwise(word)))
        else:
            asked.add(word)
    return sorted(asked)


def said_by(document: Document, remarks: Iterable[str]) -> dict[str, str]:
    """Words of a document and of what was said of it, and their grams."""
    own = words_of([title_of(document), document.id, document.party, *_texts(document.body)])
    words = f"{own} {words_of(remarks)}".strip()
    return {"words": words, "grams": grams_of(words)}


def title_of(document: Document) -> str:
    """What a document is called: its title if its body has one, else its id."""
    found = (document.body.get(key) for key in TITLES)
    return next((text.strip() for text in found if isinstance(text, str) and text.strip()),
                document.id)  # fmt: skip


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner)
    elif isinstance(value, str | int | float) and not isinstance(value, bool):
        yield str(value)


def entered(connection: sa.Connection, document: Document, recorded_at: int) -> None:
    """Write the latest version of a document, within the transaction that keeps it.

    A deadline holds for a state: it goes with the state.
    """
    table, remark = schema.docket, schema.comment.c
    said_of = sa.select(remark.text).where(remark.kind == document.kind)
    said_of = said_of.where(remark.document == document.id).order_by(remark.number)
    remarks = connection.execute(said_of).scalars().all() if document.version > 1 else []
    text = said_by(document, remarks)
    values = {"version": document.version, "party": document.party, "state": document.state,
              "title": title_of(document), "recorded_at": recorded_at}  # fmt: skip
    if document.version > 1:
        due = sa.case((table.c.state == document.state, table.c.due), else_=None)
        connection.execute(sa.update(table).where(*_of(document)).values(**values, due=due))
        connection.execute(sa.update(schema.docket_words).where(_words_of(document)).values(**text))
    else:
        named = {"kind": document.kind, "id": document.id}
        made = connection.execute(sa.insert(table).values(**named, **values))
        (number,) = made.inserted_primary_key or (None,)
        connection.execute(sa.insert(schema.docket_words).values(number=number, **text))


def said(connection: sa.Connection, document: Document, remark: str) -> None:
    """Let a document be found by a remark too, within the transaction that keeps it."""
    table = schema.docket_words
    words = connection.scalar(sa.select(table.c.words).where(_words_of(document))) or ""
    more = f"{words} {words_of([remark])}".strip()[: 2 * MOST_WORDS]
    changed = sa.update(table).where(_words_of(document))
    connection.execute(changed.values(words=more, grams=grams_of(more)))


def set_due(connection: sa.Connection, document: Document, due: str | None) -> None:
    """Say until when (ISO date) something must happen to a document; None = no deadline."""
    connection.execute(sa.update(schema.docket).where(*_of(document)).values(due=due))


def standing(connection: sa.Connection, kind: str, id: str) -> Entry | None:
    """The entry of a document."""
    table = schema.docket
    query = sa.select(*(table.c[name] for name in _ENTRY))
    found = connection.execute(query.where(table.c.kind == kind, table.c.id == id)).first()
    return None if found is None else Entry(**found._asdict())


def _of(document: Document) -> tuple[sa.ColumnElement[bool], ...]:
    column = schema.docket.c
    return column.kind == document.kind, column.id == document.id


def _words_of(document: Document) -> sa.ColumnElement[bool]:
    number = sa.select(schema.docket.c.number).where(*_of(document)).scalar_subquery()
    return schema.docket_words.c.number == number


def moments(connection: sa.Connection, document: Document) -> list[int]:
    """When each version of a document was kept, in microseconds UTC, from the first on."""
    table = schema.document.c
    query = sa.select(table.recorded_at).where(table.kind == document.kind, table.id == document.id)
    return list(connection.execute(query.order_by(table.version)).scalars())


def kinds(database: sa.Engine) -> list[str]:
    """Every kind of which there is a document."""
    query = sa.select(schema.docket.c.kind).distinct().order_by(schema.docket.c.kind)
    with database.connect() as connection:
        return list(connection.execute(query).scalars())
