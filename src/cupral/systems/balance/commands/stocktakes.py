"""Import of stocktakes: how much lay in a process at an instant."""

import math

from cupral.ledger.errors import InputError
from cupral.ledger.flow import Origin, Stocktake
from cupral.ledger.ledger import Ledger
from cupral.ledger.quantity import canonical_unit, factor
from cupral.ledger.registers import Meter, Network
from cupral.ledger.template import Column, Reading, Row, Template, suggest
from cupral.system import command
from cupral.systems.balance.commands.intake import Intake, take
from cupral.systems.balance.commands.meters import NOTE
from cupral.systems.balance.commands.report import ImportReport
from cupral.systems.balance.commands.rows import (
    Refused,
    meter_of,
    offered,
    overlaps,
)

STOCKTAKES = Template(
    "stocktakes",
    "盘点数据 stocktakes",
    (
        Column(
            name="meter", aliases=("盘点点", "计量点", "meter id", "tag"),
            description_zh="网络中定义的盘点编号；或填工序",
            description_en="id of the stocktake meter in the network; or use process",
            example="ST-ANODE",
        ),
        Column(
            name="process", aliases=("工序", "库", "stock", "store"),
            description_zh="工序编号", description_en="id of the process", example="anode_store",
        ),
        Column(
            name="material", aliases=("物料", "品名"),
            description_zh="物料；不填则取进入该工序的物流",
            description_en="material; empty: that of the stream that enters", example="anode",
        ),
        Column(
            name="instant", aliases=("盘点时间", "时间", "time", "date"), kind="date",
            required=True,
            description_zh="盘点时刻", description_en="time of the stocktake, plant time (UTC+8)",
            example="2026-04-01 00:00",
        ),
        Column(
            name="amount", aliases=("数量", "库存", "value", "quantity"), kind="number", minimum=0,
            required=True, description_zh="库存量", description_en="amount in stock",
            example="1250",
        ),
        Column(
            name="unit", aliases=("单位", "计量单位"), kind="unit",
            description_zh="单位", description_en="unit; empty: that of the meter", example="t",
        ),
        NOTE,
    ),
)  # fmt: skip
"""Columns of a stocktake file."""


@command
def import_stocktakes(
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
    """Import a file of stocktakes (CSV or XLSX) into the ledger.

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
        table="stocktakes", site=site, author=author, filename=filename,
        dry_run=dry_run, correct=correct, accept_good_rows=accept_good_rows,
    )  # fmt: skip
    return take(ledger, intake, content, STOCKTAKES, _stocktake, (overlaps,))


def _stocktake(
    ledger: Ledger, network: Network, row: Row, reading: Reading, source: str
) -> Stocktake:
    meter = _meter(ledger, network, row)
    unit = row["unit"] or reading.units.get("amount") or meter.unit
    try:
        into = canonical_unit(meter.unit)
        scale = factor(unit, into)
    except InputError as error:
        what = f"{meter.id} measures in {meter.unit}: {error}"
        raise Refused(
            "unit", unit, what, f"write {meter.unit} or a unit of the same kind"
        ) from None
    amount = row["amount"] * scale
    return Stocktake(
        site=network.site,
        process=meter.stream,
        material=row["material"] or _material(network, meter.stream),
        amount=amount,
        unit=into,
        instant=row["instant"],
        origin=str(Origin.MEASURED),
        sd=math.hypot(meter.sd_relative * amount, meter.sd_absolute * factor(meter.unit, into)),
        meter=meter.id,
        correlation_group=meter.correlation_group,
        correlation=meter.correlation,
        demonstration=network.demonstration,
        lineage=source,
    )


def _meter(ledger: Ledger, network: Network, row: Row) -> Meter:
    if row["meter"]:
        return meter_of(ledger, network, row["meter"], "stocktake")
    meters = [meter for meter in network.meters if meter.kind == "stocktake"]
    found = [meter for meter in meters if meter.stream == row["process"]]
    if len(found) == 1:
        return found[0]
    known = sorted({meter.stream for meter in meters})
    if found:
        what, cure = "the process has several stocktake meters", "write the one you mean as meter"
    else:
        what = f"no stocktake meter stands on process {row['process']!r}"
        what += suggest(row["process"] or "", known)
        cure = f"use one of {offered(row['process'] or '', known)}, or add it to the network"
    raise Refused("process", row["process"], what, cure)


def _material(network: Network, process: str) -> str:
    entering = {stream.material for stream in network.streams if stream.target == process}
    if len(entering) == 1:
        return entering.pop()
    what = f"{len(entering)} materials enter {process}, so the material must be named"
    raise Refused("material", "", what, f"write one of {', '.join(sorted(entering))}")
