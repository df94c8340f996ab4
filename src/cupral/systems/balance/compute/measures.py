"""What a plant asks of its balance: totals, recoveries, losses, specific consumption."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from cupral.ledger.quantity import canonical_unit
from cupral.ledger.registers import Line, Site, Stream
from cupral.systems.balance.compute.month import Sheet
from cupral.systems.balance.compute.outlet import Outlets, outlets
from cupral.systems.balance.compute.report import number
from cupral.systems.balance.compute.statement import Statement, factors
from cupral.systems.balance.model import MonthBalance, Noun, Vector

Rows = tuple[dict[str, Any], ...]
KGCE = "comprehensive"
"""Boundary that is counted in standard coal; the others are counted in electricity."""


def stream_totals(sheet: Sheet, statement: Statement) -> Rows:
    """One row a stream: reconciled and measured sums, sd, months."""
    rows = []
    for stream in sheet.network.streams:
        position = statement.index((stream.id, ""))
        value = number(statement.value[position]) if position >= 0 else None
        measured = [_measured(balance, stream.id) for balance in sheet.balances]
        known = [amount for amount in measured if amount is not None]
        rows.append(
            {
                "stream": stream.id, "material": stream.material, "carrier": stream.carrier,
                "source": stream.source, "target": stream.target,
                "unit": canonical_unit(stream.unit),
                "reconciled": value,
                "sd": _sd(statement, position) if position >= 0 else None,
                "measured": sum(known) if len(known) == len(measured) else None,
                "months": len(sheet.balances), "missing_months": len(sheet.missing),
            }
        )  # fmt: skip
    return tuple(rows)


def stream_loadings(statement: Statement, span: str) -> Rows:
    """Rows (stream, group, loading) of the flows: each group is one error of unit variance.

    Errors that meters keep bear the name of their group, whatever the span. The own errors of
    the span, which streams of one balance share, are groups 'own:span:number': who adds the
    loadings by group, streams of one span or of several, has all covariances.

    Parameters
    ----------
    span : str
        Site and period that the statement is of; unlike in any other statement.
    """
    flows = [
        position
        for position, (_, element) in enumerate(statement.keys)
        if element == "" and np.isfinite(statement.value[position])
    ]
    own = factors(statement.covariance[np.ix_(flows, flows)])
    names = (*statement.groups, *(f"own:{span}:{number}" for number in range(own.shape[1])))
    return tuple(
        {"stream": statement.keys[position][0], "group": name, "loading": float(loading)}
        for position, row in zip(flows, np.hstack([statement.loading[flows], own]), strict=True)
        for name, loading in zip(names, row, strict=True)
        if loading != 0.0
    )


def contents(sheet: Sheet, statement: Statement) -> Rows:
    """Element contents of every stream that carries any [t]."""
    streams = {stream.id: stream for stream in sheet.network.streams}
    return tuple(
        {
            "stream": stream, "element": element, "source": streams[stream].source,
            "target": streams[stream].target, "amount": number(statement.value[position]),
            "sd": _sd(statement, position),
            "unit": "t",
        }
        for position, (stream, element) in enumerate(statement.keys)
        if element
    )  # fmt: skip


def recoveries(sheet: Sheet, statement: Statement, products: frozenset[str]) -> Rows:
    """Recovery of each element in each product, and over all products, with sd [1].

    What was recovered over all that left: what still lies in a stock counts in neither. An
    element of which some is out of sight has no recovery, and `needs` says why.
    """
    rows = []
    for ends in _outlets(sheet, statement, products):
        needs = "; ".join(_unknown(statement, ends))
        if needs:
            rows.append(_recovery_row(statement, ends, "all products", (), needs))
        elif ends.products:
            rows.append(_recovery_row(statement, ends, "all products", ends.products))
            rows += [
                _recovery_row(statement, ends, stream.id, (stream,)) for stream in ends.products
            ]
    return tuple(rows)


def _recovery_row(
    statement: Statement, ends: Outlets, product: str, wanted: Sequence[Stream], needs: str = ""
) -> dict[str, Any]:
    leaving = (*ends.products, *ends.losses)
    chosen = np.array([stream in wanted for stream in leaving])

    def share(amounts: Vector) -> float:
        return float(amounts[chosen].sum() / amounts.sum())

    keys = [(stream.id, ends.element) for stream in leaving]
    value, sd = (None, None) if needs else statement.function(share, keys) or (None, None)
    return {
        "element": ends.element, "product": product, "recovery": value, "sd": sd, "unit": "1",
        "needs": needs,
    }  # fmt: skip


def losses(sheet: Sheet, statement: Statement, products: frozenset[str]) -> Rows:
    """Each element's loss in each outlet that is no product, with its share of all that left."""
    rows = []
    for ends in _outlets(sheet, statement, products):
        needs = "; ".join(_unknown(statement, ends))
        leaving = [(stream.id, ends.element) for stream in (*ends.products, *ends.losses)]
        whole = sum(statement.value[statement.index(key)] for key in leaving)
        for stream in ends.losses:
            position = statement.index((stream.id, ends.element))
            amount = statement.value[position]
            rows.append(
                {
                    "element": ends.element, "stream": stream.id, "material": stream.material,
                    "amount": number(amount), "unit": "t", "sd": _sd(statement, position),
                    "share": None if needs else float(amount / whole), "needs": needs,
                }
            )  # fmt: skip
    return tuple(rows)


def _outlets(sheet: Sheet, statement: Statement, products: frozenset[str]) -> list[Outlets]:
    """Outlets of every element of which any content is known."""
    contents: dict[str, dict[str, float]] = {}
    for (stream, element), amount in zip(statement.keys, statement.value, strict=True):
        if element:
            contents.setdefault(element, {})[stream] = float(amount)
    return [
        outlets(sheet.network, element, contents[element], products) for element in sorted(contents)
    ]


def _unknown(statement: Statement, ends: Outlets) -> list[str]:
    """Why no share can be told."""
    leaving = {
        stream.id: statement.value[statement.index((stream.id, ends.element))]
        for stream in (*ends.products, *ends.losses)
    }
    needs = [
        f"{ends.element} in {stream}: its amount or assay"
        for stream, amount in leaving.items()
        if not np.isfinite(amount)
    ]
    if not needs and leaving and sum(leaving.values()) <= 0.0:
        needs = [f"{ends.element} leaving the site: nothing left in this period"]
    return [*ends.needs, *needs]


def consumption(
    sheet: Sheet, site: Site, statement: Statement, coal: Mapping[str, float]
) -> tuple[Rows, tuple[str, ...]]:
    """Energy per tonne of each line and boundary; and carriers without a coal coefficient."""
    rows, unknown = [], set[str]()
    for line in site.lines:
        for boundary in line.boundaries:
            carriers = [(s, sheet.network.stream(stream)) for s, stream in line.energy(boundary)]
            if boundary == KGCE:
                unknown |= {stream.material for _, stream in carriers} - set(coal)
            if not unknown:
                weights = [
                    sign * (coal[stream.material] if boundary == KGCE else 1000.0)
                    for sign, stream in carriers
                ]
                streams = [stream.id for _, stream in carriers]
                rows.append(_consumption_row(statement, line, boundary, streams, weights))
    return tuple(rows), tuple(sorted(unknown))


def _consumption_row(
    statement: Statement, line: Line, boundary: str, streams: Sequence[str],
    weights: Sequence[float],
) -> dict[str, Any]:  # fmt: skip
    keys = [(line.metal_stream, ""), *((stream, "") for stream in streams)]
    per_unit = np.array(weights)
    found = statement.function(lambda v: float(per_unit @ v[1:] / v[0]), keys)
    energy = statement.function(lambda v: float(per_unit @ v[1:]), keys)
    output = statement.function(lambda v: float(v[0]), keys[:1])
    return {
        "line": line.id, "product": line.product, "boundary": boundary,
        "output": output[0] if output else None,
        "energy": energy[0] if energy else None,
        "intensity": found[0] if found else None, "sd": found[1] if found else None,
        "unit": "kgce/t" if boundary == KGCE else "kWh/t",
        "streams": list(streams),
    }  # fmt: skip


def _measured(balance: MonthBalance, stream: str) -> float | None:
    reading = balance.layout.readings.get(balance.layout.index(Noun.FLOW, stream))
    return reading.value if reading else None


def _sd(statement: Statement, position: int) -> float | None:
    return number(statement.sd[position]) if np.isfinite(statement.value[position]) else None
