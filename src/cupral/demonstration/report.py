"""What reconciliation found of the planted faults: found, missed and false, against the truth."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cupral import system
from cupral.demonstration.calendar import MONTHS
from cupral.demonstration.faults import Fault
from cupral.demonstration.truth import load
from cupral.ledger.ledger import Ledger

PERIODS = ("2025-01..2025-10", "2025-11..2025-12", "2026-01..2026-10")
"""All months of the demonstration, in the spans that are kept already for the targets."""

Doubts = Mapping[tuple[str, int], Sequence[frozenset[str]]]
"""Groups of suspect meters by site and month (YYYYMM)."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One planted fault and the months in which a suspect group held its meter."""

    fault: Fault
    months: int
    """Months in which the meter was wrong."""
    corrected: int
    """Months whose readings have been corrected since; they count as sound."""
    named: int
    """Months in which a suspect group held it."""
    alone: int
    """Months in which it was named alone."""

    @property
    def found(self) -> bool:
        """Whether it was named at all."""
        return self.named > 0

    def __str__(self) -> str:
        past = f"; {self.corrected} months corrected since" if self.corrected else ""
        return (
            f"{self.fault.meter}: {self.fault.en}; named in {self.named} of {self.months} months,"
            f" alone in {self.alone}{past}"
        )


@dataclass(frozen=True, slots=True)
class FaultReport:
    """Found, missed and false."""

    findings: tuple[Finding, ...]
    false_months: int
    """Site-months without an active fault in which some meter was named."""
    healthy_months: int
    """Site-months without an active fault."""

    @property
    def found(self) -> tuple[Finding, ...]:
        """Faults that were named."""
        return tuple(finding for finding in self.findings if finding.found)

    @property
    def missed(self) -> tuple[Finding, ...]:
        """Faults that stand and were never named."""
        return tuple(f for f in self.findings if f.months and not f.found)

    @property
    def corrected(self) -> tuple[Finding, ...]:
        """Faults that a corrected file has removed from the ledger."""
        return tuple(finding for finding in self.findings if not finding.months)

    @property
    def false_rate(self) -> float:
        """False alarms per healthy site-month [1]."""
        return self.false_months / self.healthy_months

    def __str__(self) -> str:
        gone = f", corrected since {len(self.corrected)}" if self.corrected else ""
        head = (
            f"planted faults {len(self.findings)}: found {len(self.found)}, missed"
            f" {len(self.missed)}{gone}; false alarms {self.false_months} of"
            f" {self.healthy_months} sound site-months ({self.false_rate:.1%})"
        )
        return "\n".join([head, *(f"  {finding}" for finding in self.findings)])


def report(ledger: Ledger, folder: str | Path) -> FaultReport:
    """Compare the suspects of every site and month with the faults that were planted."""
    _, planted = load(Path(folder))
    faults = [Fault(**fault) for fault in planted]
    corrected = {fault.id: _corrected(ledger, fault) for fault in faults}
    return judge(faults, _doubts(ledger), [site.id for site in ledger.sites()], corrected)


def judge(
    faults: Sequence[Fault],
    doubts: Doubts,
    sites: Iterable[str],
    corrected: Mapping[str, frozenset[int]] | None = None,
) -> FaultReport:
    """Found, missed and false of some doubts.

    Parameters
    ----------
    corrected : months (YYYYMM) by fault id whose readings are right by now

    Examples
    --------
    >>> judge([], {("a", 202501): [frozenset({"m"})]}, ["a"]).false_months
    1
    """
    past = corrected or {}
    standing = {f.id: troubled(f, past.get(f.id, frozenset())) for f in faults}
    sick = {(fault.site, month) for fault in faults for month in standing[fault.id]}
    healthy = [(site, month) for site in sites for month in MONTHS if (site, month) not in sick]
    findings = tuple(_finding(fault, standing[fault.id], doubts) for fault in faults)
    return FaultReport(findings, sum(bool(doubts.get(key)) for key in healthy), len(healthy))


def troubled(fault: Fault, corrected: frozenset[int] = frozenset()) -> list[int]:
    """Months whose balance a fault disturbs; a wrong closing stock also opens the next month."""
    wrong = [fault.active(month) and month not in corrected for month in MONTHS]
    opened = [fault.kind == "amount" and before for before in (False, *wrong[:-1])]
    return [m for m, *either in zip(MONTHS, wrong, opened, strict=True) if any(either)]


def _finding(fault: Fault, months: Sequence[int], doubts: Doubts) -> Finding:
    named = [
        min(len(group) for group in groups)
        for month in months
        if (groups := [g for g in doubts.get((fault.site, month), ()) if fault.meter in g])
    ]
    return Finding(
        fault, len(months), len(troubled(fault)) - len(months), len(named), named.count(1)
    )


def _corrected(ledger: Ledger, fault: Fault) -> frozenset[int]:
    """Months for which a later file replaced the meter's readings, of whatever kind."""
    read = (ledger.flows, ledger.assays, ledger.stocktakes)
    rows = [row for each in read for row in each(site=fault.site, origin="measured").to_pylist()]
    return frozenset(r["month"] for r in rows if r["meter"] == fault.meter and r["corrects"])


def _doubts(ledger: Ledger) -> Doubts:
    found: dict[tuple[str, int], list[frozenset[str]]] = {}
    for site in ledger.sites():
        for period in PERIODS:
            answer = system.ask(ledger, "balance.months", site=site.id, period=period)
            for row in answer.tables["suspects"]:
                found.setdefault((site.id, _month(row)), []).append(frozenset(row["group"]))
    return found


def _month(row: Mapping[str, Any]) -> int:
    return int(row["month"])
