"""An aluminium smelter of any number of potline series, with overlapping meters."""

from collections.abc import Sequence

import numpy as np

from cupral.demonstration.calendar import Vector, between, run, wobble
from cupral.demonstration.parameters import value
from cupral.demonstration.power import Load, supply
from cupral.demonstration.sketch import Sketch, zero


def potline(sketch: Sketch, series: Sequence[tuple[float, str]]) -> None:
    """Build a site with one series for each (capacity [t/a], energy class).

    The energy layer closes at the bus and at each rectifier, the mass layer at the alumina silo,
    at each series' pots (aluminium), at the casthouse and at the ingot yard.

    Examples
    --------
    >>> sketch = Sketch("x", np.random.default_rng(1))
    >>> potline(sketch, [(200000.0, "ordinary")])
    >>> len(sketch.lines), "AC-1" in sketch.amounts
    (1, True)
    """
    growth = value("growth")["primary_aluminium"]
    metal = [
        run(sketch.rng, capacity * between(sketch.rng, 0.965, 0.985), growth, 0.006)
        for capacity, _ in series
    ]
    kinds = [kind for _, kind in series]
    electricity = [
        _series_power(sketch, amount, kind) for amount, kind in zip(metal, kinds, strict=True)
    ]
    total = np.sum(metal, axis=0)
    anodes = [amount * between(sketch.rng, *_pair("electrolysis", "anode_net")) for amount in metal]
    supply(sketch, _loads(electricity, total, np.sum(anodes, axis=0)))
    for number, (ac, loss, _) in enumerate(electricity, 1):
        _rectifier(sketch, number, ac, loss)
    pairs = enumerate(zip(metal, anodes, strict=True), 1)
    _alumina(sketch, [_pots(sketch, number, made, used) for number, (made, used) in pairs])
    _casthouse(sketch, total)
    for number, (capacity, _) in enumerate(series, 1):
        sketch.line(
            f"series-{number}", "primary_aluminium", capacity, f"METAL-{number}",
            liquid_ac=f"AC-{number}", dc=f"DC-{number}",
            liquid_comprehensive_ac=f"AC-{number}+AUX-{number}",
        )  # fmt: skip


def _pair(name: str, item: str) -> tuple[float, float]:
    both = value(name)
    return float(both[f"{item}_low"]), float(both[f"{item}_high"])


def _series_power(sketch: Sketch, metal: Vector, kind: str) -> tuple[Vector, Vector, Vector]:
    """AC, rectifier loss and auxiliary electricity of a series (months,) [MWh]."""
    level = between(sketch.rng, *_pair("electrolysis_power", kind)) / 1000.0
    ac = metal * wobble(sketch.rng, level, 0.0012)
    ac *= level * metal[-12:].sum() / ac[-12:].sum()
    loss = ac * wobble(
        sketch.rng, between(sketch.rng, *_pair("electrolysis_power", "rectifier_loss")), 0.01
    )
    auxiliary = metal * between(sketch.rng, *_pair("electrolysis_power", "auxiliary")) / 1000.0
    return ac, loss, auxiliary


def _loads(
    electricity: Sequence[tuple[Vector, Vector, Vector]], total: Vector, anodes: Vector
) -> list[Load]:
    """Everything fed from the bus of a potline site."""
    unit = value("electrolysis")
    loads = []
    for number, (ac, _, auxiliary) in enumerate(electricity, 1):
        loads += [
            Load(f"AC-{number}", f"{number}系列整流交流电|series {number} rectifier AC",
                 f"rectifier-{number}", ac, "rectifier"),
            Load(f"AUX-{number}", f"{number}系列动力电|series {number} auxiliaries",
                 f"pots-{number}", auxiliary, "submeter"),
        ]  # fmt: skip
    return [
        *loads,
        Load("E-CAST", "铸造用电|casthouse electricity", "casthouse",
             total * unit["casting_electricity"], "submeter"),
        Load("E-ANODE", "阳极用电|anode plant electricity", "anode-yard",
             anodes * unit["anode_plant_electricity"], "submeter"),
    ]  # fmt: skip


def _rectifier(sketch: Sketch, number: int, ac: Vector, loss: Vector) -> None:
    sketch.unit(
        f"rectifier-{number}", f"{number}系列整流所|series {number} rectifier station", "energy"
    )
    sketch.flow(
        f"DC-{number}", f"{number}系列直流电|series {number} DC (kA·V·h)",
        f"rectifier-{number}>pots-{number}", "electricity", ac - loss,
        meter="direct_current", carrier="energy", unit="MWh",
    )  # fmt: skip
    sketch.flow(
        f"RLOSS-{number}", f"{number}系列整流损耗|series {number} rectifier loss (load curve)",
        f"rectifier-{number}>outside", "electricity_loss", loss,
        meter="calculated_loss", carrier="energy", unit="MWh",
    )  # fmt: skip


def _pots(sketch: Sketch, number: int, metal: Vector, anodes: Vector) -> Vector:
    """Pots of a series; returns the alumina they take (months,) [t]."""
    feed = value("alumina_feed")
    sketch.unit(f"pots-{number}", f"{number}系列电解槽|series {number} pots", "Al")
    loss = metal * between(sketch.rng, *_pair("alumina_feed", "loss"))
    sketch.flow(
        f"METAL-{number}", f"{number}系列出铝|series {number} tapped metal (crucibles)",
        f"pots-{number}>casthouse", "primary_aluminium", metal, meter="crucible",
        known={"Al": (feed["metal_purity"], 0.0)},
    )  # fmt: skip
    sketch.flow(
        f"ALLOSS-{number}", f"{number}系列铝损失|series {number} aluminium loss",
        f"pots-{number}>outside", "aluminium_loss", loss, meter="estimate",
        known={"Al": (1.0, 0.0)},
    )  # fmt: skip
    sketch.flow(
        f"ANODE-{number}", f"{number}系列阳极净耗|series {number} net anode",
        f"anode-yard>pots-{number}", "anode", anodes, meter="counter", known=zero("Al"),
    )  # fmt: skip
    alumina: Vector = (metal * feed["metal_purity"] + loss) / feed["aluminium_fraction"]
    sketch.flow(
        f"FEED-{number}", f"{number}系列氧化铝下料|series {number} alumina shots",
        f"silo>pots-{number}", "alumina", alumina, meter="feeder_shots",
        known={"Al": (feed["aluminium_fraction"], 0.0)},
    )  # fmt: skip
    return alumina


def _alumina(sketch: Sketch, feeds: Sequence[Vector]) -> None:
    total = np.sum(feeds, axis=0)
    change = sketch.store("silo", "氧化铝仓|alumina silo", "alumina", float(total.mean()) * 0.4)
    sketch.flow(
        "ALUMINA",
        "氧化铝进厂|alumina received",
        "outside>silo",
        "alumina",
        total + change,
        meter="weighbridge",
    )
    anodes = np.sum([sketch.amounts[f"ANODE-{n + 1}"] for n in range(len(feeds))], axis=0)
    change = sketch.store("anode-yard", "阳极库|anode yard", "anode", float(anodes.mean()) * 0.5)
    sketch.flow(
        "ANODES",
        "阳极进厂|anodes received",
        "outside>anode-yard",
        "anode",
        anodes + change,
        meter="weighbridge",
    )


def _casthouse(sketch: Sketch, metal: Vector) -> None:
    unit = value("electrolysis")
    change = sketch.store("casthouse", "铸造炉|casthouse furnaces", "primary_aluminium",
                          float(metal.mean()) * 0.03)  # fmt: skip
    liquid = metal * wobble(sketch.rng, between(sketch.rng, 0.45, 0.7), 0.03)
    dross = metal * wobble(sketch.rng, 0.006, 0.05)
    ingots = metal - change - liquid - dross
    group = f"calibration:{sketch.site}"
    metallic = {"Al": (value("alumina_feed")["metal_purity"], 0.0)}
    for id, title, ends, material, amount, kind, campaign in (
        ("LIQUID", "铝液外售|liquid metal sold", "casthouse>outside", "primary_aluminium", liquid,
         "weighbridge", ""),
        ("DROSS", "铝灰（按所含金属计）|dross, as the metal in it", "casthouse>outside", "dross",
         dross, "belt", ""),
        ("INGOT", "铝锭称重|ingot scale", "casthouse>ingot-yard", "aluminium_ingot", ingots,
         "weighbridge", group),
    ):  # fmt: skip
        sketch.flow(id, title, ends, material, amount, meter=kind, group=campaign, known=metallic)
    change = sketch.store("ingot-yard", "铝锭库|ingot yard", "aluminium_ingot",
                          float(ingots.mean()) * 0.3)  # fmt: skip
    sketch.flow(
        "SALES", "铝锭销售|ingot sales", "ingot-yard>outside", "aluminium_ingot", ingots - change,
        meter="weighbridge", group=group, known=metallic,
    )  # fmt: skip
    sketch.flow(
        "GAS-CAST", "铸造天然气|casthouse natural gas", "outside>casthouse", "natural_gas",
        ingots * unit["casting_gas"], meter="gas_meter", carrier="energy", unit="m3",
    )  # fmt: skip
