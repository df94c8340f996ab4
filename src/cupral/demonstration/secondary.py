"""A secondary copper smelter: scrap to anode to cathode."""

from collections.abc import Mapping

from cupral.demonstration.calendar import Vector, wobble
from cupral.demonstration.parameters import value
from cupral.demonstration.sketch import Sketch
from cupral.demonstration.smelter import carriers
from cupral.demonstration.tankhouse import anodes, tankhouse


def secondary(sketch: Sketch, cathode: Vector, site: Mapping[str, float]) -> None:
    """Build a secondary smelter whose tankhouse makes these cathodes (months,) [t].

    Examples
    --------
    >>> import numpy as np
    >>> sketch = Sketch("x", np.random.default_rng(1))
    >>> secondary(sketch, np.full(22, 2e4), {"energy": 1.0})
    >>> bool((sketch.amounts["CHARGE"] > 2e4).all())
    True
    """
    made = anodes(sketch, cathode)
    scrap_grade = wobble(sketch.rng, 0.945, 0.006)
    slag_grade = wobble(sketch.rng, 0.035, 0.03)
    copper = (made.produced - made.returned) * made.copper
    charge = copper / (scrap_grade - 0.07 * slag_grade)
    sketch.unit("furnace", "精炼炉|scrap anode furnace", "Cu")
    sketch.flow("CHARGE", "入炉废杂铜|scrap charged", "scrap-yard>furnace", "copper_scrap", charge,
                meter="belt", assays={"Cu": scrap_grade})  # fmt: skip
    sketch.flow("SLAG", "精炼渣|refining slag", "furnace>outside", "refining_slag", 0.07 * charge,
                meter="ladle", assays={"Cu": slag_grade})  # fmt: skip
    change = sketch.store("scrap-yard", "废杂铜库|scrap yard", "copper_scrap",
                          float(charge.mean()) * 0.4)  # fmt: skip
    sketch.flow("RECEIPTS", "废杂铜进厂|scrap received", "outside>scrap-yard", "copper_scrap",
                charge + change, meter="weighbridge")  # fmt: skip
    tankhouse(sketch, made, {}, "furnace")
    carriers(sketch, cathode, value("secondary_energy"), site["energy"])
