"""What really happened in the demonstration province, and whether it balances.

Only the story and the report read this; no system of Cupral does.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cupral.demonstration.calendar import MONTHS, Vector
from cupral.demonstration.province import SEED, plants
from cupral.demonstration.sketch import Plant
from cupral.ledger.registers import Process, Stream

FILE = "truth.json"
"""Where a built ledger's folder keeps the truth."""


@dataclass(frozen=True, slots=True)
class Truth:
    """All true amounts, compositions and stocks, site by site."""

    seed: int
    plants: tuple[Plant, ...]

    def plant(self, site: str) -> Plant:
        """The plant of a site."""
        return next(plant for plant in self.plants if plant.site.id == site)


def truth(seed: int = SEED) -> Truth:
    """The truth of one seed; the same seed gives the same numbers, bit for bit.

    Examples
    --------
    >>> truth().plant("al-bz-1").site.city
    '滨州市'
    """
    return Truth(seed, plants(seed))


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


def consumption(plant: Plant, line: int, boundary: str, first: int, last: int) -> float:
    """True energy of a line per tonne over months first..last (YYYYMM) [MWh/t]."""
    window = slice(MONTHS.index(first), MONTHS.index(last) + 1)
    chosen = plant.site.lines[line]
    energy = sum(
        sign * plant.amounts[stream][window].sum() for sign, stream in chosen.energy(boundary)
    )
    return float(energy / plant.amounts[chosen.metal_stream][window].sum())


def save(known: Truth, faults: Sequence[dict[str, Any]], folder: Path) -> Path:
    """Keep the seed and the planted faults, from which the whole truth follows."""
    path = folder / FILE
    content = {"seed": known.seed, "demonstration": True, "faults": list(faults)}
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")
    return path


def load(folder: Path) -> tuple[Truth, list[dict[str, Any]]]:
    """The truth and faults kept in a folder."""
    content = json.loads((folder / FILE).read_text(encoding="utf-8"))
    return truth(content["seed"]), content["faults"]
