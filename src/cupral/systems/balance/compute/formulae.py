"""Hand formulae of metal accounting and of the GUM, as Results."""

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from cupral.ledger.errors import InputError
from cupral.ledger.result import Result
from cupral.methods.propagate import PropagateError, Uncertain, evaluate, repeated
from cupral.methods.separation import SeparationError, three_product, two_product
from cupral.systems.balance.compute.expression import formula
from cupral.systems.balance.model import Vector


def two_products(feed: float, conc: float, tail: float, rel_sd_each: float) -> Result:
    """Recovery and mass pull of one concentrate, with the sd that equal relative sds give."""
    try:
        found = two_product(
            feed, conc, tail, sd=[abs(rel_sd_each * grade) for grade in (feed, conc, tail)]
        )
    except SeparationError as error:
        raise InputError(str(error)) from error
    slopes = zip(("feed", "conc", "tail"), found.recovery_slope, strict=True)
    return Result(
        query="balance.two_product",
        subject="two products",
        value=found.recovery,
        sd=found.recovery_sd,
        unit="1",
        origin="modelled",
        parts=({"mass_pull": found.mass_pull, "mass_pull_sd": found.mass_pull_sd},),
        tables={"slopes": tuple({"grade": name, "slope": float(slope)} for name, slope in slopes)},
    )


def three_products(
    feed: Sequence[float], conc1: Sequence[float], conc2: Sequence[float], tail: Sequence[float]
) -> Result:
    """Pulls and recoveries of two metals in two concentrates."""
    try:
        found = three_product(feed, conc1, conc2, tail)
    except (SeparationError, ValueError) as error:
        raise InputError(str(error)) from error
    rows = [
        {
            "concentrate": j + 1, "pull": float(found.mass_pull[j]),
            "recovery_metal1": float(found.recovery[0, j]),
            "recovery_metal2": float(found.recovery[1, j]),
        }
        for j in range(2)
    ]  # fmt: skip
    return Result(
        query="balance.three_product",
        subject="three products",
        origin="modelled",
        parts=tuple(rows),
    )


def propagation(
    names: Sequence[str],
    expressions: Mapping[str, str],
    *,
    x: Sequence[float] | None,
    u: Sequence[float] | None,
    corr: Sequence[float] | None,
    observations: Sequence[Sequence[float]] | None,
) -> Result:
    """Values, standard uncertainties and correlations of formulae of uncertain inputs.

    Raises
    ------
    InputError
        If a formula has no finite value at or near the inputs, or these do not fit together.
    """
    if not expressions:
        raise InputError('there is no formula; write for example {"R": "V / I"}')
    position = {name: index for index, name in enumerate(names)}
    functions = [_finite(name, text, position) for name, text in expressions.items()]
    try:
        inputs = repeated(np.array(observations)) if observations is not None else None
        value = inputs.value if inputs is not None else np.array(x, dtype=np.float64)
        spread = inputs.sd if inputs is not None else np.array(u, dtype=np.float64)
        relation = inputs.correlation if inputs is not None else _matrix(corr, len(names))
        with np.errstate(over="ignore", invalid="ignore"):  # what overflows is refused
            found = evaluate(
                lambda at: np.array([f(dict(zip(names, at, strict=True))) for f in functions]),
                value,
                spread,
                correlation=relation,
            )
    except (PropagateError, ValueError) as error:
        raise InputError(f"uncertainty cannot be propagated: {error}") from error
    return _result(list(expressions), found)


def _finite(
    name: str, text: str, position: Mapping[str, int]
) -> Callable[[Mapping[str, float]], float]:
    """The formula, that says by name where it has no finite value."""
    function = formula(text, position)

    def at(values: Mapping[str, float]) -> float:
        plain = {key: float(value) for key, value in values.items()}
        try:
            found, why = function(plain), "its value is not finite"
        except (ValueError, ZeroDivisionError, OverflowError) as error:
            found, why = math.nan, str(error)
        if isinstance(found, complex) or not math.isfinite(found):
            where = ", ".join(f"{key} = {value:.6g}" for key, value in plain.items())
            raise InputError(
                f"formula {name} = {text} has no finite value at {where} ({why});"
                " give inputs at and around which it has one"
            )
        return found

    return at


def _matrix(upper: Sequence[float] | None, count: int) -> Vector:
    relation = np.eye(count)
    if upper is None:
        return relation
    rows, columns = np.triu_indices(count, 1)
    if len(upper) != len(rows):
        raise InputError(
            f"corr has {len(upper)} numbers; {count} inputs need {len(rows)}:"
            " r12, r13, ..., r23, ..."
        )
    relation[rows, columns] = relation[columns, rows] = upper
    return relation


def _result(names: Sequence[str], found: Uncertain) -> Result:
    relation = found.correlation
    pairs = [(i, j) for i in range(len(names)) for j in range(i + 1, len(names))]
    return Result(
        query="balance.propagation",
        subject=", ".join(names),
        value=float(found.value[0]),
        sd=float(found.sd[0]),
        unit="1",
        origin="modelled",
        parts=tuple(
            {"name": name, "value": float(found.value[i]), "u": float(found.sd[i])}
            for i, name in enumerate(names)
        ),
        tables={
            "correlation": tuple(
                {"first": names[i], "second": names[j], "r": float(relation[i, j])}
                for i, j in pairs
            )
        },
    )
