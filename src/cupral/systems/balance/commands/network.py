"""Define a site's network from a YAML file or a workbook, and write it back."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, Literal, TypeVar

from cupral.ledger.errors import Fault, InputError, NotFound, RowFaults
from cupral.ledger.flow import OUTSIDE
from cupral.ledger.ledger import Ledger
from cupral.ledger.quantity import canonical_unit
from cupral.ledger.registers import Carrier, Line, Meter, Network, Process, Site, Stream
from cupral.ledger.template import Reading, Row, grids, parse_rows, sheet_file, suggest
from cupral.ledger.template.reading import wrong_format
from cupral.ledger.template.separated import Grid
from cupral.system import command
from cupral.systems.balance.commands.report import ImportReport
from cupral.systems.balance.commands.rows import Refused, offered
from cupral.systems.balance.commands.sheets import (
    SHEETS,
    number,
    pairs,
    rows_of,
    words,
)
from cupral.systems.balance.commands.yaml_text import yaml_file, yaml_readings

T = TypeVar("T")
_REQUIRED = ("site", "processes", "streams", "meters")


@command
def define_network(
    ledger: Ledger, *, author: str, content: bytes, filename: str, dry_run: bool = False
) -> ImportReport:
    """Register a site and its network (processes, streams, meters) from YAML or XLSX.

    Parameters
    ----------
    author : str
        Who defines it.
    content : bytes
        The file: sections or sheets site, processes, streams, meters and (optional) lines.
    filename : str
        Its name, ending in .yaml, .yml or .xlsx.
    dry_run : bool
        Check only.

    Raises
    ------
    RowFaults
        If the file is faulty; each fault names sheet and column, row and cure.
    """
    site, network, rows_read = network_from(content, filename)
    same = _registered(ledger, site, network)
    if not same and not dry_run:
        ledger.register(site, author=author)
        ledger.register(replace(network, author=author), author=author)
    version = 0 if dry_run and not same else ledger.network(site.id).version
    return ImportReport(
        name=f"network: {filename}",
        site=site.id,
        status="already" if same else "dry run" if dry_run else "posted",
        rows_read=rows_read,
        rows_new=0 if same else rows_read,
        rows_posted=0 if same or dry_run else rows_read,
        posting=f"network:{site.id}@{version}" if version else "",
    )


def network_from(content: bytes, filename: str) -> tuple[Site, Network, int]:
    """The site and network that a file describes, and how many rows it has."""
    readings = _readings(content, filename)
    missing = [name for name in _REQUIRED if not readings.get(name)]
    if missing:
        cure = f"a network file has {', '.join(SHEETS)}"
        raise RowFaults(
            filename, [Fault(None, n, "", f"section {n!r} is missing", cure) for n in missing]
        )
    faults = [f for name, reading in readings.items() for f in _placed(name, reading.faults)]
    if faults:
        raise RowFaults(filename, faults)
    site, network = _assembled(readings, filename)
    return site, network, sum(len(reading.rows) for reading in readings.values())


def network_file(network: Network, site: Site, format: Literal["yaml", "xlsx"] = "yaml") -> bytes:
    """A network and its site as a file that `define_network` reads back equal."""
    rows = rows_of(site, network)
    if format == "yaml":
        return yaml_file(rows)
    return sheet_file({SHEETS[name]: table for name, table in rows.items()}, "xlsx")


def _registered(ledger: Ledger, site: Site, network: Network) -> bool:
    try:
        old = replace(ledger.network(site.id), version=0, author="")
        return ledger.site(site.id) == site and old == network
    except NotFound:
        return False


def _readings(content: bytes, filename: str) -> dict[str, Reading]:
    if filename.lower().endswith((".yaml", ".yml")):
        return yaml_readings(content, filename)
    broken = wrong_format(content, filename)
    found = broken or grids(content)
    if isinstance(found, Grid):
        raise RowFaults(filename, found.faults)
    readings = {}
    for grid in found:
        name = grid.name.strip().lower()
        if name not in SHEETS:
            what = f"no sheet of a network file is called {grid.name!r}{suggest(name, SHEETS)}"
            raise RowFaults(filename, [Fault(None, name, "", what, f"use {', '.join(SHEETS)}")])
        if name != "lines" or len(grid.rows) > 1:
            readings[name] = parse_rows(grid, SHEETS[name])
    return readings


def _placed(sheet: str, faults: Iterable[Fault]) -> list[Fault]:
    return [replace(f, column=f"{sheet}.{f.column}" if f.column else sheet) for f in faults]


def _assembled(readings: dict[str, Reading], filename: str) -> tuple[Site, Network]:
    faults: list[Fault] = []

    def build(sheet: str, make: Callable[[Row], T]) -> list[T]:
        made: list[T] = []
        for row in readings[sheet].rows if sheet in readings else ():
            try:
                made.append(make(row))
            except Refused as refused:
                faults.extend(_placed(sheet, [refused.at(row, Reading())]))
        return made

    streams_of = {row["id"]: row for row in readings["streams"].rows}
    rows = readings["processes"].rows
    processes = {row["id"] for row in rows}
    balanced = {row["id"] for row in rows if "energy" in words(row["balances"])}
    build("site", _only_one(readings["site"].rows))
    built: dict[str, list[Any]] = {
        "processes": build("processes", _process),
        "streams": build("streams", lambda row: _stream(row, processes, balanced)),
        "meters": build("meters", lambda row: _meter(row, streams_of, processes)),
        "lines": build("lines", lambda row: _line(row, streams_of)),
    }
    for sheet in built:
        faults += _twice(sheet, readings[sheet].rows if sheet in readings else ())
    if faults:
        raise RowFaults(filename, sorted(faults, key=lambda fault: fault.row or 0))
    return _nouns(readings["site"].rows[0], built)


def _nouns(row: Row, built: dict[str, list[Any]]) -> tuple[Site, Network]:
    demonstration = bool(row["demonstration"])
    texts = {
        n: row[n] or "" for n in ("id", "enterprise", "city", "cluster", "kind", "attribution")
    }
    site = Site(**texts, **_names(row), demonstration=demonstration, lines=tuple(built["lines"]))
    network = Network(
        site=site.id,
        processes=tuple(built["processes"]),
        streams=tuple(built["streams"]),
        meters=tuple(built["meters"]),
        valid_from=row["valid_from"] or "2000-01",
        note=row["note"] or "",
        demonstration=demonstration,
    )
    return site, network


def _only_one(rows: Sequence[Row]) -> Callable[[Row], None]:
    def check(row: Row) -> None:
        if row is not rows[0]:
            raise Refused("id", row["id"], "a file describes one site", "delete the other rows")

    return check


def _twice(sheet: str, rows: Sequence[Row]) -> list[Fault]:
    first: dict[str, int] = {}
    faults = []
    for row in rows:
        at = first.setdefault(row["id"], row.number)
        if at != row.number:
            what = f"the id is already used in row {at}"
            faults.append(Fault(row.number, f"{sheet}.id", row["id"], what, "rename one of them"))
    return faults


def _names(row: Row) -> dict[str, str]:
    return {
        "name_zh": row["name_zh"] or row["name_en"] or row["id"],
        "name_en": row["name_en"] or row["name_zh"] or row["id"],
    }


def _process(row: Row) -> Process:
    if row["id"] == OUTSIDE:
        what = f"{OUTSIDE!r} is the rest of the world and is always there"
        raise Refused("id", row["id"], what, "delete the row")
    prior = tuple(
        (name, number(sd, "stock_prior"))
        for name, sd, _none in pairs(row["stock_prior"], "stock_prior")
    )
    return Process(
        id=row["id"],
        **_names(row),
        kind=row["kind"] or "unit",
        balances=words(row["balances"]) or ("mass",),
        stock_prior=prior,
    )


def _stream(row: Row, processes: set[str], balanced: set[str]) -> Stream:
    known = processes | {OUTSIDE}
    for end in ("source", "target"):
        if row[end] not in known:
            what = f"process {row[end]!r} is not defined{suggest(row[end], known)}"
            raise Refused(
                end, row[end], what, f"define it, or use one of {offered(row[end], known)}"
            )
    if row["source"] == row["target"]:
        raise Refused("target", row["target"], "the stream ends where it starts", "correct one end")
    carrier: Carrier = row["carrier"] or "mass"
    unit = row["unit"] or ("MWh" if carrier == "energy" else "t")
    counted = {row["source"], row["target"]} & balanced
    if carrier == "energy" and counted and canonical_unit(unit) != "MWh":
        what = f"energy is measured in units of energy where {counted.pop()} balances it"
        raise Refused("unit", unit, what, "write MWh, kWh or GJ")
    return Stream(
        id=row["id"], **_names(row), source=row["source"], target=row["target"],
        material=row["material"] or row["id"], carrier=carrier, unit=unit,
        composition=_composition(row["composition"]),
    )  # fmt: skip


def _composition(text: str | None) -> tuple[tuple[str, float, float], ...]:
    found = tuple(
        (element, number(fraction, "composition", most=1), number(sd, "composition", most=1))
        for element, fraction, sd in pairs(text, "composition")
    )
    twice = {e for e, _x, _sd in found if [pair[0] for pair in found].count(e) > 1}
    if twice:
        raise Refused("composition", text, f"{twice.pop()} is given twice", "delete one of them")
    return found


def _meter(row: Row, streams: dict[str, Row], processes: set[str]) -> Meter:
    kind: Literal["flow", "assay", "stocktake"] = row["kind"] or "flow"
    known = processes if kind == "stocktake" else set(streams)
    noun = "process" if kind == "stocktake" else "stream"
    if row["stream"] not in known:
        what = f"{noun} {row['stream']!r} is not defined{suggest(row['stream'], known)}"
        raise Refused(
            "stream",
            row["stream"],
            what,
            f"define it, or use one of {offered(row['stream'], known)}",
        )
    if kind == "assay" and not row["element"]:
        raise Refused("element", "", "an assay meter needs its element", "write e.g. Cu")
    if not row["sd_relative"] and not row["sd_absolute"]:
        what = "the meter has no uncertainty, so it cannot be reconciled"
        raise Refused("sd_relative", "", what, "write sd_relative (e.g. 0.01) or sd_absolute")
    unit = row["unit"] or (streams[row["stream"]]["unit"] if kind == "flow" else None) or "t"
    if kind == "flow":
        _same_kind(unit, streams[row["stream"]])
    multiplier = 1.0 if row["multiplier"] is None else row["multiplier"]
    if multiplier <= 0 or row["rollover"] == 0:
        raise Refused("multiplier", multiplier, "multiplier and rollover are above 0", "correct it")
    return Meter(
        id=row["id"], stream=row["stream"], kind=kind, element=row["element"] or "", unit=unit,
        multiplier=multiplier, rollover=row["rollover"],
        sd_relative=row["sd_relative"] or 0.0, sd_absolute=row["sd_absolute"] or 0.0,
        correlation_group=row["correlation_group"] or "", correlation=row["correlation"] or 0.0,
    )  # fmt: skip


def _same_kind(unit: str, stream: Row) -> None:
    meant = stream["unit"] or ("MWh" if stream["carrier"] == "energy" else "t")
    try:
        same = canonical_unit(unit) == canonical_unit(meant)
    except InputError as error:
        raise Refused("unit", unit, str(error), f"write {meant}") from None
    if not same:
        what = f"the meter measures {unit}, its stream is kept in {meant}"
        raise Refused("unit", unit, what, f"write a unit of the same kind as {meant}")


def _line(row: Row, streams: dict[str, Row]) -> Line:
    energy = tuple((name, s) for name, s, _none in pairs(row["energy_streams"], "energy_streams"))
    named = [("metal_stream", row["metal_stream"]), *(("energy_streams", s) for _b, s in energy)]
    for column, stream in named:
        if stream.removeprefix("-") not in streams:
            what = f"stream {stream!r} is not defined{suggest(stream, streams)}"
            raise Refused(column, stream, what, f"use one of {offered(stream, streams)}")
    return Line(
        id=row["id"], product=row["product"], capacity=row["capacity"],
        metal_stream=row["metal_stream"], energy_streams=energy,
        compliant=row["compliant"] is not False, operating=row["operating"] is not False,
    )  # fmt: skip
