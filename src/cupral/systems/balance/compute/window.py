"""Whether a window of a signal is steady enough for a balance without stock change."""

from collections.abc import Sequence

from cupral.ledger.errors import InputError
from cupral.ledger.result import Result
from cupral.methods.steadiness import SteadinessError, steadiness
from cupral.systems.balance.compute.report import number


def steady(
    hours: Sequence[float], value: Sequence[float], level: float, tolerance: float | None
) -> Result:
    """The verdict on one window, with drift, bend and what the window does not exclude.

    Raises
    ------
    InputError
        A day or longer, times out of order, missing values.
    """
    try:
        found = steadiness(hours, value, level=level, tolerance=tolerance)
    except SteadinessError as error:
        raise InputError(f"the window cannot be judged: {error}") from error
    return Result(
        query="balance.steady",
        subject=f"{len(value)} samples",
        value=number(found.drift),
        sd=number(found.sd[0]),
        unit="1",
        origin="measured",
        status=found.verdict,
        needs=(found.reason,) if found.verdict == "cannot decide" else (),
        parts=(
            {
                "mean": number(found.mean), "drift": number(found.drift),
                "drift_share": number(found.drift_share), "bend": number(found.bend),
                "drift_sd": number(found.sd[0]), "bend_sd": number(found.sd[1]),
                "bound": number(found.bound), "p_value": number(found.p_value),
                "von_neumann_ratio": number(found.ratio), "reason": found.reason,
            },
        ),
    )  # fmt: skip
