"""Importing is quick, does nothing, and heavy engines stay in their corner."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import cupral

SOURCE = Path(cupral.__path__[0])


def imported_by(statement: str) -> set[str]:
    """Names of all modules that a fresh Python holds after a statement."""
    script = f"{statement}; import sys; print(' '.join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_importing_cupral_takes_at_most_half_a_second() -> None:
    """Time of the processor, the best of three, so that a busy computer does not fail it."""
    script = (
        "import time; begin = time.process_time(); import cupral;print(time.process_time() - begin)"
    )
    runs = [
        float(subprocess.run([sys.executable, "-c", script], capture_output=True, text=True,
                             check=True).stdout)
        for _ in range(3)
    ]  # fmt: skip
    assert min(runs) <= 0.5


def test_importing_cupral_loads_no_engine() -> None:
    assert not {"numpy", "pyarrow", "duckdb", "sqlalchemy", "pint"} & imported_by("import cupral")


def test_the_ledger_loads_no_system_no_surface_and_no_method() -> None:
    loaded = imported_by("import cupral.ledger.ledger, cupral.ledger.audit, cupral.ledger.explain")
    ours = {name for name in loaded if name.startswith("cupral.")}
    assert ours
    assert all(name.startswith("cupral.ledger") for name in ours)
    assert not {"pandas", "fastapi", "typer", "highspy", "qdldl", "alembic", "psycopg"} & loaded


@pytest.mark.parametrize("engine", ["duckdb", "sqlalchemy", "alembic", "psycopg", "pint"])
def test_an_engine_is_imported_in_its_corner_only(engine: str) -> None:
    corners = {
        "duckdb": {"ledger/stores/duckdb.py"},
        "sqlalchemy": {
            "ledger/stores/schema.py", "ledger/stores/postings.py", "ledger/stores/records.py",
            "ledger/stores/database.py", "ledger/stores/sqlite.py", "ledger/stores/postgresql.py",
            "ledger/stores/migration.py", "ledger/stores/versions/version_1.py",
            "ledger/stores/versions/version_2.py", "ledger/stores/versions/version_3.py",
            "ledger/stores/trail.py", "ledger/guard.py",
            "ledger/audit.py", "ledger/backup.py", "ledger/compaction.py",
            *(f"access/{name}.py" for name in
              ("administration", "session", "signing_in", "store", "token")),
        },
        "alembic": {
            "ledger/stores/migration.py", "ledger/stores/versions/version_1.py",
            "ledger/stores/versions/version_2.py", "ledger/stores/versions/version_3.py",
        },
        "psycopg": set[str](),
        "pint": {"ledger/quantity.py"},
    }  # fmt: skip
    users = {
        path.relative_to(SOURCE).as_posix()
        for path in SOURCE.rglob("*.py")
        if engine in _imports(path)
    }
    assert users == corners[engine]


def _imports(path: Path) -> set[str]:
    found = set[str]()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found
