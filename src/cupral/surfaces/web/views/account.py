"""Account: a site's metal account over a period, as an auditor reads, judges and signs it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cupral.ledger.errors import CannotDecide, InputError
from cupral.ledger.period import Period
from cupral.ledger.result import Result
from cupral.surfaces.web.asked import Asked, Page
from cupral.surfaces.web.figures import link
from cupral.surfaces.web.views.sites import measured_months
from cupral.system import ask

Row = Mapping[str, Any]
VERDICTS = ("confirmed", "dismissed", "open")
STATES = {
    "open doubts": "missed", "ready to sign": "open", "signed": "met",
    "changed since signed": "missed",
}  # fmt: skip
"""Status of an account -> shape of its verdict."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The doubts of one group of meters, month by month: they are judged together."""

    kind: str
    meters: tuple[str, ...]
    rows: tuple[Row, ...]

    @property
    def names(self) -> str:
        """The meters as a form sends them back."""
        return json.dumps(self.meters, ensure_ascii=False)

    @property
    def waiting(self) -> bool:
        """Whether nobody has judged some month of it."""
        return any(row["state"] == "open" for row in self.rows)


def account(asked: Asked) -> Page:
    """The account of `?period=`; without one, of the latest year with readings."""
    ledger = asked.ledger
    place = ledger.site(asked.named["site"])
    months = measured_months(ledger, place.id).get(place.id, ())
    period = asked.get("period") or _latest_year(months)
    result, undecided = _asked_for(asked, place.id, period)
    tables = result.tables if result else {}
    month = _month(asked, [row["month"] for row in tables.get("months", ())])
    content = {
        "site": place, "period": period, "years": _years(months), "result": result,
        "undecided": undecided, "state": STATES.get(result.status if result else "", "undecided"),
        "groups": groups(tables.get("doubts", ())), "verdicts": VERDICTS, "month": month,
        "meters": [row for row in tables.get("meters", ()) if row["month"] == month],
        "balances": [row for row in tables.get("balances", ()) if row["month"] == month],
        "key": f"result:balance.accounts?period={period}&site={place.id}",
        "address": address(place.id, period),
    }  # fmt: skip
    title = f"{asked.language('account.title')} · {asked.language.of(place)} · {period}"
    return Page(template="account.html", title=title, content=content,
                demonstration=place.demonstration)  # fmt: skip


def address(site: str, period: str) -> str:
    """Where the account of a site and period stands."""
    return link(f"/sites/{site}/account", period=period)


def groups(doubts: Sequence[Row]) -> list[Group]:
    """Doubts by kind and meters, those with an open month first."""
    found: dict[tuple[str, tuple[str, ...]], list[Row]] = {}
    for row in doubts:
        found.setdefault((row["kind"], tuple(row["meters"])), []).append(row)
    made = [Group(kind=kind, meters=meters, rows=tuple(rows))
            for (kind, meters), rows in found.items()]  # fmt: skip
    return sorted(made, key=lambda group: not group.waiting)


def judgements(texts: Mapping[str, str]) -> list[dict[str, Any]]:
    """The orders that a form of judgement asks for, one a month that was ticked.

    Raises
    ------
    InputError
        If no month is ticked, or the meters are not those of a form.
    """
    months = [name.removeprefix("month-") for name in texts if name.startswith("month-")]
    if not months:
        raise InputError("no month is chosen; tick the months that you judge")
    try:
        meters = json.loads(texts.get("meters", ""))
    except json.JSONDecodeError:
        meters = None
    if not isinstance(meters, list) or not all(isinstance(name, str) for name in meters):
        raise InputError("the meters are not those of a doubt; open the account and judge there")
    culprits = [name for name in meters if texts.get(f"culprit-{name}")]
    return [
        {"month": f"{month[:4]}-{month[4:]}", "kind": texts.get("kind", "bias"), "meters": meters,
         "verdict": texts.get("verdict", ""), "reason": texts.get("reason", ""),
         "culprits": culprits}
        for month in months
    ]  # fmt: skip


def _asked_for(asked: Asked, site: str, period: str) -> tuple[Result | None, str]:
    if not period:
        return None, ""
    try:
        return ask(asked.ledger, "balance.accounts", site=site, period=period), ""
    except CannotDecide as error:
        return None, str(error)


def _years(months: Sequence[int]) -> list[str]:
    """Each year's months with readings as a period."""
    years = dict.fromkeys(month // 100 for month in months)
    mine = [[month for month in months if month // 100 == year] for year in years]
    return [str(Period.run(found[0], found[-1])) for found in mine]


def _latest_year(months: Sequence[int]) -> str:
    return (_years(months) or [""])[-1]


def _month(asked: Asked, months: Sequence[int]) -> int | None:
    """The month whose meters are listed: `?month=`, else the last one."""
    wanted = asked.get("month").replace("-", "")
    chosen = [month for month in months if str(month) == wanted] or months[-1:]
    return chosen[0] if chosen else None
