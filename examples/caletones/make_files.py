"""Turn the two published smelter files into meter and assay files that Cupral imports.

    python examples/caletones/make_files.py FOLDER_OF_THE_TWO_CSV OUT [--daily]

writes OUT/meters-2017-01.csv, OUT/assays-2017-01.csv and so on: one row a meter and month, or
one a day (then import with `accept_gaps`, because days without a value are left out). Zeros in
the source mean missing; white metal below 65 % Cu and slag above 15 % Cu are outliers.

Data: Metalurgica Data, CC BY 4.0, doi 10.5281/zenodo.17268996. Changes made: sums over belts,
dryers and converters. Authenticity not confirmed.
"""

import csv
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import fmean

from cupral.ledger.template import sheet_file
from cupral.systems.balance.commands import ASSAYS, METERS

Source = Mapping[str, str]

LOST_SULPHUR = 0.06
"""Prior: share of the concentrate's sulphur that never reaches the acid (network.yaml)."""
DUST = 0.005
"""Prior: dust that leaves the circuit per tonne of concentrate (network.yaml)."""

SUMS = {
    "WI-BELTS": ("conc_belt212_own_t", "conc_belt235_own_t", "conc_belt235_ext_t"),
    "WI-DRYERS": ("dry_out_dryer1_t", "dry_out_dryer2_t", "dry_out_dryer3_t"),
    "WI-CONC-CT1": ("ct1_dry_conc_t",),
    "WI-CONC-CT2": ("ct2_dry_conc_t",),
    "WI-QUARTZ-CT1": ("ct1_quartz_t",),
    "WI-QUARTZ-CT2": ("ct2_quartz_t",),
    "WI-FINES-CT1": ("ct1_cold_fines_t",),
    "WI-FINES-CT2": ("ct2_cold_fines_t",),
    "WI-COARSE": tuple(f"ps{n}_cold_coarse_t" for n in (1, 2, 3, 4)),
    "CNT-LADLES": tuple(f"ps{n}_blister_ladles" for n in (1, 2, 3, 4)),
    "CNT-CHARGES": ("anode_furnace_charges",),
    "WI-CAST": ("cast_copper_t",),
    "FI-ACID": ("acid_total_t",),
}
"""Daily columns that make up each meter."""

ELEMENTS = ("Cu", "Fe", "S", "SiO2")
SAMPLES = {
    "CONC1": "conc", "CONC2": "conc", "FINES1": "cold_fines", "FINES2": "cold_fines",
    "WM1": "wm1", "WM2": "wm2", "SLAG1": "slag1", "SLAG2": "slag2",
    "DUST1": "dust", "DUST2": "dust",
}  # fmt: skip
"""Prefix of the monthly columns behind each laboratory meter."""
_ABSENT = {("WM1", "SiO2"), ("WM2", "SiO2"), ("DUST1", "SiO2"), ("DUST2", "SiO2")}


def main(source: Path, out: Path, *, daily: bool = False) -> list[Path]:
    """Write one meter file and one assay file a month; returns their paths."""
    out.mkdir(parents=True, exist_ok=True)
    months: dict[str, list[Source]] = {}
    for row in _table(source / "caletones_daily.csv"):
        months.setdefault(row["date"][:7], []).append(row)
    assays = {row["month"]: row for row in _table(source / "caletones_monthly_assays.csv")}
    written = []
    for month, days in months.items():
        read = list(_daily(days))
        meters = [
            *(read if daily else _monthly(month, len(days), read)),
            *_priors(month, days, assays[month]),
        ]
        laboratory = list(_laboratory(month, assays[month]))
        for name, template, rows in (("meters", METERS, meters), ("assays", ASSAYS, laboratory)):
            path = out / f"{name}-{month}.csv"
            path.write_bytes(sheet_file({template: rows}, "csv"))
            written.append(path)
    return written


def _table(path: Path) -> list[Source]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _value(row: Source, column: str) -> float:
    return float(row.get(column) or 0.0)


def _daily(days: list[Source]) -> Iterator[dict[str, object]]:
    for meter, columns in SUMS.items():
        for row in days:
            amount = sum(_value(row, column) for column in columns)
            if amount > 0:
                yield {"meter": meter, "period": row["date"], "amount": amount}


def _monthly(month: str, days: int, read: list[dict[str, object]]) -> Iterator[dict[str, object]]:
    for meter in SUMS:
        amounts = [float(str(row["amount"])) for row in read if row["meter"] == meter]
        if amounts:
            note = f"{len(amounts)} of {days} days have a value"
            yield {"meter": meter, "period": month, "amount": sum(amounts), "note": note}


def _priors(month: str, days: list[Source], assay: Source) -> Iterator[dict[str, object]]:
    fed = [sum(_value(row, f"ct{n}_dry_conc_t") for row in days) for n in (1, 2)]
    sulphur = sum(fed) * _value(assay, "conc_S_pct") / 100.0
    note = "estimate, see network.yaml"
    amounts = {"sulphur_losses": LOST_SULPHUR * sulphur}
    amounts |= {f"dust_{n}": DUST * amount for n, amount in enumerate(fed, start=1)}
    for stream, amount in amounts.items():
        yield {"meter": f"prior:{stream}", "period": month, "amount": amount, "note": note}


def _laboratory(month: str, row: Source) -> Iterator[dict[str, object]]:
    values = {
        f"LAB-{sample}-{element.upper()}": _value(row, f"{prefix}_{element}_pct")
        for sample, prefix in SAMPLES.items()
        for element in ELEMENTS
        if (sample, element) not in _ABSENT
    }
    values |= {
        f"LAB-CLEAN-{e.upper()}": _mean(row, f"slag_after_cleaning_{{}}_{e}_pct", tuple("1234"))
        for e in ELEMENTS
    }
    for meter, value in values.items():
        if value > 0 and not _outlier(meter, value):
            yield {"meter": meter, "period": month, "value": value, "unit": "%", "basis": "dry"}


def _mean(row: Source, column: str, names: tuple[str, ...]) -> float:
    found = [value for name in names if (value := _value(row, column.format(name))) > 0]
    return fmean(found) if found else 0.0


def _outlier(meter: str, value: float) -> bool:
    low_metal = meter in ("LAB-WM1-CU", "LAB-WM2-CU") and value < 65.0
    return low_metal or (meter in ("LAB-SLAG1-CU", "LAB-SLAG2-CU") and value > 15.0)


def _asked(words: list[str]) -> tuple[Path, Path, bool]:
    """The two folders and whether days are wanted; ends with advice if they are not given."""
    folders = [Path(word) for word in words if word != "--daily"]
    files = ("caletones_daily.csv", "caletones_monthly_assays.csv")
    if len(folders) != 2:
        raise SystemExit(f"give two folders: one that holds {' and '.join(files)}, one to write to")
    if missing := [name for name in files if not (folders[0] / name).is_file()]:
        raise SystemExit(
            f"{folders[0]} holds no {' and no '.join(missing)};"
            " download them from doi 10.5281/zenodo.17268996"
        )
    return folders[0], folders[1], "--daily" in words


if __name__ == "__main__":
    given, wanted, by_day = _asked(sys.argv[1:])
    for path in main(given, wanted, daily=by_day):
        print(path)
