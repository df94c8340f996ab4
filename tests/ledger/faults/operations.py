"""Operations on a small works, run in a child that can be killed at any step of the interpreter.

A script that forks a child for each order it reads. The child counts the calls and returns that
the interpreter makes, in Python and into C, and kills itself with SIGKILL at a given one: so a
random number, which a seed gives again, is a random point of the operation. What a child has
been told was written, it notes in `FOLDER/acknowledged`.
"""

import gc
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from cupral.ledger.compaction import compact
from cupral.ledger.document import Document
from cupral.ledger.ledger import Ledger
from cupral.ledger.stores.migration import migrate
from cupral.system import call, open_ledger, order
from cupral.systems.balance.commands import import_meters
from tests.ledger.processes import rows_of
from tests.systems.balance.works import SITE, register


def month_of(number: int) -> str:
    """The month that an operation is about: one of many, so that each meets other rows."""
    return f"{2001 + number // 12}-{number % 12 + 1:02d}"


def post(ledger: Ledger, number: int) -> str:
    """Flows and a settled ticket; each third posting corrects the one before."""
    ticket = Document(kind="ticket", id=f"T{number}", party="P", body={"number": number})
    supersede = number % 3 == 2
    receipt = ledger.post(
        f"post-{number}", author="a", flows=rows_of("same" if supersede else "w", number),
        documents=[ticket], supersede=supersede,
    )  # fmt: skip
    return receipt.id


def bring(ledger: Ledger, number: int) -> str:
    """A file of meter readings."""
    month = month_of(number)
    content = f"meter,period,amount,unit\nF1,{month},{1000 + number},t\nP1,{month},{250},t\n"
    report = import_meters(
        ledger, author="a", site=SITE, content=content.encode(), filename=f"{month}.csv"
    )
    return report.posting


def reconcile(ledger: Ledger, number: int) -> str:
    """The month's readings made to agree, posted, and a question about them kept."""
    bring(ledger, number)
    month = month_of(number)
    receipt = order(ledger, "balance.reconcile", author="a", site=SITE, period=month)
    call(ledger, "balance.streams", site=SITE, period=month)
    return str(receipt.id)


def merge(ledger: Ledger, number: int) -> str:
    """One compaction of everything."""
    compact(ledger, most_files=1)
    return ""


def migrate_and_back(ledger: Ledger, _number: int) -> str:
    """The tables to their first version and up again."""
    ledger.manifest.database.dispose()
    migrate(ledger.folder, to=1)
    migrate(ledger.folder)
    return ""


OPERATIONS: dict[str, Callable[[Ledger, int], str]] = {
    "post": post, "import": bring, "reconcile": reconcile, "compact": merge,
    "migrate": migrate_and_back,
}  # fmt: skip


class Children:
    """The forking process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._script = subprocess.Popen(
            [sys.executable, "-W", "error", "-m", __name__],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def run(self, operation: str, number: int, kill_at: int = 0) -> int:
        """Run one operation to its end, or to the step at which it is killed (0 = never).

        Returns the steps that it took; -9 if it was killed.
        """
        said = {"folder": str(self.folder), "operation": operation, "number": number}
        assert self._script.stdin is not None
        assert self._script.stdout is not None
        self._script.stdin.write(json.dumps({**said, "kill_at": kill_at}) + "\n")
        self._script.stdin.flush()
        code = int(self._script.stdout.readline())
        assert code in (0, -9), f"{operation} {number} failed"
        return code or int((self.folder / "steps").read_text())

    def acknowledged(self) -> set[str]:
        """Ids of the postings that a child had been told were written."""
        path = self.folder / "acknowledged"
        return set(path.read_text().split()) if path.exists() else set()

    def close(self) -> None:
        """End the forking process."""
        assert self._script.stdin is not None
        assert self._script.stdout is not None
        self._script.stdin.close()
        self._script.wait()
        self._script.stdout.close()


@contextmanager
def children(folder: Path) -> Iterator[Children]:
    """Children that work on the ledger in a folder."""
    started = Children(folder)
    try:
        yield started
    finally:
        started.close()


# -- in the children -------------------------------------------------------------------------


def _child(folder: str, operation: str, number: int, kill_at: int) -> None:
    steps = 0

    def step(_frame: FrameType, _event: str, _argument: object) -> None:
        nonlocal steps
        steps += 1
        if steps == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    gc.disable()  # else the steps of one run are not those of the next
    sys.setprofile(step)
    ledger = open_ledger(folder)
    posting = OPERATIONS[operation](ledger, number)
    sys.setprofile(None)
    with (Path(folder) / "acknowledged").open("a") as acknowledged:
        acknowledged.write(f"{posting}\n")
    (Path(folder) / "steps").write_text(str(steps))


def _warm() -> None:
    """Do everything once, so that a child's steps are those of its operation, not of imports."""
    with tempfile.TemporaryDirectory() as folder:
        ledger = open_ledger(folder)
        register(ledger)
        for operation in OPERATIONS.values():
            operation(ledger, 0)
        ledger.manifest.database.dispose()


def _serve() -> None:
    _warm()
    for line in sys.stdin:
        asked = json.loads(line)
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                _child(**asked)
                code = 0
            except BaseException as error:
                print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
            finally:
                os._exit(code)
        _, status = os.waitpid(pid, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    _serve()
