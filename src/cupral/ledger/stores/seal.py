"""Seal: versions of documents and registers are bound to the chain of audit records.

What a posting settles is covered by the posting's hash. What is kept beside postings (a drawn
network, a submitted document) is named with its hash in an audit record of the same transaction.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from cupral.ledger.stores import schema, trail

ACTION = "ledger.keep"
SEALED = {table.name: table for table in (schema.register, schema.document)}


def seal(
    connection: sa.Connection, table: sa.Table, inserted: sa.CursorResult[Any], author: str
) -> None:
    """Name a row that this transaction has just inserted, with its hash, in the trail."""
    (number,) = inserted.inserted_primary_key or (None,)
    query = sa.select(table).where(table.c.number == number)
    row = connection.execute(query).mappings().one()
    said = {"table": table.name, "number": number, "sha": row_sha(row)}
    trail.write(connection, [trail.entry(author, ACTION, said, "done")])


def row_sha(row: Mapping[Any, Any]) -> str:
    """Hash of everything that a row says."""
    said = json.dumps(dict(row), ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()


def damages(database: sa.Engine) -> list[str]:
    """Rows that were changed, deleted or put in without a record since the first was sealed."""
    found = []
    with database.connect() as connection:
        for name, table in SEALED.items():
            sealed = _sealed(connection, name)
            rows = {row["number"]: row for row in connection.execute(sa.select(table)).mappings()}
            for number in sorted(sealed.keys() | _loose(rows, min(sealed, default=None))):
                if number not in rows:
                    found.append(f"{name} row {number} is gone")
                elif row_sha(rows[number]) != sealed.get(number):
                    row = rows[number]
                    found.append(
                        f"{name} {row['kind']}/{row['id']} (version {row['version']}): changed, or"
                        " put in by nobody"
                    )
    return found


def _sealed(connection: sa.Connection, name: str) -> dict[int, str]:
    audit = schema.audit.c
    query = sa.select(audit.arguments).where(audit.action == ACTION)
    said = [json.loads(text) for text in connection.execute(query).scalars()]
    return {one["number"]: one["sha"] for one in said if one["table"] == name}


def _loose(rows: Mapping[int, sa.RowMapping], first: int | None) -> set[int]:
    """Rows since the first sealed one that no posting settles."""
    return {
        number
        for number, row in rows.items()
        if first is not None and number >= first and not row.get("posting")
    }
