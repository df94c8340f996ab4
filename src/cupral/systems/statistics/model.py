"""The nouns of statistics: a monthly return of an enterprise and what is made of returns."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from cupral.ledger.period import Period

PRODUCTS = {
    "cathode_copper": "copper",
    "copper_semis": "copper",
    "copper_rod": "copper",
    "recycled_copper": "copper",
    "sulphuric_acid": "copper",
    "gold": "copper",
    "silver": "copper",
    "primary_aluminium": "aluminium",
    "aluminium_semis": "aluminium",
    "alumina": "aluminium",
    "recycled_aluminium": "aluminium",
}
"""Products of the returns and the chain they belong to."""

CHAINS = ("copper", "aluminium")
MONEY = ("revenue", "gross_output_value", "value_added")
ITEMS = ("output", *MONEY, "line_output", "line_energy")
"""What a row of a return can say."""
FACTS = ("above_designated_size", "value_added_rate", "price_index", "restated")
"""What a return says once, beside its rows."""
BOUNDARIES = ("liquid_ac", "liquid_comprehensive_ac", "dc", "comprehensive")


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One row of a return."""

    item: str
    amount: float
    unit: str
    product: str = ""
    site: str = ""
    line: str = ""
    boundary: str = ""

    @property
    def stream(self) -> str:
        """The ledger stream that carries this row."""
        if self.item == "output":
            return f"return:output:{self.product}"
        if self.item == "line_output":
            return f"return:line:{self.line}:output"
        if self.item == "line_energy":
            return f"return:line:{self.line}:{self.boundary}"
        return f"return:{self.item}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Return:
    """What an enterprise files for a month, or for January and February together."""

    enterprise: str
    period: Period
    above_designated_size: bool
    """Whether it is in this year's list (revenue above 20 million CNY)."""
    items: tuple[Item, ...]
    value_added_rate: float | None = None
    """Value added over gross output value [0-1]."""
    price_index: float | None = None
    """Producer prices of its products, same period of last year = 100."""
    restated: Mapping[str, float] = field(default_factory=dict)
    """Last year's figure of the same period in this year's scope [t or CNY], by stream tail:
    'value_added', 'revenue', 'gross_output_value' or 'output:<product>'."""

    @property
    def id(self) -> str:
        """Id of its document."""
        return f"{self.enterprise}:{self.period}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filed:
    """What filing did, or would do."""

    posting: str
    status: str
    """'posted', 'already' or 'dry run'."""
    returns: int
    rows: int
    warnings: tuple[str, ...]
    seq: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One enterprise's figures of one kind: this year to date against last year."""

    enterprise: str
    to_date: float
    """This year's sum to date."""
    base: float | None
    """Last year's sum of the same periods, restated to this year's list; None = not known."""
    base_rest: float
    """Last year's sum of the periods to come."""
    published_base: float
    """What last year's list counted in the same periods."""
    sd: float
    """Standard uncertainty of `to_date`."""
    references: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    """Months to date that no return covers."""
    real: float | None = None
    """`to_date` at last year's prices, where the kind asks for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """What an enterprise made of a product, to date and last year [t]."""

    enterprise: str
    product: str
    declared: float
    amount: float
    base: float | None
    """None = not known."""
    base_rest: float
    basis: str
    """'reconciled' or 'declared', of `amount`."""
    base_basis: str
    loadings: tuple[tuple[str, float], ...]
    base_loadings: tuple[tuple[str, float], ...]
    references: tuple[str, ...]
    missing: tuple[str, ...] = ()
    """Returns without which `amount` is not the whole."""
