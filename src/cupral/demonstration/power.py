"""The electricity of a site: incoming feeders, a bus, and what is fed from it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cupral.demonstration.calendar import Vector
from cupral.demonstration.sketch import Sketch


@dataclass(frozen=True, slots=True)
class Load:
    """One departure from the bus."""

    id: str
    title: str
    target: str
    amount: Vector
    """(months,) [MWh]."""
    meter: str


def supply(sketch: Sketch, loads: Sequence[Load], feeders: int = 2) -> None:
    """Feed all loads of a site from a bus; every feeder and every load is metered.

    Parameters
    ----------
    loads : departures with their true amounts [MWh]
    feeders : number of incoming grid feeders

    Examples
    --------
    >>> sketch = Sketch("x", np.random.default_rng(1))
    >>> supply(sketch, [Load("L", "负荷|load", "outside", np.ones(22), "submeter")])
    >>> float((sketch.amounts["F-1"] + sketch.amounts["F-2"]).max())
    1.0
    """
    sketch.unit("bus", "变电站母线|substation bus", "energy")
    total = np.sum([load.amount for load in loads], axis=0)
    first = 0.5 + 0.02 * sketch.rng.standard_normal()
    shares = [1.0] if feeders == 1 else [first, *[(1 - first) / (feeders - 1)] * (feeders - 1)]
    parts = [total * share for share in shares[:-1]]
    parts.append(total - np.sum(parts, axis=0) if parts else total)
    for number, part in enumerate(parts, 1):
        sketch.flow(
            f"F-{number}", f"{number}号进线|incoming feeder {number}", "outside>bus",
            "electricity", part, meter="feeder", carrier="energy", unit="MWh",
        )  # fmt: skip
    for load in loads:
        sketch.flow(
            load.id, load.title, f"bus>{load.target}", "electricity", load.amount,
            meter=load.meter, carrier="energy", unit="MWh",
        )  # fmt: skip
