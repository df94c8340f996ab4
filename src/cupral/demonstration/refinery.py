"""An alumina refinery: bauxite to alumina, red mud, electricity and fuels."""

from cupral.demonstration.calendar import Vector, between, wobble
from cupral.demonstration.parameters import value
from cupral.demonstration.power import Load, supply
from cupral.demonstration.sketch import Sketch

ALUMINA_RECOVERY = 0.86
"""Share of the bauxite's aluminium that becomes alumina [1]; made up."""
COAL_MJ_PER_T, GAS_MJ_PER_M3 = 20908.0, 35.6
"""Heating values that turn the inventory's MJ into amounts."""


def refinery(sketch: Sketch, alumina: Vector) -> None:
    """Build a refinery that makes this alumina (months,) [t].

    Examples
    --------
    >>> import numpy as np
    >>> sketch = Sketch("x", np.random.default_rng(1))
    >>> refinery(sketch, np.full(22, 1e6))
    >>> 2.1 < float(sketch.amounts["BAUXITE"].mean() / 1e6) < 2.9
    True
    """
    fraction = value("alumina_feed")["aluminium_fraction"]
    unit = value("refining")
    bauxite = alumina * wobble(
        sketch.rng, between(sketch.rng, unit["bauxite_low"], unit["bauxite_high"]), 0.01
    )
    grade = alumina * fraction / (bauxite * wobble(sketch.rng, ALUMINA_RECOVERY, 0.004))
    loss, mud = 0.002 * alumina * fraction, 1.15 * alumina
    sketch.unit("digestion", "拜耳法系统|Bayer circuit", "Al")
    left = bauxite * grade - alumina * fraction - loss
    sketch.flow("BAUXITE", "铝土矿入磨|bauxite milled", "bauxite-yard>digestion", "bauxite",
                bauxite, meter="belt", assays={"Al": grade})  # fmt: skip
    sketch.flow("MUD", "赤泥|red mud", "digestion>outside", "red_mud", mud, meter="ladle",
                assays={"Al": left / mud})  # fmt: skip
    sketch.flow("ALLOSS", "铝损失|aluminium loss", "digestion>outside", "aluminium_loss", loss,
                meter="estimate", known={"Al": (1.0, 0.0)})  # fmt: skip
    sketch.flow("ALUMINA", "氧化铝产出|alumina made", "digestion>alumina-silo", "alumina", alumina,
                meter="belt", known={"Al": (fraction, 0.0)})  # fmt: skip
    _stores(sketch, bauxite, alumina)
    _energy(sketch, alumina)


def _stores(sketch: Sketch, bauxite: Vector, alumina: Vector) -> None:
    change = sketch.store("bauxite-yard", "铝土矿堆场|bauxite yard", "bauxite",
                          float(bauxite.mean()))  # fmt: skip
    sketch.flow("RECEIPTS", "铝土矿进厂|bauxite received", "outside>bauxite-yard", "bauxite",
                bauxite + change, meter="weighbridge")  # fmt: skip
    change = sketch.store("alumina-silo", "氧化铝仓|alumina silo", "alumina",
                          float(alumina.mean()) * 0.2)  # fmt: skip
    sketch.flow("SALES", "氧化铝销售|alumina sales", "alumina-silo>outside", "alumina",
                alumina - change, meter="weighbridge",
                known={"Al": (value("alumina_feed")["aluminium_fraction"], 0.0)})  # fmt: skip


def _energy(sketch: Sketch, alumina: Vector) -> None:
    unit = value("refining")
    electricity = alumina * wobble(sketch.rng, unit["electricity"], 0.01)
    supply(sketch, [
        Load("E-DIG", "溶出用电|digestion electricity", "digestion", 0.7 * electricity,
             "submeter"),
        Load("E-CALC", "焙烧用电|calcination electricity", "digestion", 0.3 * electricity,
             "submeter"),
    ])  # fmt: skip
    coal = alumina * wobble(sketch.rng, unit["coal_MJ"] / COAL_MJ_PER_T, 0.01)
    gas = alumina * wobble(sketch.rng, unit["gas_MJ"] / GAS_MJ_PER_M3, 0.01)
    sketch.flow("COAL", "动力煤|coal", "outside>digestion", "coal", coal, meter="belt",
                carrier="energy")  # fmt: skip
    sketch.flow("NGAS", "焙烧天然气|calcination gas", "outside>digestion", "natural_gas", gas,
                meter="gas_meter", carrier="energy", unit="m3")  # fmt: skip
    sketch.line("alumina", "alumina", float(alumina[:12].sum()) / 0.93, "ALUMINA",
                comprehensive="E-DIG+E-CALC+COAL+NGAS")  # fmt: skip
