"""Explain: follow any number to the rows, parameters and Results it stands on.

References: `flows:POSTING/ROW` (also assays, stocktakes), `parameter:ID@DATE`,
`result:KEY` (or `result:KEY#VERSION`), `posting:ID`, `document:KIND/ID`, `network:SITE@VERSION`.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from cupral.ledger.errors import InputError, NotFound
from cupral.ledger.flow import SCHEMAS
from cupral.ledger.ledger import Ledger
from cupral.ledger.result import Result
from cupral.ledger.stores.protocol import Filter
from cupral.ledger.stores.rows import PLANT_TIME

MOST, ROWS, FIELDS = 12, 5, 12
"""Of sources, of a table's rows and of a row's fields that are printed."""
MOMENTS = ("recorded_at", "at")
"""Fields that say when the ledger learnt of something."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """One thing, what it says, and what it leads to."""

    reference: str
    kind: str
    title: str
    content: Mapping[str, Any]
    leads_to: tuple[str, ...] = ()
    history: tuple[Mapping[str, Any], ...] = ()
    """All versions (of a row: the rows that undo it)."""

    def __str__(self) -> str:
        return self.text()

    def text(self, most: int | None = MOST) -> str:
        """What it says and the first `most` of what it leads to; None = everything.

        Tables are told by their number of rows and their first rows.
        """
        lines = [f"{self.kind}  {self.title}"]
        for name, value in self.content.items():
            listed = name == "lineage" and not isinstance(value, str)
            if not listed and value not in (None, "", (), [], {}):
                lines += _told(name, value, "  ", most)
        shown = self.leads_to[:most]
        lines += [f"  <- {step}" for step in shown]
        if more := len(self.leads_to) - len(shown):
            lines.append(f"  <- and {more} more; --all prints them")
        return "\n".join(lines)


def moment(at: int | datetime) -> str:
    """When the ledger learnt of something, in plant time with its zone.

    Parameters
    ----------
    at : int or datetime
        Microseconds since 1970 (UTC), or a time in UTC.

    Examples
    --------
    >>> moment(0), moment(datetime(2026, 1, 31, 20, 0))
    ('1970-01-01 08:00:00 UTC+8', '2026-02-01 04:00:00 UTC+8')
    """
    known = at if isinstance(at, datetime) else datetime.fromtimestamp(at / 1e6, UTC)
    utc = known.replace(tzinfo=UTC) if known.tzinfo is None else known
    return f"{utc.astimezone(PLANT_TIME):%Y-%m-%d %H:%M:%S} UTC+8"


def _told(name: str, value: Any, indent: str, most: int | None) -> list[str]:
    """A field on one line; a table or a group of fields below its name."""
    if name in MOMENTS:
        return [f"{indent}{name}: {moment(value)}"]
    if isinstance(value, Mapping):
        inner = [_told(str(key), item, f"{indent}  ", most) for key, item in value.items() if item]
        return [f"{indent}{name}:", *(line for lines in inner for line in lines)]
    if isinstance(value, list | tuple) and value and isinstance(value[0], Mapping):
        shown = value if most is None else value[:ROWS]
        return [f"{indent}{name}: {len(value)} rows", *(f"{indent}  {_row(row)}" for row in shown)]
    if isinstance(value, list | tuple):
        return [f"{indent}{name}: {', '.join(map(str, value))}"]
    return [f"{indent}{name}: {value}"]


def _row(row: Mapping[str, Any]) -> str:
    """The fields of a row that hold one plain value."""
    plain = {
        name: f"{value:.6g}" if isinstance(value, float) else str(value)
        for name, value in row.items()
        if value not in (None, "") and isinstance(value, str | int | float)
    }
    return "  ".join(f"{name} {value}" for name, value in list(plain.items())[:FIELDS])


def explain(ledger: Ledger, reference: str) -> Explanation:
    """Say what a reference is and what it stands on.

    Raises
    ------
    InputError
        If the reference has no known form.
    NotFound
        If there is no such thing.
    """
    kind, _, name = reference.partition(":")
    if kind in SCHEMAS:
        return _ledger_row(ledger, kind, name)
    if kind not in _EXPLAINERS or not name:
        forms = ", ".join([*SCHEMAS, *_EXPLAINERS])
        raise InputError(f"{reference!r} is no reference; write KIND:NAME, KIND one of {forms}")
    return _EXPLAINERS[kind](ledger, name)


def _ledger_row(ledger: Ledger, table: str, name: str) -> Explanation:
    posting, _, number = name.rpartition("/")
    if not posting or not (number.isascii() and number.isdigit()) or len(number) > 9:
        raise InputError(f"{table}:{name} is no row; write {table}:POSTING/ROW")
    mine = entered(ledger, table, posting, int(number)).to_pylist()
    if not mine:
        raise NotFound(f"posting {posting} has no {table} row {number}")
    row, name = mine[0], f"{posting}/{int(number)}"
    month, site = row["month"], row["site"]
    around = ledger.manifest.files(table, months=(month, month), sites=[site])
    asked = Filter({"site": (site,), "corrects": (name,)}, month, month)
    later = ledger.scan.every(table, around, asked).to_pylist()
    leads = [f"posting:{posting}"]
    if row["corrects"]:
        leads.append(f"{table}:{row['corrects']}")
    title = f"{row['site']} {row.get('stream') or row.get('process')} {row['month']}"
    return Explanation(f"{table}:{name}", table, title, row, tuple(leads), tuple(later))


def entered(ledger: Ledger, table: str, posting: str, row: int | None = None) -> pa.Table:
    """The rows of a table (or one of them) that came in a posting, counter-rows included.

    Raises
    ------
    NotFound
        If there is no such posting.
    NoRight
        If they are of a site whose rows the reader may not see.
    """
    files = ledger.manifest.files(table, posting_seq=ledger.manifest.get(posting)["seq"])
    asked: dict[str, tuple[str | int, ...]] = {"posting": (posting,)}
    found = ledger.scan.every(
        table, files, Filter(asked if row is None else asked | {"row": (row,)})
    )
    ledger.guard.rows("read", table, pc.unique(found["site"]).to_pylist())
    return found


def _parameter(ledger: Ledger, name: str) -> Explanation:
    id, _, day = name.partition("@")
    try:
        on = date.fromisoformat(day) if day else date.today()
    except ValueError:
        raise InputError(f"parameter:{name} has no date {day!r}; write ID@2026-01-31") from None
    found = ledger.parameter(id, on)
    history = tuple(asdict(value) for value in ledger.dated(id)[id])
    leads = (f"document:{found.document}",) if found.document else ()
    return Explanation(f"parameter:{name}", "parameter", str(found), asdict(found), leads, history)


def _result(ledger: Ledger, name: str) -> Explanation:
    rows, wanted = ledger.versions(name), ""  # a key may hold '#' itself, as in 1#炉
    if not rows:
        key, _, wanted = name.rpartition("#")
        rows = ledger.versions(key)
    asked = [row for row in rows if wanted in ("", str(row["version"]))]
    if not asked:
        raise NotFound(f"no kept Result {name!r}; a Result is kept by `cupral.system.call`")
    result = Result.from_document(asked[0]["body"])
    history = tuple(
        {
            "version": row["version"],
            "posting": row["seq"],
            "value": row["body"]["value"],
            "status": row["body"]["status"],
            "stale_since": row["stale_since"],
        }
        for row in rows
    )
    title = str(result).splitlines()[0]
    return Explanation(
        f"result:{name}", "result", title, result.document(), result.lineage, history
    )


def _posting(ledger: Ledger, name: str) -> Explanation:
    row = ledger.manifest.get(name)
    if ledger.rights.over("read", "posting") != "all":
        for table in SCHEMAS:
            entered(ledger, table, name)
    title = f"{name} by {row['author']}, {row['rows']} rows"
    return Explanation(f"posting:{name}", "posting", title, row)


def _document(ledger: Ledger, name: str) -> Explanation:
    kind, _, id = name.partition("/")
    versions = ledger.documents(kind, id=id, latest=False)
    if not versions:
        raise NotFound(f"no document {name!r}")
    latest = versions[-1]
    leads = (f"posting:{latest.posting}",) if latest.posting else ()
    content = {**asdict(latest), "body": dict(latest.body)}
    history = tuple({"version": v.version, "state": v.state, "author": v.author} for v in versions)
    return Explanation(f"document:{name}", kind, f"{latest.party} {id}", content, leads, history)


def _network(ledger: Ledger, name: str) -> Explanation:
    site, _, version = name.partition("@")
    if version and not (version.isascii() and version.isdigit()):
        raise InputError(f"network:{name} has no version {version!r}; write SITE@3")
    network = ledger.network(site, int(version) if version else None)
    title = f"network of {site}, version {network.version}"
    return Explanation(f"network:{name}", "network", title, asdict(network))


_EXPLAINERS: dict[str, Callable[[Ledger, str], Explanation]] = {
    "parameter": _parameter,
    "result": _result,
    "posting": _posting,
    "document": _document,
    "network": _network,
}
