"""Check: run a file of cases through the queries that users call and compare.

A case is `{id, kind, inputs, expected, ...}`; a system's `cases.py` judges the kinds it
lists in `JUDGES`. Kinds that nobody judges are named, never passed over.
"""

import importlib
import json
import pkgutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cupral.systems
from cupral.ledger.case import Check
from cupral.ledger.errors import CupralError, InputError
from cupral.ledger.ledger import Ledger
from cupral.ledger.stores.database import EMBEDDED
from cupral.system import open_ledger

Judge = Callable[[Ledger, dict[str, Any], dict[str, Any]], list[Check]]


@dataclass(frozen=True, slots=True)
class CaseFile:
    """The cases of a file with the tolerances that it states."""

    cases: tuple[dict[str, Any], ...]
    tolerances: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one case: its checks, or why there are none."""

    id: str
    kind: str
    title: str
    checks: tuple[Check, ...] = ()
    error: str = ""
    judged: bool = True

    @property
    def ok(self) -> bool:
        """Whether the case was judged and every comparison held."""
        return self.judged and not self.error and all(check.ok for check in self.checks)


@dataclass(frozen=True, slots=True)
class CaseReport:
    """All verdicts of a file."""

    verdicts: tuple[Verdict, ...]

    @property
    def judged(self) -> int:
        """Number of cases that some system judged."""
        return sum(verdict.judged for verdict in self.verdicts)

    @property
    def passed(self) -> int:
        """Number of cases of which every comparison held."""
        return sum(verdict.ok for verdict in self.verdicts)

    @property
    def code(self) -> int:
        """0 all judged cases hold, 1 some fail, 3 nothing was judged."""
        if not self.judged:
            return 3
        return 0 if self.passed == self.judged else 1

    def document(self) -> dict[str, Any]:
        """Plain content for `--json`."""
        cases = [{**asdict(v), "ok": v.ok} for v in self.verdicts]
        counts = {"cases": len(cases), "judged": self.judged, "passed": self.passed}
        return {**counts, "failed": self.judged - self.passed, "results": cases}


def read_cases(path: Path) -> CaseFile:
    """Read a case file: an object with `cases`, a list, or one case a line (.jsonl).

    Raises
    ------
    InputError
        If the file cannot be read as cases.
    """
    try:
        text = path.read_text(encoding="utf-8")
        content = _lines(text) if path.suffix == ".jsonl" else json.loads(text)
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise InputError(f"{path}: no case file ({error}); give JSON or JSON lines") from None
    cases = content.get("cases") if isinstance(content, dict) else content
    if not isinstance(cases, list) or not all(isinstance(case, dict) for case in cases):
        raise InputError(f"{path}: no cases; write a list of cases, or an object with 'cases'")
    stated = content.get("tolerances") if isinstance(content, dict) else None
    return CaseFile(tuple(cases), dict(stated or {}))


def judges() -> dict[str, Judge]:
    """The judge of each kind of case, from every system that has a `cases.py`."""
    found: dict[str, Judge] = {}
    for module in pkgutil.iter_modules(cupral.systems.__path__, "cupral.systems."):
        if importlib.util.find_spec(f"{module.name}.cases") is not None:
            found.update(importlib.import_module(f"{module.name}.cases").JUDGES)
    return found


def run_cases(file: CaseFile, available: Mapping[str, Judge]) -> CaseReport:
    """Judge every case of a file in a ledger that is thrown away afterwards."""
    with tempfile.TemporaryDirectory(prefix="cupral-check-") as folder:
        ledger = open_ledger(folder, database=EMBEDDED)
        return CaseReport(tuple(_verdicts(ledger, file, available)))


def _verdicts(ledger: Ledger, file: CaseFile, available: Mapping[str, Judge]) -> Iterator[Verdict]:
    for number, case in enumerate(file.cases, start=1):
        id, kind = str(case.get("id", f"case {number}")), str(case.get("kind", ""))
        title = str(case.get("title", ""))
        if kind not in available:
            yield Verdict(id, kind, title, judged=False)
            continue
        try:
            checks = tuple(available[kind](ledger, case, file.tolerances))
        except (CupralError, KeyError, TypeError, ValueError) as error:
            yield Verdict(id, kind, title, error=f"{type(error).__name__}: {error}")
            continue
        yield Verdict(id, kind, title, checks, "" if checks else "the judge compared nothing")


def _lines(text: str) -> list[Any]:
    return [json.loads(line) for line in text.splitlines() if line.strip()]
