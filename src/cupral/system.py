"""What a system is: its manifest, its queries and commands, and how one is called by name.

A query reads the ledger and returns a Result; it never writes. `ask` runs a query (or takes
the kept Result if nothing it stood on has changed); `call` also keeps the Result. A command
changes state and leaves an audit record.
"""

import hashlib
import importlib
import inspect
import math
import os
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

import cupral.systems
from cupral.ledger.dependence import assumptions, fingerprint
from cupral.ledger.errors import InputError, NotFound
from cupral.ledger.ledger import Ledger, Read
from cupral.ledger.parameter import ParameterBook
from cupral.ledger.reading import note_all
from cupral.ledger.result import Result, Versions, result_key
from cupral.ledger.rights import Rights
from cupral.ledger.stores.database import EMBEDDED
from cupral.ledger.workflow import Workflow

Query = Callable[..., Result]
Command = Callable[..., Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a system says of itself."""

    name: str
    title_zh: str
    title_en: str
    question_zh: str
    question_en: str
    asks: tuple[str, ...]
    """Names of its queries, e.g. 'share'."""
    clauses: tuple[str, ...] = ()
    """Targets (T1..T8) and measures (T09-M1) of the plan that it serves."""
    reads: tuple[str, ...] = ()
    """Queries of other systems that it asks, e.g. 'balance.months'."""
    workflows: tuple[Workflow, ...] = ()
    """How its documents go from hand to hand, one for each kind of document."""


def query(function: Query) -> Query:
    """Mark a function `(ledger, *, ...) -> Result` as a query."""
    function.__cupral__ = "query"  # type: ignore[attr-defined]
    return function


def command(function: Command) -> Command:
    """Mark a function `(ledger, *, author, ...)` as a command; each call is audited."""
    function.__cupral__ = "command"  # type: ignore[attr-defined]
    return function


def acting(action: str) -> Callable[[Command], Command]:
    """Say which action a command is, e.g. 'sign'; without it, who may post may order it."""

    def said(function: Command) -> Command:
        function.__action__ = action  # type: ignore[attr-defined]
        return function

    return said


@lru_cache(maxsize=1)
def manifests() -> Mapping[str, Manifest]:
    """Every system in the tree by name."""
    names = sorted(module.name for module in pkgutil.iter_modules(cupral.systems.__path__))
    return {name: importlib.import_module(f"cupral.systems.{name}").MANIFEST for name in names}


@lru_cache(maxsize=1)
def workflows() -> Mapping[str, Workflow]:
    """The workflow of each kind of document that has one."""
    return {flow.kind: flow for manifest in manifests().values() for flow in manifest.workflows}


@lru_cache(maxsize=1)
def queries() -> Mapping[str, Query]:
    """Every query by full name, e.g. 'efficiency.share'."""
    return dict(_marked("queries", "query"))


@lru_cache(maxsize=1)
def commands() -> Mapping[str, Command]:
    """Every command by full name."""
    return dict(_marked("commands", "command"))


def _marked(file: str, mark: str) -> Iterator[tuple[str, Callable[..., Any]]]:
    for name in manifests():
        for module in _modules(f"cupral.systems.{name}.{file}"):
            for attribute, function in vars(module).items():
                if getattr(function, "__cupral__", "") == mark and (
                    function.__module__.startswith(module.__name__)
                ):
                    yield f"{name}.{attribute}", function


def _modules(name: str) -> Iterator[ModuleType]:
    if importlib.util.find_spec(name) is None:
        return
    module = importlib.import_module(name)
    yield module
    for inner in pkgutil.iter_modules(getattr(module, "__path__", [])):
        yield importlib.import_module(f"{name}.{inner.name}")


@lru_cache(maxsize=1)
def parameter_book() -> ParameterBook:
    """The parameters that all systems ship."""
    root = Path(cupral.systems.__path__[0])
    return ParameterBook.read({p.parent.name: p for p in root.glob("*/parameters.toml")})


@lru_cache(maxsize=1)
def code_version() -> str:
    """Hash of Cupral's own source: a Result names the code that computed it."""
    root, digest = Path(cupral.systems.__path__[0]).parent, hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def open_ledger(folder: str | Path, *, database: str | None = None) -> Ledger:
    """Open (or create) the ledger in a folder with the shipped parameters.

    Its documents are kept on SQLite in the folder ("sqlite"), or on PostgreSQL by URL; unless
    told, as the environment variable CUPRAL_DATABASE says.
    """
    return Ledger.open(
        folder, parameters=parameter_book(), code=code_version(), database=database_url(database)
    )


def database_url(told: str | None = None) -> str:
    """Where documents are kept: as told, else by CUPRAL_DATABASE, else on SQLite."""
    return told or os.environ.get("CUPRAL_DATABASE") or EMBEDDED


def ask(ledger: Ledger, name: str, **arguments: Any) -> Result:
    """Answer a question by the name of its query, without writing.

    A kept Result is returned if it stands on the present ledger, parameters and code;
    otherwise the query runs. What the answer stood on is added to the asker's own reading.
    """
    function, ledger = _named(name), ledger.pinned()
    stated = bound(function, arguments)
    kept = ledger.kept(name, stated)
    if kept is not None:
        return kept
    with answering(ledger) as answers:
        key = result_key(name, stated)
        if key not in answers:
            answers[key] = _answered(ledger, name, function, arguments, stated)
        result, read = answers[key]
        note_all(read.scopes, demonstration=read.demonstration)
    return result


def call(ledger: Ledger, name: str, **arguments: Any) -> Result:
    """Answer a question and keep the Result, and every Result that it asked for.

    The inner ones are kept first, so that a refresh in the order of keeping finds them new.
    """
    ledger = ledger.pinned()
    with answering(ledger) as answers:
        result = ask(ledger, name, **arguments)
        for inner, read in answers.values():
            ledger.keep(inner, read)
    return result


State = tuple[Path, int, str, Rights]
"""Of which ledger, at which posting, with which parameters, seen by whom."""

Answers = dict[str, tuple[Result, Read]]
"""What has been answered, by key, in the order of being finished."""

_answers: ContextVar[tuple[State, Answers] | None] = ContextVar("cupral_answers", default=None)


@contextmanager
def answering(ledger: Ledger) -> Iterator[Answers]:
    """Answers of one outermost question: none is worked out twice on one state of a ledger."""
    state = (ledger.folder, ledger.head, ledger.book.version, ledger.rights)
    open_ = _answers.get()
    if open_ is not None and open_[0] == state:
        yield open_[1]
        return
    answers: Answers = {}
    token = _answers.set((state, answers))
    try:
        yield answers
    finally:
        _answers.reset(token)


def _answered(
    ledger: Ledger, name: str, function: Query, arguments: Mapping[str, Any],
    stated: Mapping[str, Any],
) -> tuple[Result, Read]:  # fmt: skip
    with ledger.reading() as read:
        result = function(ledger, **arguments)
    result = replace(
        result,
        query=name,
        arguments=stated,
        badges=tuple(dict.fromkeys((*assumptions(ledger.book, read.scopes), *result.badges))),
        demonstration=result.demonstration or read.demonstration,
        versions=Versions(read.head, fingerprint(ledger.book, read.scopes), ledger.code),
    )
    return result, read


def order(ledger: Ledger, name: str, *, author: str, **arguments: Any) -> Any:
    """Carry out a command by name and leave an audit record, also when it fails.

    Raises
    ------
    NoRight
        If the ledger is seen by somebody who may not order it, or orders in another's name.
    """
    if name not in commands():
        raise NotFound(f"no command {name!r}; there are {', '.join(sorted(commands()))}")
    with ledger.audited(author=author, action=name, arguments=arguments):
        demand_orderable(ledger, name)
        ledger.rights.demand_name(author)
        return commands()[name](ledger, author=author, **arguments)


def demand_orderable(ledger: Ledger, name: str) -> None:
    """Refuse who may not order a command on anything."""
    ledger.rights.demand(getattr(commands()[name], "__action__", "post"))


def refresh(ledger: Ledger) -> tuple[Result, ...]:
    """Recompute every stale Result as a new version; returns the new ones."""
    return tuple(call(ledger, old.query, **old.arguments) for old in ledger.stale_results())


def bound(function: Query, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments as they will be kept: defaults filled in, values in plain form.

    Raises
    ------
    NotFound
        If the query has no argument of that name.
    InputError
        If a number is NaN or infinite: it would pass every comparison silently.
    """
    signature = inspect.signature(function)
    unknown = set(arguments) - set(signature.parameters)
    if unknown:
        allowed = [name for name in signature.parameters if name != "ledger"]
        raise NotFound(f"{function.__name__} takes {allowed}, not {sorted(unknown)}")
    filled = signature.bind(None, **arguments)
    filled.apply_defaults()
    return {n: _plain(n, v) for n, v in filled.arguments.items() if n != "ledger" and v is not None}


def _plain(name: str, value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        raise InputError(f"{name} is {value}; give a finite number")
    return value if isinstance(value, bool | int | float | list | dict) else str(value)


def _named(name: str) -> Query:
    if name not in queries():
        raise NotFound(f"no query {name!r}; there are {', '.join(sorted(queries()))}")
    return queries()[name]
