"""The ledger: post facts, read them, keep what was concluded from them, explain any number.

Writing is by postings (never overwritten; undone by counter-rows). Reading is of the rows
that stand now, or as of an earlier posting. Everything else (registers, documents, Results,
audit) is kept in the documents database beside the manifest, in the same transactions.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from cupral.ledger.committing import committed
from cupral.ledger.compaction import tended
from cupral.ledger.correction import REVERSE, superseding, undoing, unreversed
from cupral.ledger.dependence import fingerprint, note_value, note_values
from cupral.ledger.document import Document
from cupral.ledger.errors import InputError, NotFound
from cupral.ledger.guard import Guard
from cupral.ledger.parameter import Parameter, ParameterBook
from cupral.ledger.period import Period
from cupral.ledger.reading import Read, note, note_all, noting
from cupral.ledger.registers import (
    Enterprise,
    Network,
    Site,
    enterprise_from,
    network_from,
    site_from,
)
from cupral.ledger.result import Result, result_key
from cupral.ledger.rights import EVERYTHING, Rights
from cupral.ledger.scope import Scope, Wanted
from cupral.ledger.stores import rows, schema
from cupral.ledger.stores.amendments import Amendments
from cupral.ledger.stores.database import EMBEDDED, open_database
from cupral.ledger.stores.duckdb import DuckScan
from cupral.ledger.stores.postings import Batch, Postings, Receipt, combined, parts_of
from cupral.ledger.stores.protocol import Filter, Scan
from cupral.ledger.stores.records import Records, document_parts


@dataclass(frozen=True, slots=True)
class Ledger:
    """One ledger in one folder."""

    folder: Path
    shipped: ParameterBook
    code: str
    manifest: Postings
    records: Records
    scan: Scan
    rights: Rights = EVERYTHING
    """What the person who uses it may do; asked at every read and write."""
    amendments: Amendments | int = 0
    """What the parameter desk confirms; or the document up to which `shipped` holds it already."""

    @staticmethod
    def open(
        folder: str | Path, *, parameters: ParameterBook | None = None, code: str = "",
        database: str = EMBEDDED,
    ) -> "Ledger":  # fmt: skip
        """Open (or create) the ledger of a folder, its database there or on PostgreSQL by URL.

        Examples
        --------
        >>> import tempfile
        >>> Ledger.open(tempfile.mkdtemp()).head
        0
        """
        root, book = Path(folder), parameters or ParameterBook({}, "none")
        engine = open_database(root, database)
        manifest, records, confirmed = Postings(engine, root), Records(engine), Amendments(engine)
        return Ledger(root, book, code, manifest, records, DuckScan(), amendments=confirmed)

    def seen_by(self, rights: Rights) -> "Ledger":
        """The same ledger as one person may use it."""
        return replace(self, rights=rights)

    @property
    def guard(self) -> Guard:
        """What asks these rights."""
        return Guard(self.records.database, self.rights, tuple(self.shipped.assumed))

    # -- writing ---------------------------------------------------------------------------

    def post(
        self,
        id: str,
        *,
        author: str,
        flows: Iterable[Any] | pa.Table = (),
        assays: Iterable[Any] | pa.Table = (),
        stocktakes: Iterable[Any] | pa.Table = (),
        documents: Iterable[Document] = (),
        note: str = "",
        supersede: bool = False,
    ) -> Receipt:
        """Write one idempotent batch of rows (and settle documents) in one transaction.

        With `supersede`, every current row with the natural key of a given row is undone by
        a counter-row in the same posting.

        Raises
        ------
        InputError
            If a row is not allowed or there is nothing to post; nothing is written.
        Conflict
            If the id was posted before with other content, or has been reversed.
        """
        if id.startswith(REVERSE):
            raise InputError(f"posting id {id!r}: {REVERSE!r} marks what `reverse` posts")
        nouns = {"flows": flows, "assays": assays, "stocktakes": stocktakes}
        tables = {name: rows.given(name, items, id, 0) for name, items in nouns.items()}
        tables = {name: table for name, table in tables.items() if table.num_rows}
        settled = tuple(documents)
        self.guard.post(tables, settled)
        parts, acts = parts_of(tables), document_parts(settled)
        if not parts and not acts:
            raise InputError(f"posting {id!r} holds no rows and settles nothing; nothing to post")
        batch = Batch(id, author, note, combined((*parts, *acts)), (*parts, *acts))

        def prepared() -> Batch | Receipt:
            if (receipt := self.manifest.already(id, batch.given_sha)) is not None:
                return unreversed(self.manifest, receipt)
            if not supersede:
                return batch
            head = self.head
            both = {
                name: superseding(self.manifest, self.scan, name, table, id)
                for name, table in tables.items()
            }
            return replace(batch, parts=(*parts_of(both), *acts), read_at=head)

        return tended(self, committed(self.manifest, self.records, prepared, settled))

    def reverse(self, posting: str, *, author: str, reason: str) -> Receipt:
        """Undo what still stands of a posting by counter-rows (冲销).

        Rows that the posting had itself undone stand again. The reversing entry is called
        `reverse:POSTING` and can be reversed too; then the posting's content stands in that
        third entry, and reversing the posting again reverses the third. A posting that is
        reversed answers 'already'. Documents are not touched.
        """
        if not reason.strip():
            raise InputError(f"reversing {posting!r} needs a reason; say why it was wrong")
        self.manifest.get(posting)
        reversing = partial(undoing, self.manifest, self.scan, self.guard, posting, author, reason)
        return tended(self, committed(self.manifest, self.records, reversing, ()))

    # -- reading ---------------------------------------------------------------------------

    def flows(
        self, *, site: Wanted = None, stream: Wanted = None, material: Wanted = None,
        origin: Wanted = None, meter: Wanted = None, period: str | Period | None = None,
        as_of: int | None = None,
    ) -> pa.Table:  # fmt: skip
        """Flows that stand (as of a posting number), by any of these filters.

        A row belongs to the period in which it starts: a merged January-February return
        (2026-JF) is found in 2026-JF, 2026-01, 2026-Q1 and 2026, not in 2026-02.
        """
        asked = {"site": site, "stream": stream, "material": material, "origin": origin,
                 "meter": meter}  # fmt: skip
        return self._rows("flows", asked, period, as_of)

    def assays(
        self, *, site: Wanted = None, stream: Wanted = None, element: Wanted = None,
        origin: Wanted = None, meter: Wanted = None, period: str | Period | None = None,
        as_of: int | None = None,
    ) -> pa.Table:  # fmt: skip
        """Assays that stand, by any of these filters."""
        asked = {"site": site, "stream": stream, "element": element, "origin": origin,
                 "meter": meter}  # fmt: skip
        return self._rows("assays", asked, period, as_of)

    def stocktakes(
        self, *, site: Wanted = None, process: Wanted = None, material: Wanted = None,
        origin: Wanted = None, period: str | Period | None = None, as_of: int | None = None,
    ) -> pa.Table:  # fmt: skip
        """Stocktakes that stand, by any of these filters."""
        asked = {"site": site, "process": process, "material": material, "origin": origin}
        return self._rows("stocktakes", asked, period, as_of)

    def totals(
        self, *, by: Sequence[str], site: Wanted = None, material: Wanted = None,
        origin: Wanted = None, stream: Wanted = None, period: str | Period | None = None,
        as_of: int | None = None,
    ) -> pa.Table:  # fmt: skip
        """Signed sums of flow amounts (and variances) by columns; no joins, at any scale.

        Origins and units are always kept apart, whether asked for or not. Sums are exact to
        1e-15 of the unit and do not depend on the order of rows.
        """
        asked = {"site": site, "material": material, "origin": origin, "stream": stream}
        files, filtered = self._scope("flows", asked, period, as_of)
        apart = [*by, *(name for name in ("origin", "unit") if name not in by)]
        return _seen(self.scan.totals("flows", files, filtered, apart))

    def _rows(
        self, table: str, asked: Mapping[str, Wanted], period: str | Period | None,
        as_of: int | None,
    ) -> pa.Table:  # fmt: skip
        files, filtered = self._scope(table, asked, period, as_of)
        return _seen(self.scan.current(table, files, filtered))

    def _scope(
        self, table: str, asked: Mapping[str, Wanted], period: str | Period | None,
        as_of: int | None,
    ) -> tuple[list[Path], Filter]:  # fmt: skip
        scope = Scope.of(asked, period, as_of)
        self.guard.rows("read", table, scope.equal.get("site"))
        return scope.read(self.manifest, table)

    @property
    def head(self) -> int:
        """Number of the latest posting."""
        return self.manifest.head

    @property
    def state(self) -> tuple[int, int, int]:
        """How much has been kept: number of the latest posting, document and register row."""
        return self.records.state()

    def posted(self, id: str) -> bool:
        """Whether a posting has this id."""
        return self.manifest.receipt(id) is not None

    def postings(self) -> list[dict[str, Any]]:
        """Every posting in order; to who may not see all, their own."""
        rows, whole = self.manifest.all(), self.rights.over("read", "posting") == "all"
        return rows if whole else [row for row in rows if row["author"] == self.rights.name]

    # -- parameters ------------------------------------------------------------------------

    @property
    def book(self) -> ParameterBook:
        """The shipped parameters as the desk has amended them, without noting a reading."""
        return self.pinned().shipped

    @property
    def parameters(self) -> ParameterBook:
        """The same, noted as read from the first parameter to the last."""
        note_values("*")
        return self.book

    def parameter(self, id: str, on: date) -> Parameter:
        """The value of a parameter in force on a day (see `ParameterBook.on`)."""
        note_value(id, on)
        return self.book.on(id, on)

    def dated(self, id: str) -> dict[str, tuple[Parameter, ...]]:
        """All values of a parameter; of all whose ids begin so, if the id ends in '*'."""
        note_values(id)
        return self.book.matching(id)

    def pinned(self) -> "Ledger":
        """The same ledger with the parameters of this moment: one answer stands on one book."""
        if isinstance(self.amendments, int):
            return self
        until, book = self.amendments.over(self.shipped)
        return replace(self, shipped=book, amendments=until)

    def assuming(self, values: Mapping[str, Any]) -> "Ledger":
        """The ledger of a scenario (see `ParameterBook.assuming`): it keeps and writes nothing."""
        return replace(pinned := self.pinned(), shipped=pinned.shipped.assuming(values))

    # -- registers and documents -----------------------------------------------------------

    def register(self, noun: Enterprise | Site | Network, *, author: str) -> int:
        """Keep a new version of an enterprise, site or network."""
        kind = type(noun).__name__.lower()
        id = noun.site if isinstance(noun, Network) else noun.id
        self.guard.register(kind, id, noun)
        body = {n: v for n, v in asdict(noun).items() if n not in ("version", "author")}
        return self.records.register(kind, id, body, author)

    def enterprise(self, id: str) -> Enterprise:
        """A registered enterprise."""
        return enterprise_from(self._registered("enterprise", id))

    def enterprises(self) -> list[Enterprise]:
        """All registered enterprises."""
        return [enterprise_from(body) for body in self._all("enterprise")]

    def site(self, id: str) -> Site:
        """A registered site."""
        return self.guard.shown(site_from(self._registered("site", id)))

    def sites(self) -> list[Site]:
        """All registered sites."""
        return [self.guard.shown(site_from(body)) for body in self._all("site")]

    def network(self, site: str, version: int | None = None) -> Network:
        """The network of a site, its latest version unless told."""
        return network_from(self._registered("network", site, version))

    def networks(self) -> list[str]:
        """Sites that have a network."""
        note("register:network")
        return self.records.ids("network")

    def _registered(self, kind: str, id: str, version: int | None = None) -> dict[str, Any]:
        self.guard.rows("read", f"register:{kind}", [id])
        note(f"register:{kind}", (id,))
        return self.records.registered(kind, id, version)

    def _all(self, kind: str) -> list[dict[str, Any]]:
        note(f"register:{kind}")
        return self.records.all_registered(kind)

    def put(self, document: Document, *, author: str) -> Document:
        """Keep a new version of a document."""
        self.guard.post({}, [document])
        with schema.writing(self.records.database) as connection:
            return self.records.put_document(connection, document, author, "")

    def document(self, kind: str, id: str) -> Document:
        """The latest version of a document."""
        found = self.documents(kind, id=id)
        if not found:
            raise NotFound(f"no {kind} document {id!r}")
        return found[-1]

    def documents(
        self, kind: str | None = None, *, party: str | None = None, state: str | None = None,
        id: str | None = None, latest: bool = True,
    ) -> list[Document]:  # fmt: skip
        """Documents by kind, party, state, id; all versions if `latest` is False.

        Who may only see their own names the party or the id.
        """
        note(f"document:{kind or '*'}", (party or "*",))
        found = self.records.documents(latest, kind=kind, party=party, state=state, id=id)
        return self.guard.seen(found, kind, party=party, id=id)

    # -- Results ---------------------------------------------------------------------------

    def reading(self) -> AbstractContextManager[Read]:
        """Note everything that is read inside, for a Result's dependencies."""
        head, documents, registers = self.state
        if isinstance(self.amendments, int):  # what was confirmed since is not in the book
            documents = min(documents, self.amendments)
        return noting(Read(head, documents, registers))

    def kept(self, query: str, arguments: Mapping[str, Any]) -> Result | None:
        """The kept Result of a question, if nothing that it stood on has changed."""
        key = result_key(query, arguments)
        for row in self.records.kept(key, 1):
            stood = self.records.readings(key)
            current = (row["stale_since"], row["parameters"], row["code"])
            if current == (None, fingerprint(self.book, stood), self.code):
                self.guard.readings(stood)
                note_all(stood, demonstration=row["body"]["demonstration"])
                return Result.from_document(row["body"])
        return None

    def keep(self, result: Result, read: Read) -> Result:
        """Keep a Result with what it stood on; equal content makes no new version.

        If that has changed since the reading began, the Result is kept as stale. What stands
        on an assumption is not kept.
        """
        real = not (self.shipped.assumed or result.scenario)
        return self.records.keep(result, read) if real else result

    def results(self, *, stale: bool | None = None) -> list[dict[str, Any]]:
        """The latest version of every kept statement with its manifest row."""
        self.guard.rows("read", "result", None)
        return self.records.latest_results(stale=stale)

    def stale_results(self) -> list[Result]:
        """Kept Results that stand on data that has changed since."""
        return [Result.from_document(row["body"]) for row in self.results(stale=True)]

    def versions(self, key: str) -> list[dict[str, Any]]:
        """All versions of a statement, latest first."""
        self.guard.readings(self.records.readings(key))
        return self.records.kept(key)

    def audited(
        self, *, author: str, action: str, arguments: Mapping[str, Any]
    ) -> AbstractContextManager[None]:
        """Leave an audit record of what is done inside, whether it succeeds or fails."""
        return self.records.trail.audited(author, action, arguments)


def _seen(found: pa.Table) -> pa.Table:
    if pc.any(found["demonstration"]).as_py():
        note_all((), demonstration=True)
    return found


__all__ = ["Ledger", "Read", "Receipt"]
