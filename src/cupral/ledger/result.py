"""Result: a computed statement with value, interval, parts, lineage and versions."""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

Row = Mapping[str, Any]
"""One line of a small table: text, numbers, booleans or None by column name."""


SCENARIO = "scenario: "
"""What the badge of an assumption begins with; 'assumes ID = VALUE' follows."""


@dataclass(frozen=True, slots=True)
class Versions:
    """What a Result stands on: posting number, the parameters that it used, and code."""

    ledger: int = 0
    parameters: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a query answers.

    `value` is None when the answer is not a number or cannot be decided; then `status` says
    which and `needs` names what is missing.
    """

    query: str
    subject: str
    period: str = ""
    value: float | None = None
    unit: str = ""
    sd: float | None = None
    low: float | None = None
    high: float | None = None
    """5 % and 95 % points where an interval is known."""
    origin: str = ""
    status: str = "ok"
    """'ok', 'cannot decide' or a verdict such as 'met' / 'not met'."""
    needs: tuple[str, ...] = ()
    badges: tuple[str, ...] = ()
    """Warnings a reader must see, e.g. 'unconfirmed: efficiency.x' or 'proposal'."""
    parts: tuple[Row, ...] = ()
    """The table that makes up the value."""
    tables: Mapping[str, tuple[Row, ...]] = field(default_factory=dict)
    """Further small tables by name."""
    lineage: tuple[str, ...] = ()
    """References: `flows:posting/row`, `parameter:id@date`, `result:query?arguments`."""
    versions: Versions = Versions()
    demonstration: bool = False
    arguments: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """Query and arguments in one canonical text; versions of a statement share it."""
        return result_key(self.query, self.arguments)

    def document(self) -> dict[str, Any]:
        """Plain JSON-able content; numbers that are not finite are refused."""
        return _plain(asdict(self), self.query)  # type: ignore[no-any-return]

    @property
    def scenario(self) -> bool:
        """Whether it stands on an assumption, so that it is shown but never kept."""
        return any(badge.startswith(SCENARIO) for badge in self.badges)

    @property
    def sha256(self) -> str:
        """Hash of the content: equal content, equal hash, bit for bit."""
        text = json.dumps(self.document(), ensure_ascii=False, sort_keys=True, allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()

    @staticmethod
    def from_document(document: Mapping[str, Any]) -> "Result":
        """Rebuild a Result from `document()`."""
        content = dict(document)
        content["versions"] = Versions(**content["versions"])
        for name in ("needs", "badges", "parts", "lineage"):
            content[name] = tuple(content[name])
        content["tables"] = {name: tuple(rows) for name, rows in content["tables"].items()}
        return Result(**content)

    def __str__(self) -> str:
        spread = f" ± {self.sd:.3g}" if self.sd is not None else ""
        shown = "—" if self.value is None else f"{self.value:,.6g}{spread} {self.unit}"
        interval = "" if self.low is None else f"  [{self.low:,.6g}, {self.high:,.6g}]"
        demo = "  (demonstration)" if self.demonstration else ""
        lines = [
            f"{self.query}  {self.subject} {self.period}: {shown}{interval}  {self.status}{demo}"
        ]
        lines += [f"  {_row(row)}" for row in self.parts[:3]]
        lines += [f"  from {reference}" for reference in self.lineage[:3]]
        return "\n".join(lines)


def result_key(query: str, arguments: Mapping[str, Any]) -> str:
    """Canonical text of a question.

    Examples
    --------
    >>> result_key("plan.status", {"year": 2026, "plan": "x"})
    'plan.status?plan=x&year=2026'
    """
    shown = "&".join(
        f"{name}={_shown(value)}" for name, value in sorted(arguments.items()) if value is not None
    )
    return f"{query}?{shown}" if shown else query


def _shown(value: Any) -> str:
    shown = value if isinstance(value, str) else json.dumps(
        value, sort_keys=True, default=str, ensure_ascii=False
    )  # fmt: skip
    return shown.replace("%", "%25").replace("&", "%26")  # so that no two questions read alike


def _row(row: Row) -> str:
    return "  ".join(
        f"{name} {value:,.6g}" if isinstance(value, float) else f"{name} {value}"
        for name, value in row.items()
        if value not in (None, "")
    )


def _plain(value: Any, where: str) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _plain(item, f"{where}.{name}") for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, where) for item in value]
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{where} is {value}: a Result says None where there is no number")
    return value
