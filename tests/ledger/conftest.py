"""The tests of the ledger run on SQLite and on PostgreSQL: one suite for both."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cupral.ledger.ledger import Ledger
from cupral.system import open_ledger
from tests.ledger.server import NoServer, Server
from tests.ledger.server import server as running


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A PostgreSQL server."""
    pytest.importorskip("psycopg", reason="no driver; pip install cupral[postgres]")
    try:
        with running() as started:
            yield started
    except NoServer as error:
        pytest.skip(str(error))


@pytest.fixture
def postgresql(server: Server) -> Iterator[Callable[[], str]]:
    """Makes empty databases on PostgreSQL; returns the URL of each."""
    made: list[str] = []

    def create() -> str:
        made.append(server.create())
        return made[-1]

    yield create
    for url in made:
        server.drop(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def databases(request: pytest.FixtureRequest) -> Callable[[], str]:
    """Says where the documents of a new ledger are kept: on each kind in its turn."""
    if request.param == "sqlite":
        return lambda: "sqlite"
    create: Callable[[], str] = request.getfixturevalue("postgresql")
    return create


@pytest.fixture
def database(databases: Callable[[], str]) -> str:
    """Where the documents of one new ledger are kept."""
    return databases()


@pytest.fixture
def ledger(tmp_path: Path, database: str) -> Iterator[Ledger]:
    """An empty ledger of its own, with the parameters that the systems ship."""
    opened = open_ledger(tmp_path / "ledger", database=database)
    yield opened
    opened.records.database.dispose()
