"""Files of returns: CSV texts and uploads, their faults named by the rows of the file."""

from pathlib import Path

import pytest

from cupral.ledger.errors import InputError, RowFaults
from cupral.ledger.ledger import Ledger
from cupral.ledger.template import template_file
from cupral.system import order
from cupral.systems.statistics.commands import import_file
from cupral.systems.statistics.compute.sheet import TEMPLATE
from tests.systems.statistics.filings import register

HEADER = "企业,时期,规模以上,指标,产品,厂区,生产线,能耗口径,上年指标,数值,单位\n"


@pytest.fixture
def firms(ledger: Ledger) -> Ledger:
    """Three registered firms."""
    register(ledger)
    return ledger


def sheet(*lines: str) -> bytes:
    """A CSV file with the Chinese headers."""
    return (HEADER + "\n".join(lines) + "\n").encode()


def test_a_file_of_returns_is_filed(firms: Ledger) -> None:
    """Rows of one firm and period make one return; rates and restated figures are rows too."""
    done = import_file(
        firms, author="t", filename="三月.csv",
        content=sheet(
            "cu-a,2026-03,是,output,cathode_copper,,,,,1.2,万吨",
            "cu-a,2026-03,是,gross_output_value,,,,,,9,亿元",
            "cu-a,2026-03,是,value_added_rate,,,,,,8,%",
            "cu-a,2026-03,是,price_index,,,,,,102.5,1",
            "cu-a,2026-03,是,restated,,,,,gross_output_value,800000000,CNY",
            "cu-a,2026-03,是,line_output,cathode_copper,cu-a-site,L,,,1.2,万吨",
            "cu-b,2026-JF,否,revenue,,,,,,5,亿元",
        ),
    )  # fmt: skip
    assert (done.status, done.returns, done.rows) == ("posted", 2, 5)
    body = firms.document("return", "cu-a:2026-03").body
    assert body["value_added_rate"] == pytest.approx(0.08)
    assert body["price_index"] == 102.5
    assert body["restated"] == {"gross_output_value": 8e8}
    assert firms.document("return", "cu-b:2026-JF").body["above_designated_size"] is False
    added = firms.flows(stream="return:value_added", origin="declared")
    assert added["amount"].to_pylist() == [pytest.approx(7.2e7)]


@pytest.mark.parametrize(
    ("lines", "match"),
    [
        (["cu-x,2026-03,是,revenue,,,,,,5,亿元"], r"row 2, column enterprise \('cu-x'\)"),
        (["cu-a,2026-03,是,revenue,,,,,,5,亿元", "cu-a,2026-04,是,revenue,,,,,,5,t"],
         r"row 3, column unit"),
        (["cu-a,2026-03,是,revenue,,,,,,5,亿元", "cu-a,2026-03,否,value_added,,,,,,1,亿元"],
         r"row 3, column above_designated_size.*differs from the rows above"),
        (["cu-a,2026-03,是,revenue,,,,,,five,亿元"], r"row 2, column 数值"),
    ],
)  # fmt: skip
def test_a_faulty_file_names_its_own_rows(firms: Ledger, lines: list[str], match: str) -> None:
    """Line numbers are those of the file, and nothing is posted."""
    with pytest.raises(RowFaults, match=rf"(?s)r.csv.*{match}"):
        import_file(firms, author="t", filename="r.csv", content=sheet(*lines))
    assert firms.head == 0


def test_the_import_command_takes_a_path_or_a_text(firms: Ledger, tmp_path: Path) -> None:
    """Exactly one of them."""
    text = sheet("cu-a,2026-03,是,revenue,,,,,,5,亿元").decode()
    path = tmp_path / "returns.csv"
    path.write_text(text, encoding="utf-8")
    name = "statistics.import_returns"
    assert order(firms, name, author="t", content=text, dry_run=True).status == "dry run"
    assert order(firms, name, author="t", path=str(path)).status == "posted"
    assert order(firms, name, author="t", content=text).status == "already"
    with pytest.raises(InputError, match="either the path"):
        order(firms, name, author="t")


def test_the_template_explains_itself(firms: Ledger) -> None:
    """The shipped template can be written and its header is understood."""
    assert len(template_file(TEMPLATE)) > 1000
    for column in TEMPLATE.columns:
        assert TEMPLATE.match(column.header) is not None
        assert column.description_zh
        assert column.description_en


def test_a_path_that_is_no_file_is_named(firms: Ledger, tmp_path: Path) -> None:
    """With the cure."""
    with pytest.raises(InputError, match=r"no\.csv.* cannot be read.*give the path"):
        order(firms, "statistics.import_returns", author="t", path=str(tmp_path / "no.csv"))
