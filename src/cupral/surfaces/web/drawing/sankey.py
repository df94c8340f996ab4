"""Sankey of reconciled flows: nodes and links for ECharts, with the materials' own colours."""

from collections.abc import Mapping, Sequence
from typing import Any

from cupral.surfaces.web.drawing.layers import OUTSIDE, Edge, backward_edges

FAMILIES = {
    "slag": ("slag", "mud", "residue", "dust", "sludge", "tailing", "gangue", "dross", "red_mud"),
    "gas": ("gas", "acid", "oxygen", "steam", "sulph", "so2", "air", "water", "electricity",
            "energy", "coal", "fuel", "heat", "co2", "carbon", "anode_carbon", "fluoride"),
    "aluminium": ("alum", "bauxite", "cryolite", "ingot", "al_", "billet"),
}  # fmt: skip
"""Words by which a material's family is known; everything else is copper."""
COLOURS = {"copper": "#b8693a", "aluminium": "#8497a3", "slag": "#6b625a", "gas": "#5c9a97"}


def family(material: str, chain: str = "copper") -> str:
    """The colour family of a material.

    Examples
    --------
    >>> family("matte"), family("converter_slag"), family("alumina"), family("oxygen")
    ('copper', 'slag', 'aluminium', 'gas')
    """
    name = material.lower()
    for found, words in FAMILIES.items():
        if any(word in name for word in words):
            return found
    return chain


def sankey(
    rows: Sequence[Mapping[str, Any]], names: Mapping[str, str], chain: str = "copper"
) -> dict[str, Any]:
    """Nodes and links of the rows that have a reconciled amount of one unit.

    A stream that runs back would close a circle, which the chart cannot draw: it ends in a
    node of its own, marked ↩.
    """
    drawn = [row for row in rows if row.get("reconciled") and row["reconciled"] > 0]
    edges = [Edge(row["stream"], row["source"], row["target"]) for row in drawn]
    inner = [edge for edge in edges if OUTSIDE not in (edge.source, edge.target)]
    processes = list(dict.fromkeys(n for e in inner for n in (e.source, e.target)))
    backward = backward_edges(processes, inner, edges)
    links = [_link(row, row["stream"] in backward, names, chain) for row in drawn]
    ends = dict.fromkeys(end for link in links for end in (link["source"], link["target"]))
    return {"nodes": [{"name": name} for name in ends], "links": links}


def _unit(row: Mapping[str, Any]) -> str:
    """Of a gas only the sulphur in it is followed."""
    return "t S" if str(row["material"]).startswith("sulphur_in") else str(row["unit"])


def _link(
    row: Mapping[str, Any], returns: bool, names: Mapping[str, str], chain: str
) -> dict[str, Any]:
    stream = names.get(row["stream"], row["stream"])
    source = f"→ {stream}" if row["source"] == OUTSIDE else names.get(row["source"], row["source"])
    target = f"{stream} →" if row["target"] == OUTSIDE else names.get(row["target"], row["target"])
    if returns:
        target = f"↩ {stream}"
    colour = COLOURS[family(str(row["material"]), chain)]
    return {"source": source, "target": target, "value": row["reconciled"], "stream": stream,
            "unit": _unit(row), "colour": colour}  # fmt: skip
