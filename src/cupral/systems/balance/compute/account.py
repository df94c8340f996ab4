"""A site's metal account over a period, as an auditor reads and signs it."""

import hashlib
import json
import math
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from cupral.systems.balance.compute import judging, report
from cupral.systems.balance.compute.month import Sheet
from cupral.systems.balance.model import MonthBalance

Row = dict[str, Any]
Tables = dict[str, tuple[Row, ...]]
DIGITS = 10
"""Digits of a number that a signature stands for: another machine rounds the last ones."""
CLOSED = 1e-9
"""Largest imbalance, as a share of the terms of a balance, that counts as closed."""


def tables(sheet: Sheet) -> Tables:
    """Everything that is signed: months, doubts, meters and closing of each balance."""
    return {
        "months": tuple(report.summary(balance) for balance in sheet.balances),
        "doubts": judging.register(sheet.balances, sheet.judgements),
        "meters": tuple(row for balance in sheet.balances for row in _meters(balance)),
        "balances": tuple(row for balance in sheet.balances for row in _balances(balance)),
    }


def _meters(balance: MonthBalance) -> list[Row]:
    return [{"month": balance.month, **row} for row in report.meters(balance)]


def _balances(balance: MonthBalance) -> list[Row]:
    return [{"month": balance.month, **row} for row in report.balances(balance)]


def fingerprint(account: Tables) -> str:
    """What a signature stands for: the tables to ten digits.

    Examples
    --------
    >>> one, two = {"a": ({"x": 0.1 + 0.2},)}, {"a": ({"x": 0.3},)}
    >>> fingerprint(one) == fingerprint(two), fingerprint(one) == fingerprint({"a": ()})
    (True, False)
    """
    text = json.dumps(_rounded(account), ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return f"{value:.{DIGITS - 1}e}" if math.isfinite(value) else repr(value)
    if isinstance(value, Mapping):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_rounded(item) for item in value]
    return value


def open_doubts(account: Tables) -> tuple[Row, ...]:
    """Doubts that nobody has judged."""
    return tuple(row for row in account["doubts"] if row["state"] == judging.OPEN)


def judges(account: Tables) -> frozenset[str]:
    """Who judged a doubt of this account."""
    return frozenset(row["author"] for row in account["doubts"] if row["state"] != judging.OPEN)


def principles(
    account: Tables, sheet: Sheet, signed: str, signer: str, wanted: Mapping[str, float]
) -> tuple[Row, ...]:
    """One row a principle of the AMIRA P754 code: what serves it here, and whether it does.

    Parameters
    ----------
    signed, signer
        Whether the account is signed, and the name under its last signature; empty = none.
    wanted
        Parameter `balance.account_shares`: least shares of the readings that are `checked` by
        balances, and that have a `detectable` bias.
    """
    evidence = _evidence(account, wanted) | _acts(account, sheet, signed, signer)
    return tuple(
        {
            "number": one["number"], "zh": one["zh"], "en": one["en"], "table": one["served_by"],
            "served": evidence[one["evidence"]][0], "evidence": evidence[one["evidence"]][1],
            "status": one["status"],
        }
        for one in _principles()
    )  # fmt: skip


@cache
def _principles() -> tuple[Row, ...]:
    text = files("cupral.systems.balance").joinpath("tables/principles.toml").read_text("utf-8")
    return tuple(tomllib.loads(text)["principles"])


def _evidence(account: Tables, wanted: Mapping[str, float]) -> dict[str, tuple[bool, str]]:
    """What the readings and balances show: whether a principle is served, and the figures."""
    meters = account["meters"]
    count = len(meters)
    checked = sum(row["class"] == "redundant" for row in meters)
    sourced = sum(bool(row["refs"]) for row in meters)
    priors = sum(row["meter"].startswith("prior:") for row in meters)
    shown = sum(row["smallest_detectable"] is not None for row in meters)
    shut = [row for row in account["balances"] if row["relative"] is not None]
    worst = max((abs(row["relative"]) for row in shut), default=0.0)
    return {
        "redundant": (
            checked >= wanted["checked"] * count,
            f"{checked} of {count} readings are checked by balances",
        ),
        "referenced": (sourced == count, f"{sourced} of {count} readings name their rows"),
        "provisional": (not priors, f"{priors} of {count} values are stated priors"),
        "closed": (worst <= CLOSED, f"{len(shut)} balances close to {worst:.1e} of their terms"),
        "detectable": (
            shown >= wanted["detectable"] * count,
            f"smallest detectable bias stated for {shown} of {count}",
        ),
    }


def _acts(account: Tables, sheet: Sheet, signed: str, signer: str) -> dict[str, tuple[bool, str]]:
    """What people did: versions, periods, judgements and signatures."""
    waiting, judged = len(open_doubts(account)), len(account["doubts"])
    gaps = len(sheet.missing) + len(sheet.partial)
    alone = signer if signer in judges(account) else ""
    return {
        "pinned": _pinned(sheet.network.version, alone),
        "signed": (signed == "signed", signed),
        "complete": (not gaps, f"{len(account['months'])} months, {gaps} gaps"),
        "judged": (not waiting, f"{judged - waiting} of {judged} doubts judged, {waiting} open"),
    }


def _pinned(version: int, alone: str) -> tuple[bool, str]:
    """Whether the account can be made again, and does not depend on one person."""
    if not version:
        return False, "the network has no version"
    named = f"network version {version}; rows, rules and code named"
    if alone:
        return False, f"{named}; {alone} signed and judged doubts too"
    return True, named
