"""How results, tables and errors are printed."""

import json

import pytest

from cupral.ledger.errors import Fault, RowFaults
from cupral.ledger.result import Result
from cupral.surfaces.cli.terminal import (
    cell,
    show_json,
    show_problem,
    show_result,
    show_rows,
    statement,
)
from cupral.surfaces.problem import problem


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""), (True, "yes"), (False, "no"), (1234.567, "1,234.57"), (0.1234567, "0.123457"),
        (12, "12"), ("x", "x"), ([1.0, "a"], "1, a"), (3.1e-12, "3.1e-12"),
    ],
)  # fmt: skip
def test_cells(value: object, text: str) -> None:
    assert cell(value) == text


def test_a_statement_has_value_spread_unit_and_interval() -> None:
    result = Result(query="q", subject="s", value=35.0, sd=0.5, unit="%", low=34.0, high=36.0)
    assert statement(result) == "35 ± 0.5 %  [34, 36]"
    assert statement(Result(query="q", subject="s")) == "—"


def test_a_result_prints_all_that_a_reader_must_see(capsys: pytest.CaptureFixture[str]) -> None:
    result = Result(
        query="plan.gap", subject="T8", period="2026", value=1.0, status="not met",
        needs=("a meter",), badges=("unconfirmed: x.y",), parts=({"line": "a", "value": 1.5},),
        tables={"more": ({"b": 2},)}, demonstration=True,
        lineage=("flows:p/1", "flows:p/2", "flows:p/3", "flows:p/4"),
    )  # fmt: skip
    show_result(result)
    text = capsys.readouterr().out
    for part in ("plan.gap", "T8", "not met", "needs a meter", "unconfirmed: x.y", "demonstration",
                 "parts", "more", "from flows:p/1", "and 1 more sources"):  # fmt: skip
        assert part in text


def test_a_long_table_is_cut_and_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    show_rows("t", [{"n": number} for number in range(10)], most=3)
    text = capsys.readouterr().out
    assert "and 7 more rows; --json prints all" in text


def test_no_rows_print_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    show_rows("t", [])
    assert capsys.readouterr().out == ""


def test_rich_markup_in_data_is_only_text(capsys: pytest.CaptureFixture[str]) -> None:
    show_rows("t", [{"[bold]a": "[red]b[/red]"}])
    text = capsys.readouterr().out
    assert "[bold]a" in text
    assert "[red]b[/red]" in text


def test_a_wide_table_is_not_crushed_when_piped(capsys: pytest.CaptureFixture[str]) -> None:
    show_rows("t", [{f"column{k}": "value" for k in range(12)}])
    assert "column11" in capsys.readouterr().out


def test_faults_are_a_table_on_the_error_output(capsys: pytest.CaptureFixture[str]) -> None:
    faults = [Fault(7, "amount", "1O", "is no number", "write 10"),
              Fault(None, None, "", "is empty", "fill it")]  # fmt: skip
    show_problem(problem(RowFaults("f.csv", faults)))
    captured = capsys.readouterr()
    assert captured.out == ""
    for part in ("row", "column", "cure", "7", "amount", "1O", "is no number", "write 10", "file"):
        assert part in captured.err


def test_json_keeps_chinese_readable(capsys: pytest.CaptureFixture[str]) -> None:
    show_json({"名": 1})
    text = capsys.readouterr().out
    assert "名" in text
    assert json.loads(text) == {"名": 1}


def test_a_few_rows_too_wide_for_the_screen_stand_side_by_side(
    capsys: pytest.CaptureFixture[str],
) -> None:
    rows = [{f"column{k}": f"value {k} {n}" for k in range(30)} for n in (1, 2)]
    show_rows("t", rows)
    lines = capsys.readouterr().out.splitlines()
    (last,) = [line.split() for line in lines if "column29" in line]
    assert last == ["column29", "value", "29", "1", "value", "29", "2"]


def test_many_wide_rows_lose_their_last_columns_and_say_so(
    capsys: pytest.CaptureFixture[str],
) -> None:
    show_rows("t", [{f"column{k}": f"value {k}" for k in range(30)}] * 9)
    text = capsys.readouterr().out
    assert "column0" in text
    assert "column29; --json prints all" in text
    assert max(map(len, text.splitlines()[:11])) <= 162


def test_empty_columns_are_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    show_rows("t", [{"a": 1, "b": None, "c": ""}])
    assert capsys.readouterr().out.split() == ["t", "a", "1"]
