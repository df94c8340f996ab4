"""The nouns of a plan: what it wants, who answers for it, and what it names."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Named:
    """A thing that the plan names, in both languages."""

    zh: str
    en: str
    quote: str = ""
    """The words of the plan where `zh` is our short form of them."""

    @property
    def words(self) -> str:
        """The words that occur in the plan's text."""
        return self.quote or self.zh


PLACEHOLDERS = ("year", "through", "period", "twelve_months", "threshold", "site")
"""What the text of a source's arguments may hold in braces, to be filled in when it is asked."""

Department = Named
Product = Named
Technology = Named
Cluster = Named


@dataclass(frozen=True, slots=True, kw_only=True)
class Test:
    """One comparison that a target asks for, e.g. 'about 170 (10 kt)'."""

    id: str
    figure: str
    """Which figure of the metric is judged: 'level' or 'growth'."""
    relation: str
    """Word of the plan: 左右, 超, 突破, 不高于, 不低于 ... (parameter plan.relations)."""
    unit: str
    value: float | None = None
    """Threshold in `unit`; None if `parameter` holds it."""
    parameter: str = ""
    """Dated parameter that holds the threshold, for tests that are our own proposal."""
    proposal: bool = False
    measured_zh: str = ""
    measured_en: str = ""
    """What is compared, where that is not the indicator itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """An indicator of the plan with its tests."""

    id: str
    indicator_zh: str
    indicator_en: str
    metric: str
    """Row of the metric table that says which queries answer it."""
    tests: tuple[Test, ...]
    text_zh: str
    note_zh: str = ""
    note_en: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """One commitment (举措) of the plan."""

    id: str
    task: int
    text_zh: str
    text_en: str
    lead: str
    supporting: tuple[str, ...]
    deadline: str
    deadline_note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A task with its clauses and everything it names."""

    no: int
    title_zh: str
    title_en: str
    pillar_zh: str
    pillar_en: str
    responsible: tuple[str, ...]
    """Lead unit first, supporting units after it."""
    clauses: tuple[Clause, ...]
    cities: tuple[str, ...] = ()
    products: tuple[Product, ...] = ()
    technologies: tuple[Technology, ...] = ()
    clusters: tuple[Cluster, ...] = ()
    regions: tuple[Named, ...] = ()
    policies: tuple[Named, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Which query gives a metric's figure, and where in its Result the figures stand."""

    query: str
    basis: str
    """Origin of the figure: 'declared', 'reconciled' or 'modelled'."""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    """Arguments; text may hold `PLACEHOLDERS` in braces."""
    figures: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """'level' or 'growth' -> where its value, sd, low, high, probability and to_date stand:
    'value', 'sd' ... of the Result, or 'table.column' of a table's first row; `unit` is
    literal and otherwise the Result's."""
    gather: str = ""
    """How the answers of sites become one figure: a name in `compute.gathering.GATHERERS`."""
    product: str = ""
    """For gathered figures: product of the lines whose sites are asked."""
    site_kind: str = ""
    """For gathered figures: only sites of this kind, e.g. those of one route; empty = all."""
    unit: str = ""
    """Unit of a gathered figure, of contributions, and of the {threshold} placeholder."""
    parameters: Mapping[str, str] = field(default_factory=dict)
    """Settings of the gatherer: its name for one -> the parameter that holds it."""
    parts: Mapping[str, str] = field(default_factory=dict)
    """Columns of the Result's parts that say what each part contributes: 'value', 'base' (last
    year's), 'capacity' (what it weighs if it counts), 'intensity' (the lowest comes next), and
    others to show along."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """Where a target's declared and second (reconciled or modelled) figures come from."""

    id: str
    accumulates: bool
    """True for a sum over the year (judged on the full-year projection), False for a state."""
    declared: Source | None
    second: Source | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A plan document as data."""

    id: str
    title_zh: str
    title_en: str
    issuer: str
    region_zh: str
    region_en: str
    year: int
    published: str
    source: str
    status: str
    departments: tuple[Department, ...]
    targets: tuple[Target, ...]
    tasks: tuple[Task, ...]
    industries: tuple[str, ...] = ()
    safeguards: tuple[Named, ...] = ()
    instruments: tuple[Named, ...] = ()
    metrics: Mapping[str, Metric] = field(default_factory=dict)
    """Metrics that this plan brings along, beside the shipped table."""

    @property
    def clauses(self) -> tuple[Clause, ...]:
        """All clauses in the plan's order."""
        return tuple(clause for task in self.tasks for clause in task.clauses)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure of a metric."""

    value: float
    unit: str
    sd: float | None = None
    low: float | None = None
    high: float | None = None
    probability: float | None = None
    """P(test met), when the answering query drew it jointly."""
    to_date: float | None = None
    """What has accumulated to date, when `value` is a full-year projection."""
    to_date_sd: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """The values that meet a test: from `low` to `high`, ends included or not."""

    low: float | None = None
    high: float | None = None
    strict: bool = False
