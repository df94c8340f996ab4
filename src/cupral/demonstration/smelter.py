"""A copper smelter from concentrate to cathode, with its element balances and energy carriers.

The truth is worked out as a metallurgist would: cathodes ask for anodes, anodes for matte,
matte for concentrate; iron makes slag, silica is fluxed, sulphur leaves as gas and becomes acid,
gold and silver follow the copper.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from cupral.demonstration.calendar import Vector, between, wobble
from cupral.demonstration.parameters import value
from cupral.demonstration.power import Load, supply
from cupral.demonstration.sketch import Sketch, zero
from cupral.demonstration.tankhouse import Anodes, anodes, tankhouse

ELEMENTS = ("Cu", "S", "Fe", "SiO2", "Au", "Ag")
SULPHUR_IN_ACID = 32.06 / 98.078
"""Mass of S per mass of H2SO4 [1], from the atomic weights."""

Grades = Mapping[str, Vector]


@dataclass(frozen=True, slots=True)
class Melt:
    """Amounts (months,) [t] and grades of everything between concentrate and anode."""

    amounts: Mapping[str, Vector]
    grades: Mapping[str, Grades]


def smelter(sketch: Sketch, cathode: Vector, site: Mapping[str, float]) -> None:
    """Build a smelter whose tankhouse makes these cathodes (months,) [t].

    Parameters
    ----------
    site : gold [kg/kg] of the concentrate, own share of it, energy factor [1]

    Examples
    --------
    >>> sketch = Sketch("x", np.random.default_rng(1))
    >>> smelter(sketch, np.full(22, 5e4), {"gold": 3e-6, "own": 0.3, "energy": 1.0})
    >>> 3.5 < float(sketch.amounts["CONC"].mean() / 5e4) < 4.5
    True
    """
    made = anodes(sketch, cathode)
    melt = _melt(sketch, made, site["gold"])
    _furnace(sketch, melt)
    _converter(sketch, melt)
    _slag_mill(sketch, melt)
    _acid_plant(sketch, melt)
    anode = melt.grades["ANODE"]
    tankhouse(sketch, made, {"Au": anode["Au"], "Ag": anode["Ag"]}, "converter")
    _concentrate(sketch, melt.amounts["CONC"], site["own"])
    carriers(sketch, cathode, value("smelter_energy"), site["energy"])


def _melt(sketch: Sketch, made: Anodes, gold: float) -> Melt:
    unit, grades = value("smelting"), _grades(sketch, gold)
    matte, converter_slag = _matte(made, grades)
    mill = _recoveries()
    concentrate, slag = _concentrate_and_slag(matte, converter_slag, grades, mill)
    grades = _noble(grades, made, {"MATTE": matte, "CSLAG": converter_slag, "SLAG": slag,
                                   "CONC": concentrate}, mill)  # fmt: skip
    amounts = {"CONC": concentrate, "MATTE": matte, "SLAG": slag, "CSLAG": converter_slag}
    amounts, grades = _milled(amounts, grades, mill)
    silica = slag * grades["SLAG"]["SiO2"] - concentrate * grades["CONC"]["SiO2"]
    silica = silica - amounts["SCONC"] * grades["SCONC"]["SiO2"]
    amounts["FLUX"] = silica / unit["flux_SiO2"]
    amounts["CFLUX"] = converter_slag * grades["CSLAG"]["SiO2"] / unit["flux_SiO2"]
    amounts.update(_sulphur(amounts, grades))
    return Melt(amounts, grades)


def _grades(sketch: Sketch, gold: float) -> dict[str, dict[str, Vector]]:
    """Grades that are drawn; those of gold and silver below the concentrate follow later."""
    unit, drawn = value("smelting"), value("concentrate")
    conc = {e: wobble(sketch.rng, between(sketch.rng, *drawn[e]), 0.012) for e in drawn}
    conc["Au"] = wobble(sketch.rng, gold, 0.04)
    nothing = np.zeros_like(conc["Cu"])

    def drift(item: str) -> Vector:
        return wobble(sketch.rng, unit[item], 0.012)

    return {
        "CONC": {element: conc[element] for element in ELEMENTS},
        "MATTE": {"Cu": drift("matte_Cu"), "S": drift("matte_S"), "Fe": drift("matte_Fe"),
                  "SiO2": nothing},
        "SLAG": {"Cu": drift("slag_Cu"), "S": drift("slag_S"), "Fe": drift("slag_Fe"),
                 "SiO2": drift("slag_SiO2")},
        "CSLAG": {"Cu": drift("converter_slag_Cu"), "S": nothing,
                  "Fe": drift("converter_slag_Fe"), "SiO2": drift("converter_slag_SiO2")},
    }  # fmt: skip


def _matte(made: Anodes, grades: Mapping[str, Grades]) -> tuple[Vector, Vector]:
    """Matte and converter slag by the converter's copper and iron balances (months,) [t]."""
    slag_per_matte = grades["MATTE"]["Fe"] / grades["CSLAG"]["Fe"]
    copper = (made.produced - made.returned) * made.copper
    matte = copper / (grades["MATTE"]["Cu"] - slag_per_matte * grades["CSLAG"]["Cu"])
    return matte, matte * slag_per_matte


def _recoveries() -> dict[str, float]:
    return {name: float(share) for name, share in value("slag_mill").items()}


def _concentrate_and_slag(
    matte: Vector, converter_slag: Vector, grades: Mapping[str, Grades], mill: Mapping[str, float]
) -> tuple[Vector, Vector]:
    """Concentrate and slag by the furnace's copper and iron balances (months,) [t]."""

    def asked(element: str) -> Vector:
        back = mill[element] * converter_slag * grades["CSLAG"][element]
        return matte * grades["MATTE"][element] - back

    def lost(element: str) -> Vector:
        return (1.0 - mill[element]) * grades["SLAG"][element]

    conc = grades["CONC"]
    determinant = conc["Fe"] * lost("Cu") - conc["Cu"] * lost("Fe")
    slag = (conc["Cu"] * asked("Fe") - conc["Fe"] * asked("Cu")) / determinant
    return (asked("Cu") + slag * lost("Cu")) / conc["Cu"], slag


def _noble(
    grades: Mapping[str, dict[str, Vector]], made: Anodes, amounts: Grades,
    mill: Mapping[str, float],
) -> dict[str, dict[str, Vector]]:  # fmt: skip
    """Gold and silver of matte, slags and anodes, from the concentrate downwards."""
    share = value("smelting")["noble_partition"]
    full = {name: dict(stream) for name, stream in grades.items()}
    full["ANODE"] = {"Cu": made.copper}
    matte, slag, converter_slag = amounts["MATTE"], amounts["SLAG"], amounts["CSLAG"]
    holding = made.produced - made.returned + share * converter_slag
    for element in ("Au", "Ag"):
        back = mill[element] * share * converter_slag * matte / holding
        in_matte = (amounts["CONC"] * full["CONC"][element]) / (
            matte + slag * share * (1.0 - mill[element]) - back
        )
        in_anode = matte * in_matte / holding
        full["MATTE"][element], full["SLAG"][element] = in_matte, share * in_matte
        full["ANODE"][element], full["CSLAG"][element] = in_anode, share * in_anode
    return full


def _milled(
    amounts: Mapping[str, Vector], grades: Mapping[str, dict[str, Vector]],
    mill: Mapping[str, float],
) -> tuple[dict[str, Vector], dict[str, dict[str, Vector]]]:  # fmt: skip
    """Slag concentrate and tailings of the slag mill."""
    weight = amounts["SLAG"] + amounts["CSLAG"]
    concentrate, tailings = mill["pull"] * weight, (1.0 - mill["pull"]) * weight
    rich, poor = {}, {}
    for element in ELEMENTS:
        inside = sum(amounts[name] * grades[name][element] for name in ("SLAG", "CSLAG"))
        rich[element] = mill[element] * inside / concentrate
        poor[element] = (1.0 - mill[element]) * inside / tailings
    return (
        {**amounts, "SCONC": concentrate, "TAIL": tailings},
        {**grades, "SCONC": rich, "TAIL": poor},
    )


def _sulphur(amounts: Mapping[str, Vector], grades: Mapping[str, Grades]) -> dict[str, Vector]:
    """Where the sulphur goes: gas of both furnaces, fugitive, tail gas, acid (months,) [t]."""
    unit = value("smelting")

    def held(name: str) -> Vector:
        return amounts[name] * grades[name]["S"]

    burnt = held("CONC") + held("SCONC") - held("MATTE") - held("SLAG")
    fugitive = unit["fugitive"] * burnt
    gas, blow = burnt - fugitive, held("MATTE")
    tail = unit["tail_gas"] * (gas + blow)
    strength = unit["acid_fraction_H2SO4"] * SULPHUR_IN_ACID
    return {"GAS": gas, "CGAS": blow, "FUGITIVE": fugitive, "TAILGAS": tail,
            "ACID": (gas + blow - tail) / strength}  # fmt: skip


def _flux(sketch: Sketch, id: str, title: str, process: str, amount: Vector) -> None:
    known = {**zero("Cu", "S", "Fe", "Au", "Ag"), "SiO2": (value("smelting")["flux_SiO2"], 0.0)}
    sketch.flow(id, title, f"outside>{process}", "silica_flux", amount, meter="belt", known=known)


def _gas(sketch: Sketch, id: str, title: str, ends: str, amount: Vector, meter: str = "") -> None:
    """A gas, counted as the sulphur in it."""
    known = {**zero("Cu", "Fe", "SiO2", "Au", "Ag"), "S": (1.0, 0.0)}
    sketch.flow(id, title, ends, "sulphur_in_gas", amount, meter=meter, known=known)


def _furnace(sketch: Sketch, melt: Melt) -> None:
    sketch.unit("furnace", "熔炼炉|smelting furnace", *ELEMENTS)
    sketch.flow("CONC", "入炉铜精矿|concentrate charged", "concentrate-yard>furnace",
                "copper_concentrate", melt.amounts["CONC"], meter="belt",
                assays=melt.grades["CONC"])  # fmt: skip
    _flux(sketch, "FLUX", "熔炼石英|silica flux", "furnace", melt.amounts["FLUX"])
    matte = dict(melt.grades["MATTE"])
    matte.pop("SiO2")
    sketch.flow("MATTE", "冰铜|matte", "furnace>converter", "matte", melt.amounts["MATTE"],
                assays=matte, known=zero("SiO2"))  # fmt: skip
    sketch.flow("SLAG", "熔炼渣|smelting slag", "furnace>slag-mill", "smelting_slag",
                melt.amounts["SLAG"], meter="ladle", assays=melt.grades["SLAG"])  # fmt: skip
    _gas(sketch, "GAS", "熔炼烟气硫|sulphur in furnace gas", "furnace>acid-plant",
         melt.amounts["GAS"])  # fmt: skip
    _gas(sketch, "FUGITIVE", "无组织硫|fugitive sulphur", "furnace>outside",
         melt.amounts["FUGITIVE"], "estimate")  # fmt: skip


def _converter(sketch: Sketch, melt: Melt) -> None:
    sketch.unit("converter", "吹炼与阳极炉|converter and anode furnace", *ELEMENTS)
    _flux(sketch, "CFLUX", "吹炼石英|converter flux", "converter", melt.amounts["CFLUX"])
    slag = dict(melt.grades["CSLAG"])
    slag.pop("S")
    sketch.flow("CSLAG", "吹炼渣|converter slag", "converter>slag-mill", "converter_slag",
                melt.amounts["CSLAG"], meter="ladle", assays=slag, known=zero("S"))  # fmt: skip
    _gas(sketch, "CGAS", "吹炼烟气硫|sulphur in converter gas", "converter>acid-plant",
         melt.amounts["CGAS"])  # fmt: skip


def _slag_mill(sketch: Sketch, melt: Melt) -> None:
    sketch.unit("slag-mill", "渣选厂|slag mill", "mass", *ELEMENTS)
    sketch.flow("SCONC", "渣精矿|slag concentrate", "slag-mill>furnace", "slag_concentrate",
                melt.amounts["SCONC"], meter="belt", assays=melt.grades["SCONC"])  # fmt: skip
    sketch.flow("TAIL", "渣尾矿|slag tailings", "slag-mill>outside", "slag_tailings",
                melt.amounts["TAIL"], meter="belt", assays=melt.grades["TAIL"])  # fmt: skip


def _acid_plant(sketch: Sketch, melt: Melt) -> None:
    strength = value("smelting")["acid_fraction_H2SO4"] * SULPHUR_IN_ACID
    sketch.unit("acid-plant", "制酸|acid plant", "S")
    _gas(sketch, "TAILGAS", "尾气硫|sulphur in tail gas", "acid-plant>outside",
         melt.amounts["TAILGAS"], "estimate")  # fmt: skip
    sketch.flow("ACID", "硫酸|sulphuric acid", "acid-plant>outside", "sulphuric_acid",
                melt.amounts["ACID"], meter="weighbridge",
                assays={"S": np.full_like(melt.amounts["ACID"], strength)})  # fmt: skip


def _concentrate(sketch: Sketch, charged: Vector, own: float) -> None:
    change = sketch.store("concentrate-yard", "精矿仓|concentrate yard", "copper_concentrate",
                          float(charged.mean()) * 0.8)  # fmt: skip
    received = charged + change
    for id, title, share in (
        ("CONC-OWN", "自有矿山精矿|concentrate from own mines", own),
        ("CONC-BUY", "外购精矿|concentrate bought", 1.0 - own),
    ):
        sketch.flow(id, title, "outside>concentrate-yard", "copper_concentrate", received * share,
                    meter="weighbridge")  # fmt: skip


def carriers(sketch: Sketch, cathode: Vector, unit: Mapping[str, Any], factor: float) -> None:
    """Add electricity, coal, gas and steam of a copper smelter, and its production line.

    Parameters
    ----------
    unit : energy per tonne of cathode by use [MWh/t, t/t, m3/t]
    factor : energy level of the site [1]
    """

    def amount(item: str) -> Vector:
        return cathode * wobble(sketch.rng, float(unit[item]) * factor, 0.01)

    uses = {
        "smelting": ("E-SMELT", "熔炼用电|smelting electricity", "furnace"),
        "gas_cleaning": ("E-GAS", "制酸制氧用电|acid and oxygen electricity", "acid-plant"),
        "tankhouse": ("E-TANK", "电解用电|tankhouse electricity", "tankhouse"),
        "auxiliary": ("E-AUX", "辅助用电|auxiliary electricity", "outside"),
    }
    loads = [
        Load(id, title, target, amount(item), "submeter")
        for item, (id, title, target) in uses.items()
        if item in unit
    ]
    supply(sketch, loads)
    fuels = _fuels(sketch, amount, unit)
    energy = "+".join([*(load.id for load in loads), *fuels])
    capacity = float(cathode[:12].sum()) / 0.95
    sketch.line("cathode", "cathode_copper", capacity, "CATHODE", comprehensive=energy)


def _fuels(sketch: Sketch, amount: Any, unit: Mapping[str, Any]) -> list[str]:
    """Coal and gas bought, steam sold; what is sold counts with a minus before its id."""
    fuels = {
        "coal": ("COAL", "原煤|coal", "outside>furnace", "coal", "t", "belt"),
        "natural_gas": ("NGAS", "天然气|natural gas", "outside>furnace", "natural_gas", "m3",
                        "gas_meter"),
        "steam": ("STEAM", "外供蒸汽|steam sold", "furnace>outside", "heat", "MWh", "gas_meter"),
    }  # fmt: skip
    used = {item: fuel for item, fuel in fuels.items() if item in unit}
    for item, (id, title, ends, material, measure, meter) in used.items():
        sketch.flow(id, title, ends, material, amount(item), meter=meter, carrier="energy",
                    unit=measure)  # fmt: skip
    return [("-" if ends.startswith("furnace") else "") + id for id, _, ends, *_ in used.values()]
