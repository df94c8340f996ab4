"""Registers, documents, results and audit records: many small rows, every version kept."""

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import sqlalchemy as sa

from cupral.ledger.document import Document
from cupral.ledger.errors import NotFound
from cupral.ledger.result import Result
from cupral.ledger.stores import schema
from cupral.ledger.stores.postings import Scope

Reading = tuple[str, str, str, int, int]
"""(table, site or '*', origin or '*', first month, last month): what a Result stood on."""


def now() -> int:
    """Microseconds UTC."""
    return time.time_ns() // 1000


def text(value: Any) -> str:
    """Canonical JSON."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)


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
            connection.execute(
                sa.insert(table).values(
                    kind=kind, id=id, version=version, body=content, author=author,
                    recorded_at=now(),
                )
            )  # fmt: skip
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
            sa.select(sa.func.max(table.c.version)).where(
                table.c.kind == document.kind, table.c.id == document.id
            )
        ).scalar()
        kept = replace(
            document,
            version=int(last or 0) + 1,
            posting=posting or document.posting,
            author=author,
        )
        values = {**asdict(kept), "body": text(dict(kept.body)), "recorded_at": now()}
        connection.execute(sa.insert(table).values(**values))
        return kept

    def documents(self, latest: bool = True, **filters: str | None) -> list[Document]:
        """Documents by kind, id, party, state; the latest version of each unless told."""
        table = schema.document
        query = sa.select(table).order_by(table.c.kind, table.c.id, table.c.version)
        for name, wanted in filters.items():
            if wanted is not None and name != "state":
                query = query.where(table.c[name] == wanted)
        with self.database.connect() as connection:
            rows = schema.one_by_one(connection.execute(query))
        found = [_document(row) for row in rows]
        if latest:
            found = list({(item.kind, item.id): item for item in found}.values())
        state = filters.get("state")
        return [item for item in found if state is None or item.state == state]

    def keep(self, result: Result, readings: Iterable[Reading]) -> Result:
        """Keep a Result as a new version of its statement, unless its content is the same."""
        table, sha = schema.result, result.sha256
        with schema.writing(self.database) as connection:
            last = connection.execute(
                sa.select(table).where(table.c.key == result.key).order_by(table.c.version.desc())
            ).mappings().first()  # fmt: skip
            if last is not None and last["sha256"] == sha and last["stale_since"] is None:
                return result
            inserted = connection.execute(
                sa.insert(table).values(
                    key=result.key, version=int(last["version"]) + 1 if last else 1,
                    seq=result.versions.ledger, parameters=result.versions.parameters,
                    code=result.versions.code, body=text(result.document()), sha256=sha,
                    recorded_at=now(),
                )
            )  # fmt: skip
            (result_id,) = inserted.inserted_primary_key or (None,)
            names = ("table_name", "site", "origin", "first", "last")
            values = [
                {"result_id": result_id, **dict(zip(names, reading, strict=True))}
                for reading in sorted(set(readings))
            ]
            if values:
                connection.execute(sa.insert(schema.result_scope), values)
        return result

    def kept(self, key: str) -> list[dict[str, Any]]:
        """All versions of a statement, latest first; `body` is the document."""
        table = schema.result
        query = sa.select(table).where(table.c.key == key).order_by(table.c.version.desc())
        with self.database.connect() as connection:
            rows = schema.one_by_one(connection.execute(query))
        return [{**row, "body": json.loads(row["body"])} for row in rows]

    def latest_results(self, *, stale: bool | None = None) -> list[dict[str, Any]]:
        """The latest version of every kept statement, in the order they were kept."""
        table = schema.result
        newest = sa.select(sa.func.max(table.c.id)).group_by(table.c.key)
        query = sa.select(table).where(table.c.id.in_(newest)).order_by(table.c.id)
        if stale is not None:
            empty = table.c.stale_since.is_(None)
            query = query.where(sa.not_(empty) if stale else empty)
        with self.database.connect() as connection:
            rows = schema.one_by_one(connection.execute(query))
        return [{**row, "body": json.loads(row["body"])} for row in rows]

    def readings(self, key: str) -> set[Reading]:
        """What the latest version of a statement stood on."""
        scope, table = schema.result_scope, schema.result
        newest = sa.select(sa.func.max(table.c.id)).where(table.c.key == key).scalar_subquery()
        query = sa.select(
            scope.c.table_name, scope.c.site, scope.c.origin, scope.c.first, scope.c.last
        ).where(scope.c.result_id == newest)
        with self.database.connect() as connection:
            return {tuple(row) for row in connection.execute(query)}

    @staticmethod
    def mark_stale(connection: sa.Connection, seq: int, scopes: Sequence[Scope]) -> None:
        """Mark every Result that stood on what a posting touches."""
        scope, table = schema.result_scope, schema.result
        for name, site, origin, month in scopes:
            touched = sa.select(scope.c.result_id).where(
                scope.c.table_name == name,
                scope.c.site.in_((site, "*")),
                scope.c.origin.in_((origin, "*")),
                scope.c.first <= month,
                scope.c.last >= month,
            )
            connection.execute(
                sa.update(table)
                .where(table.c.id.in_(touched), table.c.stale_since.is_(None))
                .values(stale_since=seq)
            )

    def record(self, author: str, action: str, arguments: Mapping[str, Any], outcome: str) -> None:
        """Write one audit record."""
        shown = {
            name: f"{len(value)} bytes" if isinstance(value, bytes) else value
            for name, value in arguments.items()
        }
        with schema.writing(self.database) as connection:
            connection.execute(
                sa.insert(schema.audit).values(
                    at=now(), author=author, action=action, arguments=text(shown), outcome=outcome
                )
            )

    def audit(self, limit: int = 1000) -> list[dict[str, Any]]:
        """Latest audit records, newest first."""
        query = sa.select(schema.audit).order_by(schema.audit.c.id.desc()).limit(limit)
        with self.database.connect() as connection:
            return schema.one_by_one(connection.execute(query))


def _document(row: dict[str, Any]) -> Document:
    fields = {name: value for name, value in row.items() if name != "recorded_at"}
    return Document(**{**fields, "body": json.loads(fields["body"])})
