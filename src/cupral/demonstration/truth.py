"""What really happened in the demonstration province, and whether it balances.

Only the story and the report read this; no system of Cupral does.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cupral.demonstration.calendar import MONTHS
from cupral.demonstration.province import SEED, plants
from cupral.demonstration.sketch import Plant

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
