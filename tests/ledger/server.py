"""A PostgreSQL server of the tests' own: Debian's binaries, a temporary folder, no network."""

import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cupral.ledger.ledger import Ledger

_USER = "postgres"
"""Whose process it is if the tests run as root, whom PostgreSQL refuses."""
_QUICK = "-c fsync=off -c full_page_writes=off -c listen_addresses='' -c max_connections=200"


class NoServer(Exception):
    """PostgreSQL is not installed here."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running server, reached by a socket in its folder."""

    folder: Path
    binaries: Path

    def url(self, name: str) -> str:
        """URL of a database."""
        return f"postgresql://{_USER}@/{name}?host={self.folder}"

    def create(self) -> str:
        """Make an empty database; returns its URL."""
        name = f"t{uuid.uuid4().hex}"
        self.sql(f'CREATE DATABASE "{name}" TEMPLATE template0')
        return self.url(name)

    def drop(self, url: str) -> None:
        """Drop a database, whoever still has it open."""
        name = url.partition("@/")[2].partition("?")[0]
        self.sql(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def sql(self, text: str, database: str = "postgres") -> str:
        """Run SQL by psql; returns its bare output."""
        command = [self.binaries / "psql", "-XAtq", "-h", self.folder, "-U", _USER, "-d", database]
        done = subprocess.run([*command, "-c", text], check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def control(self, word: str, *options: str) -> None:
        """Start, stop or restart it."""
        command = [self.binaries / "pg_ctl", "-D", self.folder / "data", "-w", word, *options]
        log = self.folder / "log"
        _run([*command, "-l", log] if word != "stop" else command)

    def start(self) -> None:
        """Start it, quick rather than safe against a power failure."""
        self.control("start", "-o", f"{_QUICK} -k {self.folder}")

    def stop(self) -> None:
        """Stop it at once; whoever is connected loses his connection."""
        self.control("stop", "-m", "fast")


@contextmanager
def server() -> Iterator[Server]:
    """A server while inside.

    Its usual order of text is that of a language, so that only a column which asks for the
    order of bytes has it.

    Raises
    ------
    NoServer
        If PostgreSQL is not installed.
    """
    binaries = _binaries()
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    if os.geteuid() == 0:
        os.chown(folder, pwd.getpwnam(_USER).pw_uid, -1)
    folder.chmod(0o755)
    started = Server(folder, binaries)
    order = ("--locale-provider=icu", "--icu-locale=en")
    try:
        _run([binaries / "initdb", "-D", folder / "data", "-U", _USER, "-A", "trust", "-E", "UTF8",
              "--locale=C.UTF-8", "--no-sync", *order])  # fmt: skip
        started.start()
        yield started
        started.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def again(ledger: Ledger) -> Ledger:
    """Another handle on the same ledger."""
    url = ledger.manifest.database.url
    embedded = url.get_backend_name() == "sqlite"
    return Ledger.open(ledger.folder, database="sqlite" if embedded else str(url))


def _binaries() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: p.parts[-3])
    on_path = shutil.which("initdb")
    if not found and on_path is None:
        raise NoServer("PostgreSQL is not installed; `apt-get install postgresql`")
    return found[-1].parent if found else Path(str(on_path)).parent


def _run(command: list[Any]) -> None:
    user = _USER if os.geteuid() == 0 else None
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL}
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        command,
        user=user,
        cwd="/",
        env=environment,
        check=False,
        **quiet,  # type: ignore[call-overload]
    )
    assert done.returncode == 0, done.stderr.decode()
