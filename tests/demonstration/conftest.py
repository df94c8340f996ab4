"""One truth, its readings and its returns, made once for all tests of the demonstration."""

import pytest

from cupral.demonstration.meters import readings
from cupral.demonstration.returns import returns
from cupral.demonstration.sketch import Plant
from cupral.demonstration.truth import Truth, truth


@pytest.fixture(scope="session")
def known() -> Truth:
    """The truth of the default seed."""
    return truth()


@pytest.fixture(scope="session")
def plants(known: Truth) -> tuple[Plant, ...]:
    """Every plant of the province."""
    return known.plants


@pytest.fixture(scope="session")
def read(known: Truth) -> dict:
    """What the meters read, faults included."""
    return readings(known)


@pytest.fixture(scope="session")
def sound(known: Truth) -> dict:
    """What the meters would read without faults."""
    return readings(known, faults=())


@pytest.fixture(scope="session")
def filed(known: Truth, read: dict) -> dict:
    """The returns by period name."""
    return returns(known, read)
