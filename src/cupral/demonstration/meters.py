"""What the meters of the demonstration read, and those readings as rows of the ledger.

A reading is the true value plus an error with the meter's standard uncertainty, of which a
share is systematic: drawn once for the meter (or for its calibration campaign) and kept, the
rest is drawn anew each month. This is the model by which the ledger's correlation columns
are read.
"""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa

from cupral.demonstration.calendar import MONTHS, Vector
from cupral.demonstration.faults import FAULTS, Fault, distorted
from cupral.demonstration.sketch import Plant
from cupral.demonstration.truth import Truth
from cupral.ledger.flow import NOUNS, SCHEMAS
from cupral.ledger.period import Period
from cupral.ledger.registers import Meter, Network, Stream

PERIODS = tuple(Period.month(month) for month in MONTHS)
BOUNDARIES: tuple[datetime, ...] = (*(p.start for p in PERIODS), PERIODS[-1].end)
"""Instants of the stocktakes."""

Readings = Mapping[str, Vector]
"""By meter id: (months,), or (months + 1,) for a stocktake."""


def readings(
    known: Truth, faults: Sequence[Fault] = FAULTS, seed: int | None = None
) -> dict[str, Vector]:
    """What every meter of the province reads.

    Parameters
    ----------
    faults : what is wrong with which meters
    seed : of the meter errors, that of the truth unless given

    Examples
    --------
    >>> from cupral.demonstration.truth import truth
    >>> len(readings(truth())["al-yt-1.AC-2.rectifier"])
    22
    """
    base = known.seed if seed is None else seed
    wrong = {fault.meter: fault for fault in faults}
    read = {}
    for plant in known.plants:
        for meter in plant.network.meters:
            sound = _sound(base, meter, true_values(plant, meter))
            fault = wrong.get(meter.id)
            read[meter.id] = distorted(fault, sound) if fault else sound
    return read


def true_values(plant: Plant, meter: Meter) -> Vector:
    """What a perfect meter would read."""
    if meter.kind == "stocktake":
        return plant.stocks[meter.stream]
    if meter.kind == "assay":
        return plant.fractions[meter.stream, meter.element]
    return plant.amounts[meter.stream]


def _sound(seed: int, meter: Meter, true: Vector) -> Vector:
    group = meter.correlation_group or f"meter:{meter.id}"
    common = _stream_of(seed, group).standard_normal()
    own = _stream_of(seed, f"{meter.id}#months").standard_normal(len(true))
    error = np.sqrt(meter.correlation) * common + np.sqrt(1.0 - meter.correlation) * own
    read: Vector = true + uncertainty(meter, true) * error
    return read


def _stream_of(seed: int, name: str) -> np.random.Generator:
    """Random numbers that belong to a name, whatever else exists."""
    return np.random.default_rng([seed, zlib.crc32(name.encode())])


def uncertainty(meter: Meter, values: Vector) -> Vector:
    """Standard uncertainty of a meter at some values, same unit."""
    return np.hypot(meter.sd_relative * np.abs(values), meter.sd_absolute)


@dataclass(frozen=True, slots=True)
class MeterFile:
    """The measured rows of some sites and months, table by table."""

    flows: pa.Table
    assays: pa.Table
    stocktakes: pa.Table


def meter_files(known: Truth, read: Readings) -> dict[int, MeterFile]:
    """All measured rows, month by month (YYYYMM); opening stocks are in the first month."""
    columns = {name: _columns(known, read, name) for name in NOUNS}
    return {
        month: MeterFile(**{name: _month(columns[name], month) for name in NOUNS})
        for month in MONTHS
    }


def _columns(known: Truth, read: Readings, table: str) -> pa.Table:
    """Rows of one table for all sites and months, with the month they are filed in."""
    kind = {"flows": "flow", "assays": "assay", "stocktakes": "stocktake"}[table]
    chosen = [
        (plant, meter) for plant in known.plants for meter in plant.network.meters
        if meter.kind == kind
    ]  # fmt: skip
    nouns = [NOUN_COLUMNS[table](plant, meter) for plant, meter in chosen]
    length = len(BOUNDARIES) if table == "stocktakes" else len(MONTHS)
    text = {name: np.repeat([n[name] for n in nouns], length) for name in nouns[0]}
    values = np.concatenate([read[meter.id] for _, meter in chosen])
    spread = np.concatenate([uncertainty(meter, read[meter.id]) for _, meter in chosen])
    times = _times(table, len(chosen))
    amount = {"fraction" if table == "assays" else "amount": values, "sd": spread}
    columns: dict[str, Any] = {**text, **times, **amount}
    columns["origin"] = np.repeat(["measured"], len(values))
    columns["demonstration"] = np.full(len(values), True)
    columns["detection_limit"] = pa.nulls(len(values), pa.float64())
    schema = SCHEMAS[table]
    names = [name for name in schema.names if name in columns]
    return pa.table(
        {name: pa.array(columns[name], schema.field(name).type) for name in names}
        | {"filed": pa.array(columns["filed"])}
    )


def _times(table: str, meters: int) -> dict[str, Any]:
    if table == "stocktakes":
        filed = [MONTHS[0], *MONTHS]
        return {"instant": np.tile(np.array(BOUNDARIES, "datetime64[us]"), meters),
                "filed": np.tile(filed, meters)}  # fmt: skip
    starts = np.array([period.start for period in PERIODS], "datetime64[us]")
    ends = np.array([period.end for period in PERIODS], "datetime64[us]")
    return {"start": np.tile(starts, meters), "end": np.tile(ends, meters),
            "filed": np.tile(MONTHS, meters)}  # fmt: skip


def _month(rows: pa.Table, month: int) -> pa.Table:
    mine = rows.filter(pa.array(rows["filed"].to_numpy() == month))
    return mine.drop_columns(["filed"])


def _shared(plant: Plant, meter: Meter) -> dict[str, Any]:
    return {
        "site": plant.site.id, "meter": meter.id, "correlation_group": meter.correlation_group,
        "correlation": meter.correlation, "lineage": "",
    }  # fmt: skip


def _stream(network: Network, meter: Meter) -> Stream:
    return network.stream(meter.stream)


def _flow(plant: Plant, meter: Meter) -> dict[str, Any]:
    stream = _stream(plant.network, meter)
    return {
        **_shared(plant, meter), "stream": stream.id, "source": stream.source,
        "target": stream.target, "material": stream.material, "unit": stream.unit,
    }  # fmt: skip


def _assay(plant: Plant, meter: Meter) -> dict[str, Any]:
    stream = _stream(plant.network, meter)
    return {
        **_shared(plant, meter), "stream": stream.id, "material": stream.material,
        "element": meter.element, "basis": "dry",
    }  # fmt: skip


def _stocktake(plant: Plant, meter: Meter) -> dict[str, Any]:
    material = plant.materials[meter.stream]
    return {
        **_shared(plant, meter), "process": meter.stream, "material": material, "unit": meter.unit,
    }  # fmt: skip


NOUN_COLUMNS = {"flows": _flow, "assays": _assay, "stocktakes": _stocktake}
"""The text columns of a meter's rows."""
