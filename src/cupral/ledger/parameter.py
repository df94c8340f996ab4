"""Parameter: a dated, sourced number or small table, read from a system's parameters.toml.

    [al_liquid_ac_levels]
    title_zh = "铝液交流电耗限额等级"
    title_en = "liquid aluminium AC consumption, levels"
    unit = "kWh/t"
    force = "standard"                      # law, standard, proposal, demonstration or fact
    [[al_liquid_ac_levels.values]]
    valid_from = 2023-01-01                 # valid_to is optional
    value = {level1 = 12950, level2 = 13000, level3 = 13350}
    source = "GB 21346-2022 table 1, clause 4.1"
    status = "confirmed"                    # or "unconfirmed": shown with a badge

A parameter whose value is not known has `values = []`, and an `example` if it is more than a
number: whoever needs it gets `CannotDecide`, never a guess.
"""

import hashlib
import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

from cupral.ledger.errors import CannotDecide, InputError, NotFound

STATUSES = ("confirmed", "unconfirmed")
KIND = "parameter"
"""Kind of the documents that amend parameters, and their states."""
PROPOSED, CONFIRMED, REFUSED, WITHDRAWN = "proposed", "confirmed", "refused", "withdrawn"
FORCES = ("law", "standard", "proposal", "demonstration", "fact")


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """What a parameter is, whether it has a value or not."""

    id: str
    title_zh: str
    title_en: str
    unit: str
    force: str
    example: Any = None
    """What a value looks like, for a parameter that is shipped without one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One value of a parameter, with the dates for which it holds."""

    id: str
    title_zh: str
    title_en: str
    unit: str
    force: str
    value: Any
    valid_from: date
    valid_to: date | None
    source: str
    status: str
    note: str = ""
    document: str = field(default="", compare=False)
    """The amendment that entered it, e.g. 'parameter/ID@2026-01-01'; '' = shipped."""

    @property
    def confirmed(self) -> bool:
        """Whether the number may be shown without a badge."""
        return self.status == "confirmed"

    @property
    def reference(self) -> str:
        """How a Result's lineage names this value."""
        return f"parameter:{self.id}@{self.valid_from.isoformat()}"

    def __str__(self) -> str:
        badge = "" if self.confirmed else " (unconfirmed)"
        return f"{self.id} = {self.value} {self.unit}{badge}; {self.source}"


@dataclass(frozen=True, slots=True)
class ParameterBook:
    """All dated values of all parameters, and the hash of what they say."""

    values: Mapping[str, tuple[Parameter, ...]]
    version: str
    definitions: Mapping[str, Definition] = field(default_factory=dict)
    assumed: Mapping[str, Any] = field(default_factory=dict)
    """Of a scenario, the values that it assumes, by id."""
    replaced: tuple[Parameter, ...] = ()
    """Values whose place a later one of the same day has taken."""
    answers: dict[Any, str] = field(init=False, repr=False, compare=False, default_factory=dict)
    """What it has said to scopes (see `dependence`)."""

    @staticmethod
    def read(files: Mapping[str, Path]) -> "ParameterBook":
        """Read `{system name: path of its parameters.toml}`."""
        digest, values, known = hashlib.sha256(), {}, {}
        for system, path in sorted(files.items()):
            content = path.read_bytes()
            digest.update(system.encode() + b"\0" + content)
            for name, entry in _entries(system, content).items():
                id = f"{system}.{name}"
                values[id] = tuple(_dated(id, entry))
                known[id] = _definition(id, entry)
        return ParameterBook(values, digest.hexdigest()[:16], known)

    def on(self, id: str, day: date) -> Parameter:
        """The value of a parameter that is in force on a day.

        Raises
        ------
        NotFound
            If no parameter has this id.
        CannotDecide
            If it has no value on that day.
        """
        found = in_force(self.dated(id), day)
        if found is None:
            raise CannotDecide(f"parameter {id} has no value on {day}", needs=[id])
        return found

    def dated(self, id: str) -> tuple[Parameter, ...]:
        """All values of a parameter, in the order of the days from which they hold.

        Raises
        ------
        NotFound
            If no parameter has this id.
        """
        if id not in self.values:
            system = id.partition(".")[0]
            near = ", ".join(sorted(k for k in self.values if k.partition(".")[0] == system))
            raise NotFound(f"no parameter {id!r}; that system has: {near or 'none'}")
        return self.values[id]

    def matching(self, id: str) -> dict[str, tuple[Parameter, ...]]:
        """All values of a parameter; of all whose ids begin so, if the id ends in '*'."""
        if not id.endswith("*"):
            return {name: self.values[name] for name in (id,) if name in self.values}
        begun = id.removesuffix("*")
        return {name: dated for name, dated in self.values.items() if name.startswith(begun)}

    def amended(self, parameters: Iterable[Parameter]) -> "ParameterBook":
        """The book with these values; a later one takes the place of one from the same day."""
        values, digest = dict(self.values), hashlib.sha256(self.version.encode())
        replaced = list(self.replaced)
        for new in parameters:
            digest.update(json.dumps(said(new), sort_keys=True, default=str).encode())
            held = {old.valid_from: old for old in values.get(new.id, ())}
            replaced += [held[new.valid_from]] if new.valid_from in held else []
            dated = {**held, new.valid_from: new}
            values[new.id] = tuple(dated[day] for day in sorted(dated))
        version = digest.hexdigest()[:16]
        return replace(self, values=values, version=version, replaced=tuple(replaced))

    def assuming(self, values: Mapping[str, Any]) -> "ParameterBook":
        """The book of a scenario: each of these has one value, on every day.

        Raises
        ------
        NotFound
            If no parameter has one of the ids.
        """
        made = {id: (self._assumption(id, value),) for id, value in values.items()}
        text = json.dumps([self.version, values], sort_keys=True, default=str)
        version = hashlib.sha256(text.encode()).hexdigest()[:16]
        both = {**self.assumed, **values}
        return replace(self, values={**self.values, **made}, version=version, assumed=both)

    def _assumption(self, id: str, value: Any) -> Parameter:
        dated = self.dated(id)
        named = self.definitions.get(id) or dated[-1]
        return Parameter(
            id=id, title_zh=named.title_zh, title_en=named.title_en, unit=named.unit,
            force=named.force, value=value, valid_from=date.min, valid_to=None, source="assumed",
            status="unconfirmed",
        )  # fmt: skip


def in_force(dated: Iterable[Parameter], day: date) -> Parameter | None:
    """Of a parameter's values the one that holds on a day: the latest that has begun."""
    holding = [v for v in dated if v.valid_from <= day and (v.valid_to is None or day < v.valid_to)]
    return max(holding, key=lambda value: value.valid_from, default=None)


def said(parameter: Parameter | None) -> dict[str, Any] | None:
    """What a value says, whoever entered it."""
    if parameter is None:
        return None
    return {name: value for name, value in asdict(parameter).items() if name != "document"}


def _entries(system: str, content: bytes) -> dict[str, Any]:
    try:
        return tomllib.loads(content.decode())
    except ValueError as error:  # TOML or UTF-8
        raise InputError(f"parameters of {system} cannot be read: {error}") from None


def _definition(id: str, entry: Mapping[str, Any]) -> Definition:
    named = {key: entry[key] for key in ("title_zh", "title_en", "unit", "force")}
    return Definition(id=id, example=entry.get("example"), **named)


def _dated(id: str, entry: Mapping[str, Any]) -> Iterable[Parameter]:
    for key in ("title_zh", "title_en", "unit", "force", "values"):
        if key not in entry:
            raise InputError(f"parameter {id} lacks {key!r}")
    if entry["force"] not in FORCES:
        raise InputError(f"parameter {id}: force {entry['force']!r} is not one of {FORCES}")
    begun = set[date]()
    for value in entry["values"]:
        _check(id, value)
        if value["valid_from"] in begun:
            raise InputError(f"parameter {id} has two values from {value['valid_from']}; keep one")
        begun.add(value["valid_from"])
        yield Parameter(
            id=id, title_zh=entry["title_zh"], title_en=entry["title_en"], unit=entry["unit"],
            force=entry["force"], value=value["value"], valid_from=value["valid_from"],
            valid_to=value.get("valid_to"), source=value["source"], status=value["status"],
            note=value.get("note", ""),
        )  # fmt: skip


def _check(id: str, value: Mapping[str, Any]) -> None:
    for key in ("valid_from", "value"):
        if key not in value:
            raise InputError(f"parameter {id}: each value needs {key!r}")
    if value.get("status") not in STATUSES or not value.get("source"):
        raise InputError(f"parameter {id}: each value needs a source and a status {STATUSES}")
    for key in ("valid_from", "valid_to"):
        if type(value.get(key, date.min)) is not date:
            raise InputError(f"parameter {id}: {key} {value[key]!r} is no date; write 2026-01-31")
    if value.get("valid_to", date.max) <= value["valid_from"]:
        raise InputError(
            f"parameter {id}: the value from {value['valid_from']} ends before it begins"
        )
