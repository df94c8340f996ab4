"""Filing of returns: checked, posted as declared rows, with the filing itself as a document."""

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import date
from pathlib import Path
from typing import Any

from cupral.ledger import release as releases
from cupral.ledger.document import Document
from cupral.ledger.errors import Conflict, Fault, InputError, RowFaults
from cupral.ledger.flow import OUTSIDE, Flow
from cupral.ledger.ledger import Ledger
from cupral.ledger.period import Period
from cupral.ledger.template import read as read_file
from cupral.system import acting, command
from cupral.systems.statistics.compute import returns as checks
from cupral.systems.statistics.compute.sheet import TEMPLATE, grouped
from cupral.systems.statistics.model import Filed, Item, Return
from cupral.systems.statistics.queries.drafting import drafted
from cupral.systems.statistics.queries.returns import standing

_PATIENCE = 30
"""How long a filing waits for another [s]."""
_INCOMING = ("revenue", "line_energy")
"""Items whose flow comes from outside; the others leave."""


@command
def file_returns(
    ledger: Ledger, *, author: str, returns: list[dict[str, Any]], dry_run: bool = False,
    supersede: bool = False,
) -> Filed:  # fmt: skip
    """File monthly returns of enterprises: all of them or, on any fault, none.

    Parameters
    ----------
    returns : rows {enterprise, period, above_designated_size, value_added_rate, price_index,
        restated, items: [{item, product, site, line, boundary, amount, unit}]}
    dry_run : check and count, post nothing
    supersede : replace returns that were filed before for the same enterprise and period

    Raises
    ------
    RowFaults
        With every fault of every return.
    Conflict
        If one was filed before with other content and `supersede` is not given.
    """
    filed = _read(returns, ledger)
    warnings = _questions(ledger, filed)
    firms = {firm.id: firm.demonstration for firm in ledger.enterprises()}
    flows = [flow for item in filed for flow in _flows(ledger, item, firms[item.enterprise])]
    with _filing_alone(ledger):
        before = {document.id: document.posting for document in standing(ledger, _years(filed))}
        id = _posting_id(ledger, returns, {before.get(item.id, "") for item in filed})
        if not ledger.posted(id):
            _refuse_overlap(ledger, filed, set(before), supersede)
        if dry_run:
            return Filed(posting=id, status="dry run", returns=len(filed), rows=len(flows),
                         warnings=tuple(warnings))  # fmt: skip
        receipt = ledger.post(
            id, author=author, flows=flows,
            documents=[_document(item, firms[item.enterprise]) for item in filed],
            note=f"{len(filed)} returns", supersede=supersede,
        )  # fmt: skip
    return Filed(posting=id, status=receipt.status, returns=len(filed), rows=receipt.rows,
                 warnings=tuple(warnings), seq=receipt.seq)  # fmt: skip


@command
def import_returns(
    ledger: Ledger, *, author: str, path: str = "", content: str = "", dry_run: bool = False,
    supersede: bool = False,
) -> Filed:  # fmt: skip
    """File the returns of a CSV or XLSX file in the shape of the returns template.

    Parameters
    ----------
    path : a file on this machine
    content : instead of a path, the text of a CSV file
    """
    if bool(path) == bool(content):
        raise InputError("give either the path of a returns file or the content of a CSV file")
    try:
        given = Path(path).read_bytes() if path else content.encode()
    except OSError as error:
        raise InputError(
            f"returns file {path} cannot be read ({error}); give the path of a CSV or XLSX file"
        ) from None
    return import_file(
        ledger, author=author, content=given, filename=Path(path).name or "returns.csv",
        dry_run=dry_run, supersede=supersede,
    )  # fmt: skip


@command
@acting("release")
def release(
    ledger: Ledger, *, author: str, period: str, incomplete: bool = False
) -> Document:  # fmt: skip
    """Publish output by product and city and sums of money by chain, January to a month.

    Figures that stand on too few enterprises are withheld, and others that would give them away.
    A revision that would single somebody out waits: the earlier figure stands, marked.

    Parameters
    ----------
    period : last month, e.g. '2026-10'
    incomplete : publish although returns are missing; a late one may then have to wait

    Raises
    ------
    CannotDecide
        If a return of an enterprise of the list is missing.
    Conflict
        If a later month is already out, or a table cannot be published safely.
    """
    with _filing_alone(ledger):
        body, basis, demonstration = drafted(ledger, period, incomplete=incomplete)
        return releases.publish(ledger, f"statistics:{body['year']}", author=author, body=body,
                                basis=basis, demonstration=demonstration)  # fmt: skip


def import_file(
    ledger: Ledger, *, author: str, content: bytes, filename: str, dry_run: bool = False,
    supersede: bool = False,
) -> Filed:  # fmt: skip
    """File the returns of an uploaded file (bytes and its name)."""
    reading = read_file(content, filename, TEMPLATE)
    if reading.faults:
        raise RowFaults(filename, reading.faults)
    returns, lines, faults = grouped(reading.rows)
    if faults:
        raise RowFaults(filename, faults)
    try:
        filed: Filed = file_returns(ledger, author=author, returns=returns, dry_run=dry_run,
                                    supersede=supersede)  # fmt: skip
    except RowFaults as error:
        raise RowFaults(filename, [_in_file(fault, lines) for fault in error.faults]) from None
    return filed


def _in_file(fault: Fault, lines: Sequence[int]) -> Fault:
    row = None if fault.row is None else lines[fault.row - 1]
    return Fault(row, fault.column, fault.value, fault.what, fault.cure)


def _read(returns: Sequence[Mapping[str, Any]], ledger: Ledger) -> list[Return]:
    if not returns:
        raise InputError("no returns: give at least one {enterprise, period, items, ...}")
    known = _registers(ledger)
    index = ledger.parameter("statistics.price_index_range", date.max).value
    read = [checks.read(number, raw, known, index) for number, raw in enumerate(returns, start=1)]
    faults = [fault for _, found in read for fault in found.found]
    filed = [item for item, _ in read if item is not None]
    if not faults:
        faults = checks.overlaps(filed, ())
    if faults:
        raise RowFaults("returns", faults)
    return filed


def _registers(ledger: Ledger) -> checks.Registers:
    return checks.Registers(
        frozenset(enterprise.id for enterprise in ledger.enterprises()),
        {
            (site.id, line.id): (site.enterprise, line.product)
            for site in ledger.sites()
            for line in site.lines
        },
    )


@contextmanager
def _filing_alone(ledger: Ledger) -> Iterator[None]:
    """Let nobody else file between the check for overlaps and the posting.

    Periods overlap without having a row in common (2026-JF and 2026-02), so that the ledger
    cannot see the collision of two postings. The lock is that of an empty database beside it,
    which holds between threads and processes and ends with the process that holds it.
    """
    desk = sqlite3.connect(ledger.folder / "filing.lock", timeout=_PATIENCE, isolation_level=None)
    with closing(desk):
        try:
            desk.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            raise Conflict(
                f"others have been filing for {_PATIENCE} s ({error}); try again"
            ) from None
        yield


def _years(filed: Iterable[Return]) -> Period:
    """The calendar years of some returns: merged months are found under their first one."""
    months = [month for item in filed for month in item.period.months]
    return Period.run(min(months) // 100 * 100 + 1, max(months))


def _refuse_overlap(
    ledger: Ledger, filed: Sequence[Return], before: set[str], supersede: bool
) -> None:
    again = sorted(before & {item.id for item in filed})
    if again and not supersede:
        shown = ", ".join(again[:5])
        raise Conflict(
            f"{len(again)} of the returns are filed already ({shown}); to correct them file the"
            " whole return again with supersede"
        )
    faults = checks.overlaps(filed, before - set(again))
    if again:
        faults += _dropped(ledger, filed)
    if faults:
        raise RowFaults("returns", faults)


def _dropped(ledger: Ledger, filed: Sequence[Return]) -> list[Fault]:
    """Rows of an earlier filing that the correction does not mention and so would leave."""
    faults = []
    for number, item in enumerate(filed, start=1):
        now = {(row.site or item.enterprise, row.stream) for row in item.items}
        for site, stream in sorted(_filed_rows(ledger, item) - now):
            what = f"the earlier return had {stream} of {site}"
            faults.append(Fault(number, "items", "", what, "give it too, with amount 0 if none"))
    return faults


def _filed_rows(ledger: Ledger, item: Return) -> set[tuple[str, str]]:
    sites = [site.id for site in ledger.sites() if site.enterprise == item.enterprise]
    rows = ledger.flows(site=[item.enterprise, *sites], origin="declared", meter="return",
                        period=item.period).to_pylist()  # fmt: skip
    span = (item.period.start, item.period.end)
    return {(row["site"], row["stream"]) for row in rows if (row["start"], row["end"]) == span}


def _questions(ledger: Ledger, filed: Sequence[Return]) -> list[str]:
    """What the clerk should look at again, though it is allowed."""
    day = max(item.period for item in filed).last_day
    tolerance = ledger.parameter("statistics.value_added_rate_tolerance", day).value
    return [
        *(text for item in filed for text in checks.rate_warnings(item, tolerance)),
        *_outliers(ledger, filed),
    ]


def _outliers(ledger: Ledger, filed: Sequence[Return]) -> list[str]:
    amounts = _amounts(filed)
    first = min(item.period.start for item in filed)
    last = max(item.period.end for item in filed)
    span = Period(first, last, "months").shifted(-1)
    rows = ledger.flows(origin="declared", meter="return", period=span).to_pylist()
    earlier = {(row["site"], row["stream"], _a_year_on(row)): row["amount"] for row in rows}
    earlier |= {
        (site, stream, str(Period.parse(period).shifted(1))): amount
        for (site, stream, period), amount in amounts.items()
    }
    limit = ledger.parameter("statistics.outlier_growth", last.date()).value
    return checks.outliers(amounts, earlier, limit)


def _a_year_on(row: Mapping[str, Any]) -> str:
    return str(Period.spanning(row["start"], row["end"]).shifted(1))


def _amounts(filed: Iterable[Return]) -> dict[tuple[str, str, str], float]:
    return {
        (row.site or item.enterprise, row.stream, str(item.period)): row.amount
        for item in filed
        for row in item.items
    }


def _flows(ledger: Ledger, item: Return, demonstration: bool) -> Iterable[Flow]:
    day = item.period.start.date()
    of_sums = ledger.parameter("statistics.declared_relative_sd", day).value
    of_lines = ledger.parameter("statistics.declared_line_relative_sd", day).value
    for row in item.items:
        holder = row.site or item.enterprise
        ends = (OUTSIDE, holder) if row.item in _INCOMING else (holder, OUTSIDE)
        yield Flow(
            site=holder, stream=row.stream, source=ends[0], target=ends[1],
            material=_material(row), amount=row.amount, unit=row.unit,
            start=item.period.start, end=item.period.end, origin="declared",
            sd=(of_lines if row.line else of_sums) * abs(row.amount), meter="return",
            correlation_group=f"returns:{item.enterprise}", correlation=1.0,
            demonstration=demonstration, lineage=f"document:return/{item.id}",
        )  # fmt: skip


def _material(row: Item) -> str:
    if row.item == "line_energy":
        return "energy" if row.boundary == "comprehensive" else "electricity"
    return row.product or row.item


def _document(item: Return, demonstration: bool) -> Document:
    body = {
        "period": str(item.period), "above_designated_size": item.above_designated_size,
        "value_added_rate": item.value_added_rate, "price_index": item.price_index,
        "restated": dict(item.restated), "rows": len(item.items),
        "figures": sorted({row.item for row in item.items}),
    }  # fmt: skip
    return Document(
        kind="return", id=item.id, party=item.enterprise, body=body, state="filed",
        demonstration=demonstration,
    )  # fmt: skip


def _posting_id(
    ledger: Ledger, returns: Sequence[Mapping[str, Any]], standing_from: set[str]
) -> str:
    """Id of this content: numbered on where what it posted earlier stands no more.

    Parameters
    ----------
    standing_from : postings from which returns of these firms and periods stand
    """
    text = json.dumps(returns, sort_keys=True, ensure_ascii=False, default=str)
    first = f"returns:{hashlib.sha256(text.encode()).hexdigest()[:20]}"
    id, number = first, 1
    while ledger.posted(id) and standing_from != {id}:
        number += 1
        id = f"{first}#{number}"
    return id
