"""The nouns of energy levels: norms and their boundaries, and a line's twelve months."""

from dataclasses import dataclass

BOUNDARIES = {
    "liquid_ac": "AC consumption of liquid aluminium: rectifier loss in, casthouse and anodes out",
    "liquid_comprehensive_ac": "liquid_ac plus auxiliary and public-service electricity",
    "dc": "DC consumption of the pots; no norm grades it",
    "comprehensive": "all energy carriers of the route in standard coal",
}
"""Boundaries of an energy figure; they differ by hundreds of kWh/t and are never mixed."""

NORM_BOUNDARIES = {
    "al_liquid_ac": "liquid_ac",
    "al_liquid_comp_ac": "liquid_comprehensive_ac",
    "al_ingot_comp_ac": "ingot_comprehensive_ac",
    "al_ingot_energy": "ingot_comprehensive",
    "alumina_bayer_process": "process",
    "alumina_bayer_comp": "comprehensive",
    "alumina_other_process": "process",
    "alumina_other_comp": "comprehensive",
    "cu_concentrate_to_blister": "comprehensive",
    "cu_concentrate_to_anode": "comprehensive",
    "cu_electrorefining": "comprehensive",
    "cu_concentrate_to_cathode": "comprehensive",
    "cu_blister_to_anode": "comprehensive",
    "cu_blister_to_cathode": "comprehensive",
    "cu_scrap_to_blister": "comprehensive",
    "cu_scrap_to_anode": "comprehensive",
    "cu_scrap_to_cathode": "comprehensive",
    "cu_rod_upcast": "comprehensive",
    "cu_rod_rolled": "comprehensive",
    "cu_rod_rolled_recycled": "comprehensive",
    "acid_smelter_gas_energy": "comprehensive",
    "acid_smelter_gas_electricity": "electricity",
    "acid_copper_gas_above_13_energy": "comprehensive",
    "acid_copper_gas_upto_13_energy": "comprehensive",
}
"""Every norm of parameters.toml and the boundary that it grades."""

LINE_NORMS = {
    ("primary_aluminium", "liquid_ac"): "al_liquid_ac",
    ("primary_aluminium", "liquid_comprehensive_ac"): "al_liquid_comp_ac",
}
"""The norm of a line where product and boundary alone decide it (copper needs its route)."""

BENCHMARKED = (
    "al_liquid_ac",
    "cu_concentrate_to_blister",
    "cu_concentrate_to_anode",
    "cu_electrorefining",
    "cu_concentrate_to_cathode",
)
"""Norms beside which a national benchmark and baseline are kept (`benchmark_<norm>`)."""

Loading = tuple[str, float]
"""(group, loading): the part of a figure's error [its unit] that a unit-normal group drives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """A sum over months with the loadings of its error."""

    value: float
    loadings: tuple[Loading, ...] = ()
    references: tuple[str, ...] = ()
    months: tuple[int, ...] = ()
    """Months that the sum covers (YYYYMM)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineYear:
    """Twelve months of a production line on one energy boundary."""

    site: str
    enterprise: str
    city: str
    line: str
    capacity: float
    """Registered capacity [t/a]."""
    basis: str
    """'reconciled', 'declared' or 'none' (no month with output)."""
    output: Amount
    """Product [t]."""
    energy: Amount
    """Energy on the boundary [MWh]."""
    idle: bool = False
    """True when the months are the last ones with output, not those asked for."""
    period: str = ""
    """The months that the figures cover."""
