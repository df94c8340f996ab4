"""The numbers of the demonstration, read from the parameters.toml beside this file."""

from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

from cupral.ledger.parameter import Parameter, ParameterBook

DAY = date(2025, 6, 30)
"""The day on which the demonstration's numbers are read."""


@lru_cache(maxsize=1)
def book() -> ParameterBook:
    """All parameters of the demonstration."""
    return ParameterBook.read({"demonstration": Path(__file__).with_name("parameters.toml")})


def parameter(name: str) -> Parameter:
    """One parameter with its source and status.

    Raises
    ------
    NotFound
        If the demonstration has no parameter of that name.

    Examples
    --------
    >>> parameter("electrolysis").confirmed
    True
    """
    return book().on(f"demonstration.{name}", DAY)


def value(name: str) -> Any:
    """The value of one parameter.

    Examples
    --------
    >>> value("totals")["cathode_copper"]
    1650000
    """
    return parameter(name).value
