"""A fabricator or remelter: metal in, product and scrap out, some melt loss, stocks."""

from cupral.demonstration.calendar import Vector, wobble
from cupral.demonstration.parameters import value
from cupral.demonstration.power import Load, supply
from cupral.demonstration.sketch import Sketch

FEEDS = {
    "copper_semis": "cathode_copper",
    "aluminium_semis": "primary_aluminium",
    "recycled_aluminium": "aluminium_scrap",
}
"""What each product is made of."""


def semis(sketch: Sketch, product: str, output: Vector) -> None:
    """Build a works that makes this output (months,) [t].

    Examples
    --------
    >>> import numpy as np
    >>> sketch = Sketch("x", np.random.default_rng(1))
    >>> semis(sketch, "copper_semis", np.full(22, 100.0))
    >>> bool((sketch.amounts["CHARGE"] > 106).all())
    True
    """
    unit, feed = value("fabrication")[product], FEEDS[product]
    scrap = output * wobble(sketch.rng, unit["scrap"], 0.02)
    loss = output * wobble(sketch.rng, unit["loss"], 0.05)
    charge = output + scrap + loss
    sketch.unit("works", "加工车间|works", "mass")
    change = sketch.store("metal-yard", "原料库|metal yard", feed, float(charge.mean()) * 0.3)
    sketch.flow("RECEIPTS", "原料进厂|metal received", "outside>metal-yard", feed, charge + change,
                meter="weighbridge")  # fmt: skip
    sketch.flow("CHARGE", "投料|metal charged", "metal-yard>works", feed, charge, meter="crucible")
    sketch.flow("SCRAP", "废料外售|scrap sold", "works>outside", f"{feed}_scrap", scrap,
                meter="weighbridge")  # fmt: skip
    sketch.flow("LOSS", "烧损|melt loss", "works>outside", "melt_loss", loss, meter="estimate")
    sketch.flow("OUTPUT", "成品入库|product", "works>store", product, output, meter="crucible")
    change = sketch.store("store", "成品库|product store", product, float(output.mean()) * 0.25)
    sketch.flow("SALES", "成品销售|product sales", "store>outside", product, output - change,
                meter="weighbridge")  # fmt: skip
    electricity = output * wobble(sketch.rng, unit["electricity"], 0.01)
    supply(sketch, [
        Load("E-MELT", "熔铸用电|melting electricity", "works", 0.4 * electricity, "submeter"),
        Load("E-MILL", "加工用电|mill electricity", "works", 0.6 * electricity, "submeter"),
    ], feeders=1)  # fmt: skip
    sketch.flow("NGAS", "天然气|natural gas", "outside>works", "natural_gas",
                output * wobble(sketch.rng, unit["gas"], 0.01), meter="gas_meter",
                carrier="energy", unit="m3")  # fmt: skip
    sketch.line("works", product, float(output[:12].sum()) / 0.85, "OUTPUT",
                comprehensive="E-MELT+E-MILL+NGAS")  # fmt: skip
