"""Processes that write to one ledger: a script that forks a child for each order it reads.

Forking from a process that has only imported keeps a start at some milliseconds, so that many
can be killed in one test. A child notes each acknowledged posting in `FOLDER/acknowledged-NAME`.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from cupral.ledger.compaction import compact
from cupral.ledger.errors import Conflict
from cupral.ledger.flow import Flow
from cupral.ledger.ledger import Ledger
from cupral.ledger.stores.attachments import attach, enter, store
from cupral.ledger.stores.schema import writing
from cupral.ledger.workflow import move, standard

ROWS = 20
"""Rows of each posting, half in January and half in February 2026."""


def rows_of(name: str, number: int) -> list[Flow]:
    """The rows of the posting NAME-NUMBER."""
    return [
        Flow(site=f"{name}{row % 3}", stream=f"S{row}", source="outside", target="x", material="m",
             amount=float(number * ROWS + row), unit="t", start=datetime(2026, 1 + row % 2, 1),
             end=datetime(2026, 2 + row % 2, 1), origin="measured")
        for row in range(ROWS)
    ]  # fmt: skip


class Processes:
    """The forking process, and what became of its children."""

    def __init__(self, folder: Path, database: str) -> None:
        self.folder = folder
        self.database = database
        self._script = subprocess.Popen(
            [sys.executable, "-W", "error", __file__],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def start(self, task: str, name: str, count: int = 0) -> int:
        """Start a child; returns its process id."""
        order = {"folder": str(self.folder), "database": self.database, "task": task,
                 "name": name, "count": count}  # fmt: skip
        return self._asked(order)

    def wait(self, pid: int) -> int:
        """Wait for a child; returns its exit status (negative: killed by that signal)."""
        return self._asked({"wait": pid})

    def kill(self, pid: int) -> int:
        """kill -9, then wait."""
        os.kill(pid, signal.SIGKILL)
        return self.wait(pid)

    def acknowledged(self, name: str) -> list[str]:
        """Ids of the postings that a child had been told were written."""
        path = self.folder / f"acknowledged-{name}"
        return path.read_text().split() if path.exists() else []

    def close(self) -> None:
        """End the forking process."""
        assert self._script.stdin is not None
        assert self._script.stdout is not None
        self._script.stdin.close()
        self._script.wait()
        self._script.stdout.close()

    def _asked(self, order: dict[str, Any]) -> int:
        assert self._script.stdin is not None
        assert self._script.stdout is not None
        self._script.stdin.write(json.dumps(order) + "\n")
        self._script.stdin.flush()
        return int(self._script.stdout.readline())


@contextmanager
def processes(folder: Path, database: str = "sqlite") -> Iterator[Processes]:
    """Processes on the ledger in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    started = Processes(folder, database)
    try:
        yield started
    finally:
        started.close()


# -- in the children -------------------------------------------------------------------------


def _post(ledger: Ledger, name: str, count: int, *, supersede: bool = False) -> None:
    path = ledger.folder / f"acknowledged-{name}"
    for number in range(count):
        rows = rows_of("same" if supersede else name, number)
        ledger.post(f"{name}-{number}", author=name, flows=rows, supersede=supersede)
        with path.open("a") as acknowledged:
            acknowledged.write(f"{name}-{number}\n")


def _supersede(ledger: Ledger, name: str, count: int) -> None:
    _post(ledger, name, count, supersede=True)


def _compact(ledger: Ledger, name: str, count: int) -> None:
    while not (ledger.folder / "stop").exists():
        compact(ledger)
        time.sleep(0.01)


def _open(ledger: Ledger, name: str, count: int) -> None:
    assert ledger.head >= 0


def _decide(ledger: Ledger, name: str, count: int) -> None:
    """Accept the requests r0, r1, ... and note which ones were not another's already."""
    flow = standard("request", deadlines={})
    with (ledger.folder / f"acknowledged-{name}").open("a") as told:
        for number in range(count):
            seen = ledger.documents("request", id=f"r{number}", latest=False)[2]
            try:
                move(ledger, flow, seen, to="accepted", author=name)
            except Conflict:
                continue
            told.write(f"r{number}\n")


def _attach(ledger: Ledger, name: str, count: int) -> None:
    """Attach files to the document ticket/T and note each that is kept."""
    document = ledger.document("ticket", "T")
    with (ledger.folder / f"acknowledged-{name}").open("a") as told:
        for number in range(count):
            content = f"{name}-{number} ".encode() * 20_000
            kept = attach(ledger, document, name=f"{number}.txt", content=content, author=name)
            told.write(f"{kept.sha256}\n")
            told.flush()


def _die_storing(ledger: Ledger, name: str, count: int) -> None:
    """Be killed between the file and its row (count 0), or between its row and the commit."""
    stored = store(ledger.folder, name="t.txt", content=name.encode())
    if count == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    with writing(ledger.records.database) as connection:
        enter(connection, ledger.folder, stored, ledger.document("ticket", "T"), author=name)
        os.kill(os.getpid(), signal.SIGKILL)


TASKS = {"post": _post, "supersede": _supersede, "compact": _compact, "open": _open,
         "decide": _decide, "attach": _attach, "die storing": _die_storing}  # fmt: skip


def _child(order: dict[str, Any]) -> None:
    ledger = Ledger.open(order["folder"], database=order["database"])
    TASKS[order["task"]](ledger, order["name"], order["count"])


def _serve() -> None:
    for line in sys.stdin:
        order = json.loads(line)
        if "wait" in order:
            _, status = os.waitpid(order["wait"], 0)
            print(os.waitstatus_to_exitcode(status), flush=True)
            continue
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                _child(order)
                code = 0
            except BaseException as error:
                print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
            finally:
                os._exit(code)
        print(pid, flush=True)


if __name__ == "__main__":
    _serve()
