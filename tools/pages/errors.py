"""docs/errors.md: every error that Cupral raises on purpose, and what to do about it."""

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from types import ModuleType

import cupral.ledger
import cupral.methods
import cupral.systems
from cupral.ledger.errors import CupralError, Fault, RowFaults
from cupral.surfaces.problem import problem

HEAD = """# Errors

An error says what is wrong, where, what is allowed, and what to do next. Every surface tells
the same four parts: the command line prints them and exits with 2, the HTTP interface answers
`application/problem+json` with the status below, a page shows them beside the field.

## The ledger and the systems

| Error | Told as | HTTP | When | What to do |
|---|---|---|---|---|
"""
FILES = """
## Faulty files

Nothing of a faulty file is posted. Each fault names the line as a person counts it, the
column, what stood there, what is wrong and the cure:

```
{}
```
"""
METHODS = """
## Methods

`cupral.methods` knows nothing of the ledger; whoever passes it arrays meets these, all of them
a `ValueError`.

| Error | When |
|---|---|
"""
EXAMPLE = Fault(14, "amount", "1,2O4", "is no number", "Write digits with a decimal point.")


def page() -> str:
    """The whole page."""
    own = [error for error in _errors(cupral.ledger) if issubclass(error, CupralError)]
    own += [error for error in _errors(cupral.systems) if issubclass(error, CupralError)]
    rows = "".join(_row(error) for error in own)
    shown = FILES.format(RowFaults("meters_2026-03.csv", [EXAMPLE]))
    listed = "".join(
        f"| `{error.__name__}` | {_first(error)} |\n" for error in _errors(cupral.methods)
    )
    return HEAD + rows + shown + METHODS + listed


def _errors(package: ModuleType) -> Iterator[type[Exception]]:
    """Exceptions that the modules of a package define, in order of module and place."""
    walked = pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    for name in sorted(module.name for module in walked):
        for thing in vars(importlib.import_module(name)).values():
            mine = inspect.isclass(thing) and thing.__module__ == name
            if mine and issubclass(thing, Exception):
                yield thing


def _row(error: type[CupralError]) -> str:
    sample = RowFaults("x", [EXAMPLE]) if error is RowFaults else error("x")
    told = problem(sample)
    return f"| `{error.__name__}` | {told.kind} | {told.status} | {_first(error)} | {told.next} |\n"


def _first(error: type[Exception]) -> str:
    return (inspect.getdoc(error) or "").partition("\n")[0]
