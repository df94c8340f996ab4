"""Closure: how far the balances of a true plant are from closing."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from cupral.demonstration.calendar import Vector
from cupral.demonstration.sketch import Plant
from cupral.ledger.registers import Process, Stream


@dataclass(frozen=True, slots=True)
class Closure:
    """How far one balance of one process is from closing, relative to what passes through."""

    site: str
    process: str
    balance: str
    relative: float


def closures(plant: Plant) -> Iterator[Closure]:
    """Every balance that the network demands, checked on the truth."""
    for process in plant.network.processes:
        for balance in process.balances:
            sides = _sides(plant, process, balance)
            through = np.sum(np.abs(sides), axis=0)
            rest = np.abs(np.sum(sides, axis=0)) / through
            yield Closure(plant.site.id, process.id, balance, float(rest.max()))


def _sides(plant: Plant, process: Process, balance: str) -> Sequence[Vector]:
    sides = [
        _carried(plant, stream, balance) * (1.0 if stream.target == process.id else -1.0)
        for stream in plant.network.streams
        if process.id in (stream.source, stream.target) and _counts(stream, balance)
    ]
    if process.kind == "stock":
        sides.append(-np.diff(plant.stocks[process.id]))
    return sides


def _counts(stream: Stream, balance: str) -> bool:
    return stream.carrier == ("energy" if balance == "energy" else "mass")


def _carried(plant: Plant, stream: Stream, balance: str) -> Vector:
    amount = plant.amounts[stream.id]
    if balance in ("mass", "energy"):
        return amount
    return amount * plant.fractions[stream.id, balance]
