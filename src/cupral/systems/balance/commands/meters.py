"""Import of meter files: amounts of a period, or opening and closing values of a counter."""

import math
from collections.abc import Sequence
from functools import partial

from cupral.ledger.errors import Fault, InputError
from cupral.ledger.flow import Flow, Origin
from cupral.ledger.ledger import Ledger
from cupral.ledger.quantity import canonical_unit, factor
from cupral.ledger.registers import Meter, Network, Stream
from cupral.ledger.template import Column, Reading, Row, Template
from cupral.system import command
from cupral.systems.balance.commands.intake import Intake, take
from cupral.systems.balance.commands.report import ImportReport
from cupral.systems.balance.commands.rows import (
    Entry,
    Refused,
    meter_of,
    overlaps,
    span_of_row,
    successive,
)

PERIOD = Column(
    name="period", aliases=("期间", "月份", "日期", "day", "month", "date"), kind="period",
    description_zh="自然期间；或填起止时间", description_en="calendar period, or use start and end",
    example="2026-03",
)  # fmt: skip
START = Column(
    name="start", aliases=("开始时间", "起", "起始", "from", "begin"), kind="date",
    description_zh="开始（厂内时间 UTC+8）", description_en="start, plant time (UTC+8)",
    example="2026-03-01 00:00",
)  # fmt: skip
END = Column(
    name="end", aliases=("结束时间", "止", "截止", "to", "until"), kind="date",
    description_zh="结束（不含）", description_en="end of the period, excluded",
    example="2026-04-01 00:00",
)  # fmt: skip
NOTE = Column(
    name="note", aliases=("备注", "remark", "comment"),
    description_zh="备注", description_en="free text",
)  # fmt: skip

METERS = Template(
    "meters",
    "计量数据 meter readings",
    (
        Column(
            name="meter", aliases=("计量点", "表号", "计量器具", "meter id", "tag"), required=True,
            description_zh="网络中定义的计量点编号",
            description_en="id of the meter in the network",
            example="FT-101",
        ),
        PERIOD,
        START,
        END,
        Column(
            name="amount", aliases=("数量", "读数", "用量", "产量", "reading", "value", "quantity"),
            kind="number", minimum=0,
            description_zh="该期间的数量", description_en="amount of the period", example="1234.5",
        ),
        Column(
            name="opening",
            aliases=("期初表底", "期初读数", "起码", "opening register", "previous"),
            kind="number", minimum=0,
            description_zh="累计表期初示数",
            description_en="counter at the start", example="998800",
        ),
        Column(
            name="closing", aliases=("期末表底", "期末读数", "止码", "closing register", "current"),
            kind="number", minimum=0,
            description_zh="累计表期末示数", description_en="counter at the end", example="1200",
        ),
        Column(
            name="rollovers", aliases=("翻转次数", "过零次数"), kind="number", minimum=0,
            description_zh="累计表在期间内过零的次数（0 或 1；不填则自动判断）",
            description_en="how often it passed zero (0 or 1; empty: found from the values)",
            example="1",
        ),
        Column(
            name="replaced", aliases=("换表", "meter replaced", "reset"), kind="flag",
            description_zh="本行开始前换表或清零",
            description_en="meter replaced or reset before this row",
            example="no",
        ),
        Column(
            name="unit", aliases=("单位", "计量单位"), kind="unit",
            description_zh="单位；不填则用计量点的单位",
            description_en="unit; empty: that of the meter",
            example="kWh",
        ),
        NOTE,
    ),
)  # fmt: skip
"""Columns of a meter file."""
PRIOR = "prior:"
"""A meter whose id begins so is an estimate where nothing is measured; its rows are 'modelled'."""


@command
def import_meters(
    ledger: Ledger,
    *,
    author: str,
    site: str,
    content: bytes,
    filename: str,
    dry_run: bool = False,
    correct: bool = False,
    accept_good_rows: bool = False,
    accept_gaps: bool = False,
) -> ImportReport:
    """Import a file of meter readings (CSV or XLSX) into the ledger.

    Parameters
    ----------
    author : str
        Who imports.
    site : str
        Site whose network defines the meters.
    content : bytes
        The file, at most 20 MB.
    filename : str
        Its name, ending in .csv or .xlsx.
    dry_run : bool
        Check and report only.
    correct : bool
        Replace values that are posted for the same meter and time (by counter-rows).
    accept_good_rows : bool
        Post the good rows although others are faulty.
    accept_gaps : bool
        Take rows of one meter with unmeasured time between them.

    Returns
    -------
    ImportReport
        With status 'posted', 'already' or 'dry run'.

    Raises
    ------
    RowFaults
        If the file is faulty; each fault names row, column and cure, nothing is posted.
    """
    intake = Intake(
        table="flows", site=site, author=author, filename=filename,
        dry_run=dry_run, correct=correct, accept_good_rows=accept_good_rows,
    )  # fmt: skip
    checks = (overlaps, partial(_gaps, accepted=accept_gaps), _registers, _certain)
    return take(ledger, intake, content, METERS, _flow, checks)


def _flow(ledger: Ledger, network: Network, row: Row, reading: Reading, source: str) -> Flow:
    meter = meter_of(ledger, network, row["meter"], "flow")
    stream = network.stream(meter.stream)
    start, end = span_of_row(row)
    amount, unit = _amount(meter, stream, row, reading)
    into = canonical_unit(unit)
    scale, absolute = factor(unit, into), meter.sd_absolute * factor(meter.unit, into)
    return Flow(
        site=network.site,
        stream=stream.id,
        source=stream.source,
        target=stream.target,
        material=stream.material,
        amount=amount * scale,
        unit=into,
        start=start,
        end=end,
        origin=str(Origin.MODELLED if meter.id.startswith(PRIOR) else Origin.MEASURED),
        sd=math.hypot(meter.sd_relative * amount * scale, absolute),
        meter=meter.id,
        correlation_group=meter.correlation_group,
        correlation=meter.correlation,
        demonstration=network.demonstration,
        lineage=source,
    )


def _amount(meter: Meter, stream: Stream, row: Row, reading: Reading) -> tuple[float, str]:
    unit = _unit(meter, stream, row, reading)
    counted = row["opening"] is not None or row["closing"] is not None
    if meter.rollover is None:
        if counted:
            what = f"{meter.id} gives amounts of a period, it is not a counter"
            cure = "fill the amount column, or give the meter a rollover in the network"
            raise Refused("opening", row["opening"], what, cure)
        if row["amount"] is None:
            raise Refused("amount", "", "the amount is empty", "write the amount of the period")
        return row["amount"] * meter.multiplier, unit
    if row["amount"] is not None:
        what = f"{meter.id} is a counter; an amount does not say which register values it is from"
        raise Refused("amount", row["amount"], what, "fill opening and closing, leave amount empty")
    return _counts(meter, row) * meter.multiplier, unit


def _counts(meter: Meter, row: Row) -> float:
    top = meter.rollover or 0.0
    for name in ("opening", "closing"):
        if row[name] is None:
            what, cure = f"the {name} value of counter {meter.id} is empty", "write both values"
            raise Refused(name, "", what, cure)
        if row[name] >= top:
            what = f"counter {meter.id} starts again at {top:g} and cannot show this"
            raise Refused(name, row[name], what, "check the digits, or the meter's rollover")
    turns = 1.0 if row["closing"] < row["opening"] else 0.0
    _turns(meter, row, turns)
    return float(row["closing"] - row["opening"] + turns * top)


def _turns(meter: Meter, row: Row, turns: float) -> None:
    stated = row["rollovers"]
    if stated is not None and stated > 1:
        what = f"counter {meter.id} passed zero {stated:g} times; two readings cannot show that"
        raise Refused("rollovers", stated, what, "read the counter more often and give more rows")
    if stated is not None and stated < turns:
        what = f"counter {meter.id} runs backwards ({row['opening']:g} to {row['closing']:g})"
        cure = "swap opening and closing, write rollovers 1 if it passed zero, or mark `replaced`"
        raise Refused("closing", row["closing"], what, cure)
    if stated is not None and stated > turns:
        what = f"counter {meter.id} cannot have passed zero: it closes above its opening"
        raise Refused("rollovers", stated, what, "write 0 or leave the cell empty")
    if turns and stated is None and _counts_back(meter, row):
        what = f"counter {meter.id} runs backwards ({row['opening']:g} to {row['closing']:g})"
        cure = f"correct the values; if it really passed {meter.rollover:g}, write rollovers 1"
        raise Refused("closing", row["closing"], what, cure)


def _counts_back(meter: Meter, row: Row) -> bool:
    """A silent rollover is believed only if it is less than half a turn."""
    return bool(row["opening"] - row["closing"] < 0.5 * (meter.rollover or 0.0))


def _unit(meter: Meter, stream: Stream, row: Row, reading: Reading) -> str:
    heads = {reading.units[n] for n in ("amount", "opening", "closing") if n in reading.units}
    stated = {unit for unit in (row["unit"], *heads) if unit}
    if not stated:
        return meter.unit
    if len(stated) > 1:
        what = f"the header and the unit column give different units ({', '.join(sorted(stated))})"
        raise Refused("unit", row["unit"], what, "give the unit in one place")
    unit: str = stated.pop()
    try:
        factor(unit, stream.unit)
        same = factor(unit, meter.unit) == 1.0
    except InputError as error:
        what = f"{meter.id} measures in {meter.unit}: {error}"
        raise Refused(
            "unit", unit, what, f"write {meter.unit} or a unit of the same kind"
        ) from None
    if not same and (meter.multiplier != 1.0 or meter.rollover is not None):
        what = (
            f"{meter.id} counts {meter.multiplier:g} {meter.unit} a step; a unit contradicts that"
        )
        raise Refused("unit", unit, what, f"leave the unit empty (or {meter.unit}) and give counts")
    return unit


def _gaps(entries: Sequence[Entry], *, accepted: bool) -> tuple[list[Fault], list[Fault]]:
    found = []
    for first, second in successive(entries):
        if isinstance(first.noun, Flow) and isinstance(second.noun, Flow):
            (end, start) = first.noun.end, second.noun.start
            if end < start:
                what = (
                    f"{first.noun.meter} has no row from {end} (row {first.row.number}) to {start}"
                )
                cure = (
                    "add the missing row, or, if nothing was measured, import with"
                    " `accept_gaps` (command line: --accept-gaps)"
                )
                found.append(Fault(second.row.number, "start", f"{start}", what, cure))
    return ([], found) if accepted else (found, [])


def _registers(entries: Sequence[Entry]) -> tuple[list[Fault], list[Fault]]:
    """A counter opens where it closed, unless it was replaced."""
    faults = []
    for first, second in successive(entries):
        closing, opening = first.row["closing"], second.row["opening"]
        if closing is None or opening is None or second.row["replaced"] or closing == opening:
            continue
        what = (
            f"{second.noun.meter} opens at {opening:g} but closed at {closing:g}"
            f" in row {first.row.number}"
        )
        cure = "correct one of them, or write yes under `replaced` if the meter was changed"
        faults.append(Fault(second.row.number, "opening", f"{opening:g}", what, cure))
    return faults, []


def _certain(entries: Sequence[Entry]) -> tuple[list[Fault], list[Fault]]:
    """Zero read by a meter whose uncertainty is only relative would count as exact."""
    return [], [
        Fault(
            entry.row.number,
            "amount",
            "0",
            f"{entry.noun.meter} has a relative uncertainty only, so this zero counts as exact",
            "give the meter an sd_absolute in the network",
        )
        for entry in entries
        if entry.noun.sd == 0
    ]
