"""The stores of accounts are tested on SQLite and on PostgreSQL."""

from tests.ledger.conftest import database, databases, ledger, postgresql, server

__all__ = ["database", "databases", "ledger", "postgresql", "server"]
