"""The ledger: post facts, read them, keep what was concluded from them, explain any number.

Writing is by postings (never overwritten; undone by counter-rows). Reading is of the rows
that stand now, or as of an earlier posting. Everything else (registers, documents, Results,
audit) is kept in the documents database beside the manifest, in the same transactions.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa

from cupral.ledger.document import Document
from cupral.ledger.errors import InputError, NotFound
from cupral.ledger.flow import NOUNS, SCHEMAS
from cupral.ledger.parameter import Parameter, ParameterBook
from cupral.ledger.period import Period
from cupral.ledger.registers import Enterprise, Line, Meter, Network, Process, Site, Stream
from cupral.ledger.result import Result, result_key
from cupral.ledger.stores import canonical, rows, schema
from cupral.ledger.stores.duckdb import DuckScan
from cupral.ledger.stores.postings import Postings, Receipt
from cupral.ledger.stores.protocol import Filter, Scan
from cupral.ledger.stores.records import Reading, Records

Wanted = str | Sequence[str] | None
"""A filter: one value, several, or all."""

_OPEN = (0, 999912)


@dataclass(slots=True)
class Read:
    """What was read while a question was answered."""

    scopes: set[Reading] = field(default_factory=set)
    demonstration: bool = False


_reading: ContextVar[tuple[Read, ...]] = ContextVar("cupral_reading", default=())


@dataclass(frozen=True, slots=True)
class Ledger:
    """One ledger in one folder."""

    folder: Path
    parameters: ParameterBook
    code: str
    manifest: Postings
    records: Records
    scan: Scan

    @staticmethod
    def open(
        folder: str | Path, *, parameters: ParameterBook | None = None, code: str = ""
    ) -> "Ledger":
        """Open the ledger in a folder, creating it if there is none.

        Examples
        --------
        >>> import tempfile
        >>> Ledger.open(tempfile.mkdtemp()).head
        0
        """
        root = Path(folder)
        root.mkdir(parents=True, exist_ok=True)
        database = schema.open_database(root / "documents.sqlite")
        book = parameters or ParameterBook({}, "none")
        return Ledger(root, book, code, Postings(database, root), Records(database), DuckScan())

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
            If a row is not allowed; nothing is written.
        Conflict
            If the id was posted before with other content.
        """
        if not id or not author:
            raise InputError("a posting needs an id and an author")
        entered = {
            name: rows.given(name, nouns, id, 0)
            for name, nouns in (("flows", flows), ("assays", assays), ("stocktakes", stocktakes))
        }
        entered = {name: table for name, table in entered.items() if table.num_rows}
        settled = tuple(documents)
        sha = _given_sha(entered, settled)
        if (receipt := self.manifest.already(id, sha)) is not None:
            return receipt
        if supersede:
            entered = {name: self._superseding(name, table, id) for name, table in entered.items()}
        return self._commit(id, author, note, entered, sha, settled)

    def reverse(self, posting: str, *, author: str, reason: str) -> Receipt:
        """Undo what still stands of a posting by counter-rows (冲销)."""
        if not reason.strip():
            raise InputError(f"reversing {posting!r} needs a reason; say why it was wrong")
        id = f"reverse:{posting}"
        standing = self._standing(posting)
        if not standing:
            if id in {row["id"] for row in self.manifest.all()}:
                return Receipt(id, self.manifest.get(id)["seq"], "already", 0, "")
            raise InputError(f"nothing of posting {posting!r} stands any more; nothing to reverse")
        undone = {name: rows.counter(name, table, id, 0) for name, table in standing.items()}
        return self._commit(id, author, reason, undone, _given_sha(undone, ()), ())

    def _standing(self, posting: str) -> dict[str, pa.Table]:
        seq = self.manifest.get(posting)["seq"]
        standing = {}
        for name in SCHEMAS:
            files = self.manifest.files(name, posting_seq=seq)
            mine = self.scan.every(name, files, Filter({"posting": (posting,)}))
            if mine.num_rows:
                months = mine.column("month").to_pylist()
                span = (min(months), max(months))
                around = self.manifest.files(name, months=span)
                asked = Filter({}, *span)
                undone = set(self.scan.every(name, around, asked).column("corrects").to_pylist())
                keep = [
                    f"{posting}/{number}" not in undone for number in mine.column("row").to_pylist()
                ]
                standing[name] = mine.filter(pa.array(keep))
        return {name: table for name, table in standing.items() if table.num_rows}

    def _superseding(self, name: str, entered: pa.Table, id: str) -> pa.Table:
        months = entered.column("month").to_pylist()
        sites = sorted(set(entered.column("site").to_pylist()))
        span = (min(months), max(months))
        files = self.manifest.files(name, months=span, sites=sites)
        current = self.scan.current(name, files, Filter({"site": tuple(sites)}, *span))
        old = rows.keyed(name, current, entered)
        if not old.num_rows:
            return entered
        references = {
            tuple(row[key] for key in rows.KEYS[name]): f"{row['posting']}/{row['row']}"
            for row in old.to_pylist()
        }
        corrects = pa.array(
            [
                references.get(tuple(row[key] for key in rows.KEYS[name]), "")
                for row in entered.to_pylist()
            ],
            pa.string(),
        )
        index = entered.schema.get_field_index("corrects")
        entered = entered.set_column(index, entered.schema.field(index), corrects)
        return pa.concat_tables([entered, rows.counter(name, old, id, entered.num_rows)])

    def _commit(
        self,
        id: str,
        author: str,
        note: str,
        tables: Mapping[str, pa.Table],
        sha: str,
        documents: Sequence[Document],
    ) -> Receipt:
        def within(connection: Any, seq: int, scopes: Any) -> None:
            for document in documents:
                self.records.put_document(connection, document, author, id)
            self.records.mark_stale(connection, seq, scopes)

        return self.manifest.commit(id, author, note, tables, sha, within)

    # -- reading ---------------------------------------------------------------------------

    def flows(
        self, *, site: Wanted = None, stream: Wanted = None, material: Wanted = None,
        origin: Wanted = None, meter: Wanted = None, period: str | Period | None = None,
        as_of: int | None = None,
    ) -> pa.Table:  # fmt: skip
        """Flows that stand (as of a posting number), by any of these filters."""
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
        """Signed sums of flow amounts (and variances) by columns; no joins, at any scale."""
        asked = {"site": site, "material": material, "origin": origin, "stream": stream}
        files, filtered = self._scope("flows", asked, period, as_of)
        return self.scan.totals("flows", files, filtered, by)

    def _rows(
        self, table: str, asked: Mapping[str, Wanted], period: str | Period | None,
        as_of: int | None,
    ) -> pa.Table:  # fmt: skip
        files, filtered = self._scope(table, asked, period, as_of)
        found = self.scan.current(table, files, filtered)
        if period is not None and (span := Period.parse(period)).kind in ("hour", "day"):
            inside = [span.start <= start < span.end for start in found.column(3).to_pylist()]
            found = found.filter(pa.array(inside))
        if any(found.column("demonstration").to_pylist()):
            for read in _reading.get():
                read.demonstration = True
        return found

    def _scope(
        self, table: str, asked: Mapping[str, Wanted], period: str | Period | None,
        as_of: int | None,
    ) -> tuple[list[Path], Filter]:  # fmt: skip
        equal = {
            name: (wanted,) if isinstance(wanted, str) else tuple(wanted)
            for name, wanted in asked.items()
            if wanted is not None
        }
        months = Period.parse(period).months if period is not None else _OPEN
        span = (months[0], months[-1])
        _note(table, equal, span)
        if any(not values for values in equal.values()):
            return [], Filter({}, *span)
        files = self.manifest.files(table, seq=as_of, months=span, sites=equal.get("site"))
        until = None if as_of is None else self._recorded(as_of)
        return files, Filter(equal, *span, recorded_until=until)

    def _recorded(self, seq: int) -> int:
        times = [row["recorded_at"] for row in self.manifest.all() if row["seq"] <= seq]
        return int(times[-1]) if times else 0

    @property
    def head(self) -> int:
        """Number of the latest posting."""
        return self.manifest.head

    def postings(self) -> list[dict[str, Any]]:
        """Every posting in order."""
        return self.manifest.all()

    def parameter(self, id: str, on: date) -> Parameter:
        """The value of a parameter in force on a day (see `ParameterBook.on`)."""
        return self.parameters.on(id, on)

    # -- registers and documents -----------------------------------------------------------

    def register(self, noun: Enterprise | Site | Network, *, author: str) -> int:
        """Keep a new version of an enterprise, site or network."""
        kind = type(noun).__name__.lower()
        body = asdict(noun)
        body.pop("version", None)
        body.pop("author", None)
        id = noun.site if isinstance(noun, Network) else noun.id
        return self.records.register(kind, id, body, author)

    def enterprise(self, id: str) -> Enterprise:
        """A registered enterprise."""
        return Enterprise(**_body(self.records.registered("enterprise", id)))

    def enterprises(self) -> list[Enterprise]:
        """All registered enterprises."""
        return [self.enterprise(id) for id in self.records.ids("enterprise")]

    def site(self, id: str) -> Site:
        """A registered site."""
        return _site(_body(self.records.registered("site", id)))

    def sites(self) -> list[Site]:
        """All registered sites."""
        return [self.site(id) for id in self.records.ids("site")]

    def network(self, site: str, version: int | None = None) -> Network:
        """The network of a site, its latest version unless told."""
        return _network(self.records.registered("network", site, version))

    def networks(self) -> list[str]:
        """Sites that have a network."""
        return self.records.ids("network")

    def put(self, document: Document, *, author: str) -> Document:
        """Keep a new version of a document."""
        with schema.writing(self.records.database) as connection:
            return self.records.put_document(connection, document, author, "")

    def document(self, kind: str, id: str) -> Document:
        """The latest version of a document."""
        found = self.records.documents(kind=kind, id=id)
        if not found:
            raise NotFound(f"no {kind} document {id!r}")
        return found[-1]

    def documents(
        self, kind: str | None = None, *, party: str | None = None, state: str | None = None,
        id: str | None = None, latest: bool = True,
    ) -> list[Document]:  # fmt: skip
        """Documents by kind, party, state; all versions if `latest` is False."""
        return self.records.documents(latest, kind=kind, party=party, state=state, id=id)

    # -- Results ---------------------------------------------------------------------------

    @contextmanager
    def reading(self) -> Iterator[Read]:
        """Note everything that is read inside, for a Result's dependencies."""
        read = Read()
        token = _reading.set((*_reading.get(), read))
        try:
            yield read
        finally:
            _reading.reset(token)

    def kept(self, query: str, arguments: Mapping[str, Any]) -> Result | None:
        """The kept Result of a question, if nothing that it stood on has changed."""
        key = result_key(query, arguments)
        for row in self.records.kept(key)[:1]:
            current = (row["stale_since"], row["parameters"], row["code"])
            if current == (None, self.parameters.version, self.code):
                for read in _reading.get():
                    read.scopes |= self.records.readings(key)
                    read.demonstration |= row["body"]["demonstration"]
                return Result.from_document(row["body"])
        return None

    def keep(self, result: Result, read: Read) -> Result:
        """Keep a Result with what it stood on; equal content makes no new version."""
        return self.records.keep(result, read.scopes)

    def results(self, *, stale: bool | None = None) -> list[dict[str, Any]]:
        """The latest version of every kept statement with its manifest row."""
        return self.records.latest_results(stale=stale)

    def stale_results(self) -> list[Result]:
        """Kept Results that stand on data that has changed since."""
        return [Result.from_document(row["body"]) for row in self.results(stale=True)]

    def versions(self, key: str) -> list[dict[str, Any]]:
        """All versions of a statement, latest first."""
        return self.records.kept(key)

    @contextmanager
    def audited(self, *, author: str, action: str, arguments: Mapping[str, Any]) -> Iterator[None]:
        """Leave an audit record of what is done inside, whether it succeeds or fails."""
        try:
            yield
        except Exception as error:
            outcome = f"{type(error).__name__}: {str(error)[:500]}"
            self.records.record(author, action, arguments, outcome)
            raise
        self.records.record(author, action, arguments, "done")


def _note(table: str, equal: Mapping[str, tuple[str, ...]], span: tuple[int, int]) -> None:
    for read in _reading.get():
        for site in equal.get("site", ("*",)):
            for origin in equal.get("origin", ("*",)):
                read.scopes.add((table, site, origin, *span))


def _given_sha(tables: Mapping[str, pa.Table], documents: Sequence[Document]) -> str:
    parts = {name: canonical.content_sha(table) for name, table in tables.items()}
    for document in documents:
        name = f"document:{document.kind}/{document.id}"
        parts[name] = Result(query=name, subject="", arguments=asdict(document)).sha256
    return canonical.combined_sha(parts)


def _body(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in ("version", "author")}


def _site(body: dict[str, Any]) -> Site:
    lines = tuple(
        Line(**{**line, "energy_streams": tuple(tuple(p) for p in line["energy_streams"])})
        for line in body["lines"]
    )
    return Site(**{**body, "lines": lines})


def _network(body: dict[str, Any]) -> Network:
    processes = tuple(
        Process(
            **{
                **p,
                "balances": tuple(p["balances"]),
                "stock_prior": tuple(map(tuple, p["stock_prior"])),
            }
        )
        for p in body["processes"]
    )
    streams = tuple(
        Stream(**{**s, "composition": tuple(tuple(c) for c in s["composition"])})
        for s in body["streams"]
    )
    meters = tuple(Meter(**meter) for meter in body["meters"])
    return Network(**{**body, "processes": processes, "streams": streams, "meters": meters})


__all__ = ["NOUNS", "Ledger", "Read", "Receipt"]
