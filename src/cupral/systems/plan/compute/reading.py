"""Read a plan file (TOML, JSON or YAML) into a Plan; everything from outside is checked here."""

import json
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Annotated, Any, Literal, TypeVar

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from cupral.ledger.errors import InputError
from cupral.ledger.period import Period
from cupral.systems.plan import model
from cupral.systems.plan.compute.gathering import GATHERERS
from cupral.systems.plan.model import (
    PLACEHOLDERS,
    Clause,
    Metric,
    Named,
    Plan,
    Source,
    Target,
    Task,
)

SCHEMA = "cupral.plan/1"
LARGEST = 2_000_000
"""A plan file may have this many characters."""
DEEPEST = 20
"""Lists within lists; the time to read YAML grows with the square of the depth."""

_Text = Annotated[str, Field(min_length=1, max_length=4000)]
_Field = Literal[
    "value", "sd", "low", "high", "probability", "to_date", "to_date_sd", "unit"
]  # fmt: skip
_NUMBER = re.compile(r"value|sd|low|high|\w+\.\w+")
"""Where a number stands in a Result: a field of it, or a column of a table."""
_Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]


_Model = TypeVar("_Model", bound=BaseModel)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class _NamedEntry(_Strict):
    zh: _Text
    en: _Text
    quote: str = ""


class _TestEntry(_Strict):
    id: _Id
    figure: Literal["level", "growth"]
    relation: _Text
    unit: str
    value: float | None = None
    parameter: str = ""
    proposal: bool = False
    measured_zh: str = ""
    measured_en: str = ""

    @model_validator(mode="after")
    def _one_threshold(self) -> "_TestEntry":
        if (self.value is None) == (not self.parameter):
            raise ValueError("a test needs either a value or a parameter that holds it, not both")
        return self


class _TargetEntry(_Strict):
    id: _Id
    indicator_zh: _Text
    indicator_en: _Text
    metric: _Id
    text_zh: _Text
    tests: Annotated[list[_TestEntry], Field(min_length=1)]
    note_zh: str = ""
    note_en: str = ""


class _ClauseEntry(_Strict):
    id: _Id
    text_zh: _Text
    text_en: _Text
    responsible: list[_Text] = []
    deadline: str = ""


class _TaskEntry(_Strict):
    no: Annotated[int, Field(ge=1)]
    title_zh: _Text
    title_en: _Text
    pillar_zh: str = ""
    pillar_en: str = ""
    responsible: Annotated[list[_Text], Field(min_length=1)]
    cities: list[str] = []
    products: list[_NamedEntry] = []
    technologies: list[_NamedEntry] = []
    clusters: list[_NamedEntry] = []
    regions: list[_NamedEntry] = []
    policies: list[_NamedEntry] = []
    clauses: Annotated[list[_ClauseEntry], Field(min_length=1)]


class _SourceEntry(_Strict):
    query: Annotated[str, Field(pattern=r"^[a-z_]+\.[a-z_]+$")]
    basis: Literal["declared", "reconciled", "modelled"]
    arguments: dict[str, Any] = {}
    figures: dict[Literal["level", "growth"], dict[_Field, str]] = {}
    gather: str = ""
    product: str = ""
    site_kind: str = ""
    unit: str = ""
    parameters: dict[str, str] = {}
    parts: dict[str, str] = {}

    @field_validator("query")
    @classmethod
    def _of_another_system(cls, query: str) -> str:
        if query.startswith("plan."):
            raise ValueError("plan asks other systems, not itself; name the query it would ask")
        return query

    @field_validator("arguments")
    @classmethod
    def _known_placeholders(cls, arguments: dict[str, Any]) -> dict[str, Any]:
        for text in arguments.values():
            for name in re.findall(r"\{(.*?)\}", text) if isinstance(text, str) else ():
                if name not in PLACEHOLDERS:
                    known = ", ".join(f"{{{one}}}" for one in PLACEHOLDERS)
                    raise ValueError(f"{{{name}}} is no placeholder; use {known}")
        return arguments

    @field_validator("figures")
    @classmethod
    def _of_numbers(cls, figures: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
        for figure, where in figures.items():
            if "value" not in where:
                raise ValueError(f"{figure} names no value; say where its value stands")
            for name, path in where.items():
                if name != "unit" and not _NUMBER.fullmatch(path):
                    raise ValueError(
                        f"{figure}.{name}: {path!r} is no number of a Result;"
                        " use value, sd, low or high, or TABLE.COLUMN"
                    )
        return figures

    @model_validator(mode="after")
    def _can_gather(self) -> "_SourceEntry":
        if not self.gather:
            return self
        if self.gather not in GATHERERS:
            known = ", ".join(GATHERERS)
            raise ValueError(f"gather {self.gather!r} is not known; use {known}")
        gatherer = GATHERERS[self.gather]
        if self.query != gatherer.query:
            raise ValueError(f"{self.gather} gathers {gatherer.query}, not {self.query}")
        if not self.product:
            raise ValueError(f"{self.gather} needs a product: whose lines are gathered")
        if set(self.parameters) != set(gatherer.settings):
            needed = ", ".join(gatherer.settings) or "none"
            raise ValueError(f"{self.gather} needs the parameters {needed}")
        return self


class _MetricEntry(_Strict):
    accumulates: bool
    declared: _SourceEntry | None = None
    second: _SourceEntry | None = None


class _PlanEntry(_Strict):
    schema_name: Annotated[Literal["cupral.plan/1"], Field(alias="schema")]
    id: _Id
    title_zh: _Text
    title_en: _Text
    issuer: _Text
    region_zh: _Text
    region_en: _Text
    year: Annotated[int, Field(ge=2000, le=2100)]
    published: date
    source: _Text
    status: Literal["confirmed", "unconfirmed"]
    deadline: _Text
    deadline_note: str = ""
    industries: list[str] = []
    departments: Annotated[list[_NamedEntry], Field(min_length=1)]
    safeguards: list[_NamedEntry] = []
    instruments: list[_NamedEntry] = []
    targets: Annotated[list[_TargetEntry], Field(min_length=1)]
    tasks: list[_TaskEntry] = []
    metrics: dict[str, _MetricEntry] = {}


class _MetricTable(_Strict):
    metrics: dict[str, _MetricEntry]


def parsed(text: str, form: str = "") -> dict[str, Any]:
    """The content of a plan file as a table.

    Parameters
    ----------
    text : str
        Content of the file.
    form : str
        'toml', 'json' or 'yaml'; empty = whichever of them reads it.

    Raises
    ------
    InputError
        If it is too long, in no such form, or not a table.
    """
    if len(text) > LARGEST:
        raise InputError(f"plan file has {len(text)} characters; at most {LARGEST} are allowed")
    forms = [form] if form else ["json", "toml", "yaml"]
    faults = []
    for name in forms:
        if name not in PARSERS:
            raise InputError(f"plan form {name!r} is not known; use one of {', '.join(PARSERS)}")
        try:
            content = PARSERS[name](text)
        except (ValueError, yaml.YAMLError, RecursionError) as error:
            faults.append(f"{name}: {error or type(error).__name__}")
            continue
        if isinstance(content, dict):
            return content
        faults.append(f"{name}: the file is a {type(content).__name__}, not a table")
    raise InputError("plan file cannot be read; " + "; ".join(faults))


def _yaml(text: str) -> Any:
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.AliasEvent):
            raise ValueError("aliases (*name) are not allowed, they can grow without bound")
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise ValueError(f"lists stand more than {DEEPEST} deep in each other")
    return yaml.safe_load(text)


PARSERS: Mapping[str, Callable[[str], Any]] = {
    "json": json.loads,
    "toml": tomllib.loads,
    "yaml": _yaml,
}


def plan(content: Mapping[str, Any]) -> Plan:
    """A Plan from the content of a plan file.

    Raises
    ------
    InputError
        If something is missing, unknown, twice, or of the wrong kind; each place is named.
    """
    entry = _checked(_PlanEntry, content, "plan")
    tasks = tuple(_task(task, entry) for task in entry.tasks)
    found = Plan(
        **entry.model_dump(include=set(_COPIED)),
        published=entry.published.isoformat(),
        industries=tuple(entry.industries),
        departments=_named(entry.departments),
        safeguards=_named(entry.safeguards),
        instruments=_named(entry.instruments),
        targets=tuple(_target(target) for target in entry.targets),
        tasks=tasks,
        metrics={id: _metric(id, metric) for id, metric in entry.metrics.items()},
    )
    _check(found)
    return found


_COPIED = (
    "id", "title_zh", "title_en", "issuer", "region_zh", "region_en", "year", "source", "status"
)  # fmt: skip


def metrics(content: Mapping[str, Any]) -> dict[str, Metric]:
    """The shipped metric table from the content of its file."""
    table = _checked(_MetricTable, {"metrics": content}, "metric table")
    return {id: _metric(id, entry) for id, entry in table.metrics.items()}


def _checked(kind: type[_Model], content: Mapping[str, Any], what: str) -> _Model:
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        faults = [f"  {_place(fault['loc'])}: {fault['msg']}" for fault in error.errors()]
        more = [f"  and {len(faults) - 12} more"] if len(faults) > 12 else []
        raise InputError(
            "\n".join([f"{what} file: {len(faults)} faults, nothing loaded", *faults[:12], *more])
            + f"\n  cure: compare with the shipped plan of schema {SCHEMA}"
        ) from None


def _place(location: Iterable[Any]) -> str:
    text = "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in location)
    return text.lstrip(".") or "file"


def _named(entries: Iterable[_NamedEntry]) -> tuple[Named, ...]:
    return tuple(Named(entry.zh, entry.en, entry.quote) for entry in entries)


def _target(entry: _TargetEntry) -> Target:
    tests = tuple(model.Test(**test.model_dump()) for test in entry.tests)
    return Target(**{**entry.model_dump(exclude={"tests"}), "tests": tests})


def _task(entry: _TaskEntry, whole: _PlanEntry) -> Task:
    clauses = tuple(_clause(clause, entry, whole) for clause in entry.clauses)
    lists = ("products", "technologies", "clusters", "regions", "policies")
    copied: dict[str, Any] = entry.model_dump(
        include={"no", "title_zh", "title_en", "pillar_zh", "pillar_en"}
    )
    copied |= {name: _named(getattr(entry, name)) for name in lists}
    return Task(
        **copied, responsible=tuple(entry.responsible), cities=tuple(entry.cities), clauses=clauses
    )


def _clause(entry: _ClauseEntry, task: _TaskEntry, whole: _PlanEntry) -> Clause:
    lead, *supporting = entry.responsible or task.responsible
    return Clause(
        id=entry.id, task=task.no, text_zh=entry.text_zh, text_en=entry.text_en,
        lead=lead, supporting=tuple(supporting), deadline=entry.deadline or whole.deadline,
        deadline_note="" if entry.deadline else whole.deadline_note,
    )  # fmt: skip


def _metric(id: str, entry: _MetricEntry) -> Metric:
    declared, second = (
        Source(**source.model_dump()) if source else None
        for source in (entry.declared, entry.second)
    )
    return Metric(id=id, accumulates=entry.accumulates, declared=declared, second=second)


def _check(found: Plan) -> None:
    """Refuse a plan that contradicts itself, naming the first thing that is wrong."""
    _once("target", [target.id for target in found.targets])
    _once("test", [test.id for target in found.targets for test in target.tests])
    _once("task", [str(task.no) for task in found.tasks])
    _once("clause", [clause.id for clause in found.clauses])
    _once("department", [department.zh for department in found.departments])
    known = {department.zh for department in found.departments}
    for clause in found.clauses:
        Period.parse(clause.deadline)
        for unit in (clause.lead, *clause.supporting):
            if unit not in known:
                raise InputError(
                    f"plan file: clause {clause.id} names unit {unit!r}, which is not among the"
                    f" departments; add it there or use one of {', '.join(sorted(known))}"
                )


def _once(noun: str, ids: list[str]) -> None:
    for id in ids:
        if ids.count(id) > 1:
            raise InputError(f"plan file: two {noun} entries are called {id!r}; rename one")
