"""Anybody's own balance problem: equations and measurements in, reconciled values out."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cupral.ledger.errors import InputError
from cupral.ledger.result import Result
from cupral.methods.reconcile import (
    Bounded,
    Observability,
    Polynomial,
    ReconcileError,
    Reconciliation,
    Suspect,
    bounded,
    reconcile,
    reconcile_nonlinear,
    suspects,
)
from cupral.systems.balance.compute.report import CLASSES, number, verdict

Number = float | None
SIDES = {-1: "lower", 0: None, 1: "upper"}
"""Which bound holds a variable."""


class Problem(BaseModel):
    """What a person sends: names, measurements, and linear or polynomial balances."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    names: list[str] = Field(default_factory=list)
    y: list[Number]
    sd: list[Number]
    A: list[list[float]] | None = None
    b: list[float] | None = None
    cov: list[list[float]] | None = None
    x_true: list[float] | None = None
    lower: list[Number] | None = None
    upper: list[Number] | None = None
    state: list[str] | None = None
    start: list[float] | None = None
    constraints: list[list[tuple[float, dict[str, float]]]] | None = None


def answer(problem: Mapping[str, Any], level: float) -> Result:
    """Reconcile and test; one row a variable in `parts`.

    Raises
    ------
    InputError
        If the problem is malformed or unsolvable, with the reason.
    """
    posed = _posed(problem)
    names = posed.names or [f"s{i + 1}" for i in range(len(posed.y))]
    if len(names) != len(posed.y) or len(posed.sd) != len(posed.y):
        raise InputError(
            f"problem has {len(names)} names, {len(posed.y)} values y and {len(posed.sd)} sd;"
            " give one of each for every variable (null = unmeasured)"
        )
    try:
        found = _linear(posed, level) if posed.A is not None else _polynomial(posed, names, level)
        within = _bounded(posed, found)
        named = suspects(found)
    except ReconcileError as error:
        raise InputError(f"problem cannot be reconciled: {error}") from error
    return Result(
        query="balance.problem",
        subject=f"{len(names)} variables",
        value=float(within.objective if within else found.objective),
        unit="1",
        origin="reconciled",
        status=verdict(found),
        parts=_rows(names, posed, found, within),
        tables={
            "summary": (_summary(found) | (_certificate(found, within) if within else {}),),
            "suspects": tuple(_suspect(suspect, names) for suspect in named),
            "equations": _equations(found),
            "equivalent": tuple(
                {"streams": [names[i] for i in group], "numbers": [i + 1 for i in group]}
                for group in found.equivalent
            ),
        },
    )


def _posed(problem: Mapping[str, Any]) -> Problem:
    try:
        posed = Problem.model_validate(dict(problem))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InputError(f"problem: {where}: {first['msg']}") from None
    if (posed.A is None) == (posed.constraints is None):
        raise InputError("problem needs either A (linear) or constraints (polynomial), not both")
    return posed


def _array(values: Sequence[Number]) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.array([np.nan if value is None else value for value in values])


def _linear(posed: Problem, level: float) -> Reconciliation:
    covariance = None if posed.cov is None else np.array(posed.cov)
    try:
        matrix = np.array(posed.A, dtype=np.float64)
    except ValueError:
        raise InputError("problem: the rows of A differ in length; give one number each") from None
    return reconcile(
        matrix, _array(posed.y), _array(posed.sd), rhs=posed.b, covariance=covariance, level=level
    )


def _polynomial(posed: Problem, names: Sequence[str], level: float) -> Reconciliation:
    position = {name: index for index, name in enumerate(names)}
    unknown = {n for row in posed.constraints or () for _, t in row for n in t} - set(position)
    if unknown:
        raise InputError(f"constraints name {sorted(unknown)}; the variables are {list(names)}")
    balances = [
        [
            (coefficient, {position[n]: power for n, power in term.items()})
            for coefficient, term in row
        ]
        for row in posed.constraints or ()
    ]
    measured, sd = _array(posed.y), _array(posed.sd)
    state = posed.state or ["m" if np.isfinite(value) else "u" for value in measured]
    start = np.array(posed.start) if posed.start is not None else measured
    return reconcile_nonlinear(
        Polynomial(balances, variables=len(names)),
        measured,
        sd,
        start=start,
        fixed=np.array([kind == "f" for kind in state]),
        level=level,
    )


def _bounded(posed: Problem, found: Reconciliation) -> Bounded | None:
    if posed.lower is None and posed.upper is None:
        return None
    limits = {}
    for name, given, none in (("lower", posed.lower, -np.inf), ("upper", posed.upper, np.inf)):
        values = given if given is not None else [None] * len(posed.y)
        if len(values) != len(posed.y):
            raise InputError(
                f"problem has {len(values)} {name} bounds and {len(posed.y)} values y; give one"
                " for every variable (null = none)"
            )
        limits[name] = np.array([none if value is None else value for value in values])
    return bounded(found, lower=limits["lower"], upper=limits["upper"])


def _certificate(found: Reconciliation, within: Bounded) -> dict[str, Any]:
    return {
        "objective_unbounded": float(found.objective),
        "bounds_active": int(np.count_nonzero(within.active)),
        "kkt": {name: getattr(within.certificate, name) for name in within.certificate.__slots__},
    }


def _limits(within: Bounded, i: int) -> dict[str, Any]:
    return {
        "unbounded": number(within.reconciliation.value[i]),
        "bound": SIDES[within.active[i]],
        "multiplier": float(within.multiplier[i]),
    }


def _rows(
    names: Sequence[str], posed: Problem, found: Reconciliation, within: Bounded | None
) -> tuple[dict[str, Any], ...]:
    value, measured = within.value if within else found.value, _array(posed.y)
    return tuple(
        {
            "name": name, "measured": posed.y[i], "reconciled": number(value[i]),
            "sd": number(found.sd[i]), "adjustment": number(value[i] - measured[i]),
            "z": number(found.z_adjustment[i]), "z_max_power": number(found.z_max_power[i]),
            "class": CLASSES[Observability(found.observability[i])],
            "smallest_detectable": number(found.smallest_detectable[i]),
            **(_limits(within, i) if within else {}),
        }
        for i, name in enumerate(names)
    )  # fmt: skip


def _summary(found: Reconciliation) -> dict[str, Any]:
    return {
        "redundancy": int(found.redundancy), "rank": int(found.rank),
        "rank_unmeasured": int(found.rank_unmeasured), "objective": float(found.objective),
        "p_value": float(found.p_value), "chi2_critical": float(found.chi2_critical),
        "passed": bool(found.global_test_pass), "critical_z": number(found.critical_z),
        "iterations": int(found.iterations),
    }  # fmt: skip


def _equations(found: Reconciliation) -> tuple[dict[str, Any], ...]:
    return tuple(
        {"equation": row + 1, "residual": number(residual), "z": number(z)}
        for row, (residual, z) in enumerate(zip(found.residual, found.node_z, strict=True))
    )


def _suspect(suspect: Suspect, names: Sequence[str]) -> dict[str, Any]:
    stream = suspect.kind == "bias"
    return {
        "kind": suspect.kind, "numbers": [member + 1 for member in suspect.members],
        "members": [names[m] if stream else f"equation {m + 1}" for m in suspect.members],
        "size": list(suspect.size), "size_sd": list(suspect.size_sd),
        "statistic": suspect.statistic,
        "also": [_suspect(other, names) for other in suspect.also],
    }  # fmt: skip
