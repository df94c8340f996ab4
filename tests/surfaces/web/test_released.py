"""The public page of releases: what it shows, hatches and leaves out."""

import re
from typing import Any

import pytest

from cupral.ledger.ledger import Ledger
from cupral.system import open_ledger
from tests.surfaces.reader import Reader
from tests.systems.statistics.test_release import CITIES, SIZE, month, publish, register, revise


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    """Two months of eleven firms in real cities, published; then a revision that waits."""
    ledger = open_ledger(tmp_path_factory.mktemp("released"))
    register(ledger)
    for site in ledger.sites():
        city = dict(zip(CITIES, ("滨州市", "东营市", "烟台市"), strict=True))[site.city]
        ledger.register(type(site)(**{**_fields(site), "city": city}), author="t")
    for period in ("2026-JF", "2026-03"):
        month(ledger, period)
    publish(ledger, "2026-03")
    revise(ledger, "2026-03", {"a1": 444.0})
    publish(ledger, "2026-03")
    return ledger


def _fields(noun: Any) -> dict[str, Any]:
    return {name: getattr(noun, name) for name in noun.__dataclass_fields__}


def test_withheld_cities_are_hatched_and_open_ones_shaded(released: Ledger) -> None:
    """A lone firm's city and the one that would give it away; x stands in the table."""
    text = Reader(released).get("/released?lang=en").text
    assert text.count('fill="url(#hatch)"') == 2
    assert "577.5" in text
    row = re.search(r"Dongying</th>(.*?)</tr>", text, re.DOTALL)
    assert row is not None
    assert row.group(1).count('<span class="secret">') == 3


def test_a_held_figure_is_marked_and_the_reason_stands_below(released: Ledger) -> None:
    """By cell and number of enterprises, never by name."""
    text = Reader(released).get("/released?lang=en").text
    assert "577.5*" in text
    assert "the revision of" in text
    assert not any(re.search(rf"\b{firm}\b", text) for firm in SIZE)


def test_files_hold_what_the_page_holds(released: Ledger) -> None:
    """CSV and XLSX; a year that is not published is said so."""
    reader = Reader(released)
    text = reader.get("/released/2026.csv").text
    assert "output,cathode_copper,,东营市,2026-03,month,t,,x," in text
    assert "444" not in text
    assert reader.get("/released/2026.xlsx").status_code == 200
    assert reader.get("/released/2019.csv").status_code >= 400
    assert reader.get("/released/2026.pdf").status_code == 404
