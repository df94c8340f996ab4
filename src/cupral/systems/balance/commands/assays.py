"""Import of laboratory files: mass fractions of elements, with limits of detection."""

import math
from collections.abc import Sequence

from cupral.ledger.errors import Fault
from cupral.ledger.flow import Assay, Origin
from cupral.ledger.ledger import Ledger
from cupral.ledger.registers import Meter, Network
from cupral.ledger.template import Below, Column, Reading, Row, Template, suggest
from cupral.system import command
from cupral.systems.balance.commands.intake import Intake, take
from cupral.systems.balance.commands.meters import END, NOTE, PERIOD, START
from cupral.systems.balance.commands.report import ImportReport
from cupral.systems.balance.commands.rows import (
    Entry,
    Refused,
    meter_of,
    offered,
    overlaps,
    span_of_row,
)

FRACTIONS = {
    "%": 1e-2, "wt%": 1e-2, "ppm": 1e-6, "ppb": 1e-9, "g/t": 1e-6, "mg/kg": 1e-6, "g/kg": 1e-3,
    "kg/t": 1e-3, "kg/kg": 1.0, "1": 1.0,
}  # fmt: skip
"""Mass fraction that one of each unit is [kg/kg]."""

ASSAYS = Template(
    "assays",
    "化验数据 assays",
    (
        Column(
            name="meter", aliases=("化验项目", "化验点", "meter id", "tag"),
            description_zh="网络中定义的化验点编号；或填物流和元素",
            description_en="id of the assay meter in the network; or use stream and element",
            example="LAB-CONC-CU",
        ),
        Column(
            name="stream", aliases=("物流", "样品", "sample"),
            description_zh="物流编号", description_en="id of the stream", example="concentrate",
        ),
        Column(
            name="element", aliases=("元素", "组分", "species", "analyte"),
            description_zh="元素或组分", description_en="element or species", example="Cu",
        ),
        PERIOD,
        START,
        END,
        Column(
            name="value", aliases=("含量", "品位", "结果", "result", "grade"), kind="censored",
            required=True, minimum=0,
            description_zh="含量；低于检出限写 <限值",
            description_en="content; below detection: <limit",
            example="28.7",
        ),
        Column(
            name="unit", aliases=("单位",), kind="choice", allowed=tuple(FRACTIONS),
            description_zh="单位", description_en="unit of the content", example="%",
        ),
        Column(
            name="basis", aliases=("基准", "干湿基"), kind="choice", allowed=("dry", "wet"),
            description_zh="干基或湿基", description_en="dry or wet basis", example="dry",
        ),
        NOTE,
    ),
)  # fmt: skip
"""Columns of a laboratory file."""


@command
def import_assays(
    ledger: Ledger,
    *,
    author: str,
    site: str,
    content: bytes,
    filename: str,
    dry_run: bool = False,
    correct: bool = False,
    accept_good_rows: bool = False,
) -> ImportReport:
    """Import a file of assays (CSV or XLSX) into the ledger.

    A value '<limit' becomes half the limit with the sd of a rectangular distribution,
    limit/sqrt(12) (GUM 4.3.7), and keeps the limit.

    Parameters
    ----------
    author, site, content, filename, dry_run, correct, accept_good_rows
        As in `import_meters`.

    Raises
    ------
    RowFaults
        If the file is faulty; each fault names row, column and cure, nothing is posted.
    """
    intake = Intake(
        table="assays", site=site, author=author, filename=filename,
        dry_run=dry_run, correct=correct, accept_good_rows=accept_good_rows,
    )  # fmt: skip
    return take(ledger, intake, content, ASSAYS, _assay, (overlaps, _whole))


def _assay(ledger: Ledger, network: Network, row: Row, reading: Reading, source: str) -> Assay:
    meter = _meter(ledger, network, row)
    stream = network.stream(meter.stream)
    start, end = span_of_row(row)
    fraction, sd, limit = _fraction(meter, row, _scale(row, reading))
    return Assay(
        site=network.site,
        stream=stream.id,
        material=stream.material,
        element=meter.element,
        fraction=fraction,
        start=start,
        end=end,
        origin=str(Origin.MEASURED),
        sd=sd,
        basis=row["basis"] or "dry",
        detection_limit=limit,
        meter=meter.id,
        correlation_group=meter.correlation_group,
        correlation=meter.correlation,
        demonstration=network.demonstration,
        lineage=source,
    )


def _meter(ledger: Ledger, network: Network, row: Row) -> Meter:
    if row["meter"]:
        meter = meter_of(ledger, network, row["meter"], "assay")
        for column, said in (("stream", meter.stream), ("element", meter.element)):
            if row[column] and row[column] != said:
                what = f"assay meter {meter.id} is for {column} {said}, the row says otherwise"
                raise Refused(column, row[column], what, f"write {said} or leave the cell empty")
        return meter
    for column in ("stream", "element"):
        if not row[column]:
            what, cure = (
                f"there is no meter and no {column}",
                "write the meter, or stream and element",
            )
            raise Refused(column, "", what, cure)
    return _found(network, row["stream"], row["element"])


def _found(network: Network, stream: str, element: str) -> Meter:
    assays = [meter for meter in network.meters if meter.kind == "assay"]
    here = [meter for meter in assays if meter.stream == stream]
    if not here:
        known = sorted({meter.stream for meter in assays})
        what = f"no assay meter stands on stream {stream!r}{suggest(stream, known)}"
        raise Refused("stream", stream, what, f"use one of {offered(stream, known)}")
    found = [meter for meter in here if meter.element == element]
    if not found:
        known = [meter.element for meter in here]
        what = f"stream {stream!r} has no assay meter for {element!r}"
        raise Refused("element", element, what, f"use one of {', '.join(known)}, or add a meter")
    if len(found) > 1:
        names = ", ".join(meter.id for meter in found)
        what = f"several assay meters measure {element} of {stream}"
        raise Refused("element", element, what, f"write one of {names} in the meter column")
    return found[0]


def _scale(row: Row, reading: Reading) -> float:
    head = reading.units.get("value", "")
    if head and row["unit"] and head != row["unit"]:
        what = f"the header says {head}, the row {row['unit']}"
        raise Refused("unit", row["unit"], what, "give the unit in one place")
    unit = row["unit"] or head
    if unit not in FRACTIONS:
        what = f"the unit of the content is {'not known' if unit else 'not given'}"
        raise Refused("unit", unit, what, f"write one of {', '.join(FRACTIONS)}")
    return FRACTIONS[unit]


def _fraction(meter: Meter, row: Row, scale: float) -> tuple[float, float, float | None]:
    value = row["value"]
    if isinstance(value, Below):
        limit = value.limit * scale
        return limit / 2, limit / math.sqrt(12), limit
    fraction = value * scale
    if fraction > 1:
        what = f"{meter.element} would be {fraction:.1%} of the material"
        raise Refused("value", value, what, "check the value and its unit")
    return fraction, math.hypot(meter.sd_relative * fraction, meter.sd_absolute), None


def _whole(entries: Sequence[Entry]) -> tuple[list[Fault], list[Fault]]:
    """Elements of one stream and time cannot exceed the whole (oxides and elements overlap)."""
    faults: list[Fault] = []
    sums: dict[tuple[object, ...], float] = {}
    for entry in entries:
        noun = entry.noun
        if isinstance(noun, Assay) and noun.element.isalpha():
            key = (noun.stream, noun.start, noun.end, noun.basis)
            sums[key] = sums.get(key, 0.0) + noun.fraction
            if sums[key] > 1.02 >= sums[key] - noun.fraction:
                what = f"the elements of {noun.stream} add up to {sums[key]:.1%}"
                cure = "check units and values of this stream"
                faults.append(Fault(entry.row.number, "value", "", what, cure))
    return faults, []
