"""Option: something that could be done, for the planner to choose from."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """A candidate measure with its effect, cost and limits."""

    id: str
    system: str
    site: str
    title_zh: str
    title_en: str
    effects: Mapping[str, float] = field(default_factory=dict)
    """Change of each flow or indicator for one unit of the option."""
    cost: float = 0.0
    """Annual cost of one unit [CNY/a]."""
    limit: float = 1.0
    lead_months: int = 0
    badges: tuple[str, ...] = ()
