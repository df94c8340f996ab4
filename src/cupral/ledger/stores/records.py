"""Registers, documents, results and audit records: many small rows, every version kept."""

import hashlib
import json
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from itertools import product
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from cupral.ledger.dependence import names
from cupral.ledger.document import Document
from cupral.ledger.errors import InputError, NotFound
from cupral.ledger.parameter import CONFIRMED, KIND
from cupral.ledger.reading import Read, Reading
from cupral.ledger.result import Result
from cupral.ledger.stores import docket, schema, seal
from cupral.ledger.stores.postings import Part, Scope
from cupral.ledger.stores.trail import Trail

_NO_ROWS = pa.table({})
_NEWEST = sa.select(sa.func.max(schema.result.c.id)).group_by(schema.result.c.key)
"""The latest version of every kept statement."""
_OWN = ("number", "recorded_at")
"""Columns of a stored document that are not part of what it says."""


def now() -> int:
    """Microseconds UTC."""
    return time.time_ns() // 1000


def text(value: Any) -> str:
    """Canonical JSON."""
    try:
        return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str, allow_nan=False)
    except ValueError:
        raise InputError(
            "a number is not finite (NaN or infinite); leave out what is not known"
        ) from None


def document_parts(documents: Iterable[Document]) -> tuple[Part, ...]:
    """What a posting settles, hashed as it was given."""
    parts: dict[str, Part] = {}
    for document in documents:
        name = f"document:{document.kind}/{document.id}"
        if name in parts:
            raise InputError(f"{name} is given twice in one posting; give its last state only")
        parts[name] = Part(name, 0, _NO_ROWS, document_sha(document))
    return tuple(parts.values())


def document_sha(document: Document) -> str:
    """Hash of what a document says; who stored it when is left out."""
    said = {**asdict(document), "body": dict(document.body)}
    for name in ("version", "posting", "author"):
        del said[name]
    plain = text(json.loads(text(said)))  # as it reads after storing
    return hashlib.sha256(plain.encode()).hexdigest()


class Records:
    """Everything in the documents database except the manifest."""

    def __init__(self, database: sa.Engine) -> None:
        self.database = database

    def register(self, kind: str, id: str, body: Mapping[str, Any], author: str) -> int:
        """Keep a new version of a registered noun; an equal one keeps its number."""
        table, content = schema.register, text(body)
        with schema.writing(self.database) as connection:
            latest = connection.execute(
                sa.select(table.c.version, table.c.body)
                .where(table.c.kind == kind, table.c.id == id)
                .order_by(table.c.version.desc())
            ).first()
            if latest is not None and latest.body == content:
                return int(latest.version)
            version = 1 if latest is None else int(latest.version) + 1
            inserted = connection.execute(
                sa.insert(table).values(
                    kind=kind, id=id, version=version, body=content, author=author,
                    recorded_at=now(),
                )
            )  # fmt: skip
            seal.seal(connection, table, inserted, author)
            self.mark_stale(connection, head_of(connection), [(f"register:{kind}", id, "", 0)])
        return version

    def registered(self, kind: str, id: str, version: int | None = None) -> dict[str, Any]:
        """Body of a registered noun, with its version and author."""
        table = schema.register
        query = sa.select(table).where(table.c.kind == kind, table.c.id == id)
        if version is not None:
            query = query.where(table.c.version == version)
        with self.database.connect() as connection:
            row = connection.execute(query.order_by(table.c.version.desc())).mappings().first()
        if row is None:
            wanted = f"{kind} {id!r}" + (f" version {version}" if version else "")
            raise NotFound(f"no {wanted}; registered: {', '.join(self.ids(kind)[:12]) or 'none'}")
        return {**json.loads(row["body"]), "version": row["version"], "author": row["author"]}

    def all_registered(self, kind: str) -> list[dict[str, Any]]:
        """Bodies of all registered nouns of a kind at their latest version, by id."""
        table = schema.register
        query = sa.select(table).where(table.c.kind == kind).order_by(table.c.id, table.c.version)
        with self.database.connect() as connection:
            latest = {row["id"]: row for row in connection.execute(query).mappings()}
        return [
            {**json.loads(row["body"]), "version": row["version"], "author": row["author"]}
            for row in latest.values()
        ]

    def ids(self, kind: str) -> list[str]:
        """Ids of all registered nouns of a kind."""
        table = schema.register
        query = sa.select(table.c.id).where(table.c.kind == kind).distinct().order_by(table.c.id)
        with self.database.connect() as connection:
            return [id for (id,) in connection.execute(query)]

    def put_document(
        self, connection: sa.Connection, document: Document, author: str, posting: str
    ) -> Document:
        """Keep a new version of a document within a transaction."""
        table = schema.document
        last = connection.execute(
            sa.select(table.c.version, table.c.party)
            .where(table.c.kind == document.kind, table.c.id == document.id)
            .order_by(table.c.version.desc())
        ).first()
        kept = replace(
            document,
            version=last.version + 1 if last else 1,
            posting=posting or document.posting,
            author=author,
        )
        values = {**asdict(kept), "body": text(dict(kept.body)), "recorded_at": now()}
        inserted = connection.execute(sa.insert(table).values(**values))
        if not posting:  # whose own hash covers what it settles
            seal.seal(connection, table, inserted, author)
        docket.entered(connection, kept, values["recorded_at"])
        self.touched(
            connection, document.kind, {document.party, last.party if last else document.party}
        )
        return kept

    @classmethod
    def touched(cls, connection: sa.Connection, kind: str, parties: Collection[str]) -> None:
        """Mark every Result that stood on documents of this kind and these parties."""
        scopes = product((f"document:{kind}", "document:*"), parties, [""], [0])
        cls.mark_stale(connection, head_of(connection), list(scopes))

    def documents(self, latest: bool = True, **filters: str | None) -> list[Document]:
        """Documents by kind, id, party, state; the latest version of each unless told."""
        table = schema.document
        query = sa.select(table).order_by(table.c.kind, table.c.id, table.c.version)
        for name, wanted in filters.items():
            if wanted is not None:
                query = query.where(table.c[name] == wanted)
        if latest:  # of the document, not of the versions that fit the filters
            other = table.alias()
            mine = (other.c.kind == table.c.kind, other.c.id == table.c.id)
            later = sa.exists().where(*mine, other.c.version > table.c.version)
            query = query.where(sa.not_(later))
        with self.database.connect() as connection:
            return [_document(row) for row in schema.one_by_one(connection.execute(query))]

    def keep(self, result: Result, read: Read) -> Result:
        """Keep a Result as a new version of its statement, unless its content is the same."""
        table, sha = schema.result, result.sha256
        with schema.writing(self.database) as connection:
            last = connection.execute(
                sa.select(table.c.version, table.c.sha256, table.c.stale_since)
                .where(table.c.key == result.key)
                .order_by(table.c.version.desc())
                .limit(1)
            ).first()
            if last is not None and (last.sha256, last.stale_since) == (sha, None):
                return result
            inserted = connection.execute(
                sa.insert(table).values(
                    key=result.key, version=last.version + 1 if last else 1,
                    seq=result.versions.ledger, parameters=result.versions.parameters,
                    code=result.versions.code, body=text(result.document()), sha256=sha,
                    recorded_at=now(), stale_since=_overtaken(connection, read),
                )
            )  # fmt: skip
            (result_id,) = inserted.inserted_primary_key or (None,)
            names = ("table_name", "site", "origin", "first", "last")
            values = [
                {"result_id": result_id, **dict(zip(names, reading, strict=True))}
                for reading in sorted(read.scopes)
            ]
            if values:
                connection.execute(sa.insert(schema.result_scope), values)
        return result

    def kept(self, key: str, most: int | None = None) -> list[dict[str, Any]]:
        """Versions of a statement, latest first; `body` is the document."""
        table = schema.result
        query = sa.select(table).where(table.c.key == key).order_by(table.c.version.desc())
        with self.database.connect() as connection:
            rows = schema.one_by_one(connection.execute(query.limit(most)))
        return [{**row, "body": json.loads(row["body"])} for row in rows]

    def latest_results(self, *, stale: bool | None = None) -> list[dict[str, Any]]:
        """The latest version of every kept statement, in the order they were kept."""
        table = schema.result
        query = sa.select(table).where(table.c.id.in_(_NEWEST)).order_by(table.c.id)
        if stale is not None:
            empty = table.c.stale_since.is_(None)
            query = query.where(sa.not_(empty) if stale else empty)
        with self.database.connect() as connection:
            rows = schema.one_by_one(connection.execute(query))
        return [{**row, "body": json.loads(row["body"])} for row in rows]

    def stale_count(self) -> int:
        """How many statements' latest version is stale."""
        column = schema.result.c
        query = sa.select(sa.func.count()).where(column.id.in_(_NEWEST))
        with self.database.connect() as connection:
            return int(connection.scalar(query.where(column.stale_since.is_not(None))) or 0)

    def readings(self, key: str) -> set[Reading]:
        """What the latest version of a statement stood on."""
        scope, table = schema.result_scope, schema.result
        newest = sa.select(sa.func.max(table.c.id)).where(table.c.key == key).scalar_subquery()
        query = sa.select(
            scope.c.table_name, scope.c.site, scope.c.origin, scope.c.first, scope.c.last
        ).where(scope.c.result_id == newest)
        with self.database.connect() as connection:
            return {tuple(row) for row in connection.execute(query)}

    def results_on(self, tables: Sequence[str]) -> list[dict[str, Any]]:
        """The latest version of every kept statement that stands on one of these tables."""
        table, scope = schema.result, schema.result_scope.c
        standing = sa.select(scope.result_id).where(scope.table_name.in_(tables))
        query = sa.select(table).where(table.c.id.in_(_NEWEST), table.c.id.in_(standing))
        with self.database.connect() as connection:
            rows = schema.one_by_one(connection.execute(query.order_by(table.c.id)))
        return [{**row, "body": json.loads(row["body"])} for row in rows]

    def counts_on(self, beginning: str) -> dict[str, int]:
        """How many kept statements stand on each table whose name begins so."""
        scope = schema.result_scope.c
        query = (
            sa.select(scope.table_name, sa.func.count(scope.result_id.distinct()))
            .where(scope.table_name.startswith(beginning, autoescape=True))
            .where(scope.result_id.in_(_NEWEST))
            .group_by(scope.table_name)
        )
        with self.database.connect() as connection:
            return {str(name): int(count) for name, count in connection.execute(query)}

    @staticmethod
    def fresh_scopes(
        connection: sa.Connection, tables: Sequence[str]
    ) -> list[tuple[str, int, int]]:
        """Table, first and last of what Results that are not stale read of these tables."""
        scope, result = schema.result_scope.c, schema.result.c
        query = (
            sa.select(scope.table_name, scope.first, scope.last)
            .join(schema.result, result.id == scope.result_id)
            .where(result.stale_since.is_(None), scope.table_name.in_(tables))
            .distinct()
        )
        return [(row.table_name, row.first, row.last) for row in connection.execute(query)]

    @staticmethod
    def mark_stale(connection: sa.Connection, seq: int, scopes: Sequence[Scope]) -> None:
        """Mark every Result that stood on what a posting, document or register version touches."""
        scope, table = schema.result_scope.c, schema.result
        names, months = {name for name, *_ in scopes}, [month for *_, month in scopes]
        if not scopes:
            return
        fresh = (
            sa.select(*scope)
            .join(table, table.c.id == scope.result_id)
            .where(table.c.stale_since.is_(None), scope.table_name.in_(names))
            .where(scope.first <= max(months), scope.last >= min(months))
        )
        touching = _touching(scopes)
        touched = {
            row.result_id for row in connection.execute(fresh)
            if any(
                row.first <= month <= row.last
                for month in touching.get((row.table_name, row.site, row.origin), ())
            )
        }  # fmt: skip
        for result_id in touched:
            update = sa.update(table).where(table.c.id == result_id)
            connection.execute(update.values(stale_since=seq))

    def state(self) -> tuple[int, int, int]:
        """Numbers of the latest posting, row of documents and row of the registers."""
        posted = sa.select(sa.func.max(schema.posting.c.seq))
        tables = (schema.document, schema.register)
        queries = [posted, *(sa.select(sa.func.max(t.c.number)) for t in tables)]
        with self.database.connect() as connection:
            head, documents, registers = (connection.scalar(query) or 0 for query in queries)
        return int(head), int(documents), int(registers)

    def content(self) -> tuple[int, ...] | None:
        """How far everything that pages show has grown; None if that cannot be told so."""
        tables = schema.metadata.tables
        if tables.keys() - schema.APPENDED.keys() - schema.FOLLOWING - schema.QUIET:
            return None
        grown = [sa.select(sa.func.max(tables[table].c[column])).scalar_subquery()
                 for table, column in schema.APPENDED.items()]  # fmt: skip
        told = (schema.result.c.stale_since, schema.notice.c.read_at)
        changed = [sa.select(sa.func.count(column)).scalar_subquery() for column in told]
        with self.database.connect() as connection:
            row = connection.execute(sa.select(*grown, *changed)).one()
        return tuple(int(value or 0) for value in row)

    @property
    def trail(self) -> Trail:
        """The audit records."""
        return Trail(self.database)

    def audit(self, limit: int = 1000) -> list[dict[str, Any]]:
        """Latest audit records, newest first."""
        return self.trail.latest(limit)


def versions_of(connection: sa.Connection, kind: str, id: str) -> list[Document]:
    """Every version of a document as a transaction sees it, from the first on."""
    table = schema.document
    query = sa.select(table).where(table.c.kind == kind, table.c.id == id)
    rows = schema.one_by_one(connection.execute(query.order_by(table.c.version)))
    return [_document(row) for row in rows]


def _document(row: Mapping[str, Any]) -> Document:
    fields = {name: value for name, value in row.items() if name not in _OWN}
    return Document(**{**fields, "body": json.loads(fields["body"])})


def _touching(scopes: Sequence[Scope]) -> dict[tuple[str, str, str], set[int]]:
    """Months touched, by table, site and origin, each of the latter also as '*'."""
    months: dict[tuple[str, str, str], set[int]] = {}
    for name, site, origin, month in scopes:
        for key in product((name,), (site, "*"), (origin, "*")):
            months.setdefault(key, set()).add(month)
    return months


def head_of(connection: sa.Connection) -> int:
    """Number of the latest posting."""
    return int(connection.execute(sa.select(sa.func.max(schema.posting.c.seq))).scalar() or 0)


def _overtaken(connection: sa.Connection, read: Read) -> int | None:
    """Number of the latest posting if what was read may have changed since the reading began."""
    part, document, register = schema.posting_part.c, schema.document.c, schema.register.c
    posted = sa.select(part.table_name, part.month).where(part.seq > read.head)
    changed = {tuple(row) for row in connection.execute(posted)}
    acts = sa.select(document.kind).where(document.number > read.documents)
    changed |= {(f"document:{kind}", 0) for (kind,) in connection.execute(acts)}
    versions = sa.select(register.kind).where(register.number > read.registers)
    changed |= {(f"register:{kind}", 0) for (kind,) in connection.execute(versions)}
    if any(name.startswith("document:") for name, _ in changed):
        changed.add(("document:*", 0))
    amendments = acts.with_only_columns(document.body).where(
        document.kind == KIND, document.state == CONFIRMED
    )
    bodies = [json.loads(body) for (body,) in connection.execute(amendments)]
    amended = {name for body in bodies for name in names(body["parameter"])}
    overtaken = any(
        table in amended or (table == name and first <= month <= last)
        for table, _, _, first, last in read.scopes
        for name, month in changed
    )
    return head_of(connection) if overtaken else None
