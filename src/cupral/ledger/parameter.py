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

A parameter whose value is not known has `values = []`: whoever needs it gets
`CannotDecide`, never a guess.
"""

import hashlib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from cupral.ledger.errors import CannotDecide, InputError, NotFound

STATUSES = ("confirmed", "unconfirmed")
FORCES = ("law", "standard", "proposal", "demonstration", "fact")


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

    @staticmethod
    def read(files: Mapping[str, Path]) -> "ParameterBook":
        """Read `{system name: path of its parameters.toml}`."""
        digest, values = hashlib.sha256(), {}
        for system, path in sorted(files.items()):
            content = path.read_bytes()
            digest.update(system.encode() + b"\0" + content)
            for name, entry in _entries(system, content).items():
                values[f"{system}.{name}"] = tuple(_dated(f"{system}.{name}", entry))
        return ParameterBook(values, digest.hexdigest()[:16])

    def on(self, id: str, day: date) -> Parameter:
        """The value of a parameter that is in force on a day.

        Raises
        ------
        NotFound
            If no parameter has this id.
        CannotDecide
            If it has no value on that day.
        """
        if id not in self.values:
            system = id.partition(".")[0]
            near = ", ".join(sorted(k for k in self.values if k.partition(".")[0] == system))
            raise NotFound(f"no parameter {id!r}; that system has: {near or 'none'}")
        dated = [
            v for v in self.values[id]
            if v.valid_from <= day and (v.valid_to is None or day < v.valid_to)
        ]  # fmt: skip
        if not dated:
            raise CannotDecide(f"parameter {id} has no value on {day}", needs=[id])
        return max(dated, key=lambda value: value.valid_from)


def _entries(system: str, content: bytes) -> dict[str, Any]:
    try:
        return tomllib.loads(content.decode())
    except ValueError as error:  # TOML or UTF-8
        raise InputError(f"parameters of {system} cannot be read: {error}") from None


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
