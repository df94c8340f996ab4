"""Release: a frozen table that a department publishes; all that the public ever reads.

Live rows are for those who have a right to them. Everybody else reads releases: documents of
kind `release` and party `public`, of which every version stays. What a release stood on, by
enterprise, is kept beside it in a document of kind `release-basis` and party `department`, so
that the next version can be compared with all before it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from cupral.ledger.document import Document
from cupral.ledger.errors import CannotDecide
from cupral.ledger.ledger import Ledger
from cupral.ledger.parameter import Parameter
from cupral.ledger.template import Column, Template, sheet_file
from cupral.ledger.template.writing import Format

KIND, BASIS = "release", "release-basis"
PUBLIC, DEPARTMENT = "public", "department"
SECRET, HELD = "x", "*"
"""Marks of a figure: withheld for secrecy; the figure of an earlier version, its revision held."""
NOTE_ZH = (
    "x：为保守统计调查对象商业秘密而不公布（少于三家、有一家占优，或由其可推算出此类数据）；"
    "*：修订会暴露个别单位，仍为上一版数据。由于四舍五入，分项之和可能与合计略有出入。"
)
NOTE_EN = (
    "x: withheld, because the figure stands on fewer than three enterprises, one of them is"
    " dominant, or such a figure could be worked out from it. *: the figure of an earlier version,"
    " because its revision would single out an enterprise. Totals may differ by rounding."
)
_RULE = ("statistics.secrecy_holders", "statistics.secrecy_dominance", "statistics.secrecy_p")


@dataclass(frozen=True, slots=True)
class Secrecy:
    """The numbers of the rule in force on a day, and the parameters they come from."""

    holders: int
    shares: tuple[tuple[int, float], ...]
    p: float
    parameters: tuple[Parameter, ...]

    @property
    def references(self) -> tuple[str, ...]:
        """Lineage."""
        return tuple(parameter.reference for parameter in self.parameters)

    @property
    def badges(self) -> tuple[str, ...]:
        """Badges of what nobody has confirmed."""
        return tuple(f"unconfirmed: {one.id}" for one in self.parameters if not one.confirmed)


def secrecy(ledger: Ledger, day: date) -> Secrecy:
    """The rule of secrecy that holds on a day."""
    holders, dominance, p = found = tuple(ledger.parameter(id, day) for id in _RULE)
    shares = tuple((int(n), float(k)) for n, k in dominance.value.items())
    return Secrecy(int(holders.value), shares, float(p.value), found)


def released(ledger: Ledger, id: str) -> Document:
    """The latest version of a release.

    Raises
    ------
    CannotDecide
        If nothing has been released under that id.
    """
    found = ledger.documents(KIND, party=PUBLIC, id=id)
    if not found:
        raise CannotDecide(f"no release {id} has been published", needs=[f"a release {id}"])
    return found[-1]


def bases(ledger: Ledger, id: str) -> list[Mapping[str, Any]]:
    """What each version of a release stood on, oldest first; not for the public."""
    return [one.body for one in ledger.documents(BASIS, id=id, latest=False)]


def publish(
    ledger: Ledger, id: str, *, author: str, body: Mapping[str, Any], basis: Mapping[str, Any],
    demonstration: bool,
) -> Document:  # fmt: skip
    """Keep a new version of a release with what it stands on, in one posting.

    A body equal to the latest version's makes no new one.
    """
    earlier = ledger.documents(KIND, party=PUBLIC, id=id)
    if earlier and dict(earlier[-1].body) == dict(body):
        return earlier[-1]
    version = earlier[-1].version + 1 if earlier else 1
    documents = [
        Document(kind=kind, id=id, party=party, body=content, state="published",
                 demonstration=demonstration)
        for kind, party, content in ((KIND, PUBLIC, body), (BASIS, DEPARTMENT, basis))
    ]  # fmt: skip
    ledger.post(f"{KIND}:{id}:{version}", author=author, documents=documents,
                note=f"release {id}, version {version}")  # fmt: skip
    return released(ledger, id)


_TEXTS = (
    ("table", "表", "which table"), ("item", "指标", "product or sum of money"),
    ("chain", "产业链", "chain of a sum of money; all = both"),
    ("city", "地区", "city; empty = the province"), ("period", "时期", "month or merged months"),
    ("span", "口径", "the period itself, or January to its end"), ("unit", "单位", "unit"),
)  # fmt: skip
TEMPLATE = Template(
    "release", "公布数据 published figures",
    (
        *(Column(name=name, aliases=(zh,), description_zh=zh, description_en=text)
          for name, zh, text in _TEXTS),
        Column(name="value", aliases=("数值",), kind="number", description_zh="数值；不公布的为空",
               description_en="value; empty where it is withheld"),
        Column(name="mark", aliases=("标记",), description_zh=NOTE_ZH, description_en=NOTE_EN),
        Column(name="enterprises", aliases=("企业数",), kind="number",
               description_zh="有数企业数；不公布的为空",
               description_en="enterprises with an amount; empty where the value is withheld"),
    ),
)  # fmt: skip


def release_file(document: Document, format: Format = "csv") -> bytes:
    """A release as a file: its cells, marks and, as the last rows, what the marks mean."""
    return sheet_file({TEMPLATE: [*_rows(document.body["cells"]), *_notes(document)]}, format)


def _rows(cells: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [{column.name: cell.get(column.name) for column in TEMPLATE.columns} for cell in cells]


def _notes(document: Document) -> list[dict[str, Any]]:
    texts = [NOTE_ZH, NOTE_EN, f"{KIND} {document.id}, version {document.version}"]
    if document.demonstration:
        texts.append("示范数据，均为虚构 demonstration data, all fictional")
    return [{"table": "note", "item": text} for text in texts]
