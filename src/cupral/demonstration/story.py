"""The story of the demonstration in at most 25 lines: targets, the fault that flips one, a cure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cupral import system
from cupral.demonstration.build import AUTHOR, THROUGH
from cupral.demonstration.faults import KEY, Fault
from cupral.demonstration.province import SENTENCE_EN
from cupral.demonstration.report import report
from cupral.demonstration.truth import Truth, consumption, load
from cupral.ledger.ledger import Ledger
from cupral.ledger.result import Result

WINDOW = (202511, 202610)
"""First and last month on which the benchmark share stands."""
BENCHMARK = 13.0
"""Liquid AC consumption of the benchmark [MWh/t], as the truth is judged (GB 21346-2022)."""
LINE = "series-2"
"""The series behind the faulty meter."""


@dataclass(frozen=True, slots=True)
class Share:
    """The benchmark share and the faulty series' consumption as one source sees them."""

    share: float
    """[%]"""
    intensity: float
    """[kWh/t]"""
    sd: float = 0.0
    """Of the intensity [kWh/t]."""


def story(ledger: Ledger, folder: str | Path, *, shown: str | Path | None = None) -> list[str]:
    """Tell the story of a built demonstration, and post the corrected file that ends it.

    Parameters
    ----------
    shown : folder that the printed command names, if the story is told on a copy of it

    Returns
    -------
    At most 25 lines.
    """
    known, _ = load(Path(folder))
    status = system.call(ledger, "plan.status", through=THROUGH)
    before = {basis: _seen(ledger, basis) for basis in ("declared", "reconciled")}
    lines = [SENTENCE_EN, *_targets(status), *_flip(before, _true(known))]
    lines += str(report(ledger, folder)).splitlines()[:1]
    lines.append(
        f"explain:  .venv/bin/cupral --ledger {shown or folder} explain 'result:{status.key}'"
    )
    return [*lines, *_correction(ledger, status, before["reconciled"])]


def _targets(status: Result) -> Iterator[str]:
    yield f"{'':3} {'declared':>10} {'reconciled':>10} {'±':>7}  {'test':16} verdicts"
    for row in status.parts:
        spread = "" if row["sd"] is None else f"{row['sd']:.2f}"
        yield (
            f"{row['target']:3} {_number(row['declared']):>10} {_number(row['reconciled']):>10}"
            f" {spread:>7}  {row['test']:16} {_verdict(row['met_declared'])} ->"
            f" {_verdict(row['met_reconciled'])}  {row['basis']}  {row['indicator_en']}"
        )


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:,.2f}"


def _verdict(word: str) -> str:
    return "-" if word == "cannot decide" else str(word)


def _seen(ledger: Ledger, basis: str) -> Share:
    """Share and intensity by the efficiency system."""
    answer = system.call(ledger, "efficiency.share", through=THROUGH, basis=basis)
    row = _row_of(answer, KEY.site, LINE)
    return Share(100.0 * (answer.value or 0.0), row["intensity"], row["sd"])


def _row_of(answer: Result, site: str, line: str) -> Mapping[str, Any]:
    return next(row for row in answer.parts if (row["site"], row["line"]) == (site, line))


def _true(known: Truth) -> Share:
    """Share and intensity by the generator's truth."""
    total = above = 0.0
    for plant in known.plants:
        for number, line in enumerate(plant.site.lines):
            if line.product == "primary_aluminium":
                total += line.capacity
                used = consumption(plant, number, "liquid_ac", *WINDOW)
                above += line.capacity * (used <= BENCHMARK)
    plant = known.plant(KEY.site)
    number = [line.id for line in plant.site.lines].index(LINE)
    return Share(100.0 * above / total, 1000.0 * consumption(plant, number, "liquid_ac", *WINDOW))


def _flip(seen: Mapping[str, Share], true: Share) -> Iterator[str]:
    declared, reconciled = seen["declared"], seen["reconciled"]
    yield f"T8 flips by one meter: {KEY.meter}, {KEY.en}"
    yield (
        f"  {KEY.site} {LINE}: declared {declared.intensity:,.0f}, reconciled"
        f" {reconciled.intensity:,.0f} ± {reconciled.sd:.0f}, generator's truth"
        f" {true.intensity:,.0f} kWh/t (benchmark {1000 * BENCHMARK:,.0f})"
    )
    yield (
        f"  share above benchmark: declared {declared.share:.2f} %, reconciled"
        f" {reconciled.share:.2f} % ({reconciled.share - declared.share:+.2f} points), truth"
        f" {true.share:.2f} % (off by {reconciled.share - true.share:+.2f})"
    )


def corrected_file(ledger: Ledger, fault: Fault = KEY) -> bytes:
    """The meter file that the plant sends once the CT ratio is put right (CSV)."""
    rows = ledger.flows(site=fault.site, meter=fault.meter, origin="measured").to_pylist()
    lines = ["meter,period,amount,unit"]
    for row in sorted(rows, key=lambda row: row["start"]):
        month = row["start"].year * 100 + row["start"].month
        if fault.active(month):
            amount = row["amount"] / (1.0 + fault.size)
            lines.append(f"{fault.meter},{row['start']:%Y-%m},{amount:.3f},MWh")
    return ("\n".join(lines) + "\n").encode()


def _correction(ledger: Ledger, status: Result, before: Share) -> Iterator[str]:
    posted = system.order(
        ledger, "balance.import_meters", author=AUTHOR, site=KEY.site,
        content=corrected_file(ledger), filename="corrected-ct-ratio.csv", correct=True,
    )  # fmt: skip
    stale = ledger.stale_results()
    yield (
        f"late file corrected-ct-ratio.csv: {posted.status}, {posted.rows_posted} rows as"
        f" {posted.posting}; {len(stale)} kept results marked stale:"
    )
    yield "  " + _counted(stale)
    system.refresh(ledger)
    after = _seen(ledger, "reconciled")
    versions = ledger.versions(status.key)
    yield (
        f"T8 is now version {versions[0]['version']} of plan.status: {after.share:.2f} %;"
        f" {KEY.site} {LINE} {after.intensity:,.0f} ± {after.sd:.0f} kWh/t"
        f" (before {before.intensity:,.0f} ± {before.sd:.0f})"
    )


def _counted(stale: list[Result]) -> str:
    counts: dict[str, int] = {}
    for result in stale:
        counts[result.query] = counts.get(result.query, 0) + 1
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))
