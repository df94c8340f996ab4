"""Anodes to cathodes: anode yard, tankhouse and cathode yard, the same at every copper smelter."""

from collections.abc import Mapping
from dataclasses import dataclass

from cupral.demonstration.calendar import Vector, wobble
from cupral.demonstration.parameters import value
from cupral.demonstration.sketch import Sketch, zero


@dataclass(frozen=True, slots=True)
class Anodes:
    """What a month's cathodes ask of the anode furnace (months,) [t], and the anodes' copper."""

    cathode: Vector
    charged: Vector
    returned: Vector
    """Anode scrap that goes back to the furnace."""
    produced: Vector
    copper: Vector
    """Mass fraction."""


def anodes(sketch: Sketch, cathode: Vector) -> Anodes:
    """Work back from cathodes to anodes by the copper balance of the tankhouse.

    Examples
    --------
    >>> import numpy as np
    >>> made = anodes(Sketch("x", np.random.default_rng(1)), np.full(22, 1000.0))
    >>> bool((made.charged > 1150).all())
    True
    """
    unit = value("tankhouse")
    copper = wobble(sketch.rng, unit["anode_Cu"], 0.0005)
    back = wobble(sketch.rng, unit["scrap_return"], 0.03)
    leaving = cathode * (unit["cathode_Cu"] + unit["bleed"])
    charged = leaving / ((1.0 - back) * (copper - unit["slimes"] * unit["slimes_Cu"]))
    change = sketch.store("anode-yard", "阳极板库|anode yard", "copper_anode",
                          float(charged.mean()) * 0.25)  # fmt: skip
    return Anodes(cathode, charged, charged * back, charged + change, copper)


def tankhouse(sketch: Sketch, made: Anodes, noble: Mapping[str, Vector], furnace: str) -> None:
    """Add the tankhouse with its streams; `noble` holds the anodes' Au and Ag fractions.

    Parameters
    ----------
    furnace : process that makes anodes and takes back anode scrap
    """
    unit = value("tankhouse")
    none = zero(*noble)
    anode = {"Cu": made.copper, **noble}
    sketch.unit("tankhouse", "电解车间|tankhouse", "Cu", *noble)
    clean = zero("S", "Fe", "SiO2") if noble else {}
    sketch.flow("ANODE", "阳极板产出|anodes cast", f"{furnace}>anode-yard", "copper_anode",
                made.produced, meter="weighbridge", assays=anode, known=clean)  # fmt: skip
    sketch.flow("CHARGED", "入槽阳极|anodes charged", "anode-yard>tankhouse", "copper_anode",
                made.charged, meter="weighbridge", assays=anode)  # fmt: skip
    sketch.flow("SCRAP", "残极返回|anode scrap returned", f"tankhouse>{furnace}", "anode_scrap",
                made.returned, meter="belt", assays=anode, known=clean)  # fmt: skip
    dissolved = made.charged - made.returned
    slimes = dissolved * unit["slimes"]
    rich = {element: fraction * dissolved / slimes for element, fraction in noble.items()}
    copper = wobble(sketch.rng, unit["slimes_Cu"], 0.0)
    sketch.flow("SLIMES", "阳极泥|anode slimes", "tankhouse>outside", "anode_slimes", slimes,
                meter="belt", assays={"Cu": copper, **rich})  # fmt: skip
    sketch.flow("BLEED", "硫酸铜|copper sulphate bled", "tankhouse>outside", "copper_sulphate",
                made.cathode * unit["bleed"] / unit["bleed_Cu"], meter="belt",
                known={"Cu": (unit["bleed_Cu"], 0.0), **none})  # fmt: skip
    _cathodes(sketch, made.cathode, none)


def _cathodes(sketch: Sketch, cathode: Vector, none: Mapping[str, tuple[float, float]]) -> None:
    known = {"Cu": (float(value("tankhouse")["cathode_Cu"]), 0.0), **none}
    sketch.flow("CATHODE", "阴极铜产出|cathodes", "tankhouse>cathode-yard", "cathode_copper",
                cathode, meter="weighbridge", group=f"calibration:{sketch.site}",
                known=known)  # fmt: skip
    change = sketch.store("cathode-yard", "阴极铜库|cathode yard", "cathode_copper",
                          float(cathode.mean()) * 0.15)  # fmt: skip
    sketch.flow("SALES", "阴极铜销售|cathode sales", "cathode-yard>outside", "cathode_copper",
                cathode - change, meter="weighbridge", group=f"calibration:{sketch.site}",
                known=known)  # fmt: skip
