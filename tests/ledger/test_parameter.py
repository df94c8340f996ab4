"""Parameters are dated and sourced; a missing value is said, never guessed."""

from datetime import date
from pathlib import Path

import pytest

from cupral.ledger.errors import CannotDecide, InputError, NotFound
from cupral.ledger.parameter import ParameterBook

HEAD = """
[norm]
title_zh = "限额"
title_en = "norm"
unit = "kWh/t"
force = "standard"
"""
OLD = """[[norm.values]]
valid_from = 2014-01-01
valid_to = 2023-01-01
value = 13700
source = "GB 21346-2013"
status = "confirmed"
"""
NEW = """[[norm.values]]
valid_from = 2023-01-01
value = {level1 = 12950}
source = "GB 21346-2022"
status = "unconfirmed"
note = "read from a copy"
"""


def book(tmp_path: Path, text: str) -> ParameterBook:
    """The book of one system, 's'."""
    path = tmp_path / "parameters.toml"
    path.write_text(text, encoding="utf-8")
    return ParameterBook.read({"s": path})


def test_an_old_period_uses_the_rule_of_its_own_date(tmp_path: Path) -> None:
    found = book(tmp_path, HEAD + OLD + NEW)
    assert found.on("s.norm", date(2022, 12, 31)).value == 13700
    assert found.on("s.norm", date(2023, 1, 1)).value == {"level1": 12950}


def test_a_value_names_itself_its_source_and_whether_it_is_confirmed(tmp_path: Path) -> None:
    found = book(tmp_path, HEAD + OLD + NEW)
    old, new = found.on("s.norm", date(2020, 1, 1)), found.on("s.norm", date(2024, 1, 1))
    assert old.confirmed
    assert not new.confirmed
    assert new.reference == "parameter:s.norm@2023-01-01"
    assert str(old) == "s.norm = 13700 kWh/t; GB 21346-2013"
    assert str(new).endswith("(unconfirmed); GB 21346-2022")
    assert new.note == "read from a copy"


@pytest.mark.parametrize("text", [HEAD + "values = []\n", HEAD + OLD])
def test_a_day_without_value_cannot_decide(tmp_path: Path, text: str) -> None:
    with pytest.raises(CannotDecide, match=r"s\.norm has no value on 2025-05-01") as caught:
        book(tmp_path, text).on("s.norm", date(2025, 5, 1))
    assert caught.value.needs == ("s.norm",)


def test_an_unknown_parameter_is_told_its_neighbours(tmp_path: Path) -> None:
    found = book(tmp_path, HEAD + OLD)
    with pytest.raises(NotFound, match=r"no parameter 's.nrm'; that system has: s.norm"):
        found.on("s.nrm", date(2020, 1, 1))
    with pytest.raises(NotFound, match=r"no parameter 't.norm'; that system has: none"):
        found.on("t.norm", date(2020, 1, 1))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEAD.replace("title_en", "titel") + OLD, "parameter s.norm lacks 'title_en'"),
        (HEAD, "parameter s.norm lacks 'values'"),
        (HEAD.replace('"standard"', '"rumour"') + OLD, "force 'rumour' is not one of"),
        (HEAD + OLD.replace('"confirmed"', '"sure"'), "needs a source and a status"),
        (HEAD + OLD.replace('"GB 21346-2013"', '""'), "needs a source and a status"),
        (HEAD + OLD.replace("valid_from = 2014-01-01\n", ""), "each value needs 'valid_from'"),
        (HEAD + OLD.replace("value = 13700\n", ""), "each value needs 'value'"),
        (HEAD + OLD.replace("2014-01-01", '"2014"'), "valid_from '2014' is no date"),
        (HEAD + OLD.replace("2023-01-01", "2013-01-01"), "ends before it begins"),
        (HEAD + OLD + OLD, "two values from 2014-01-01"),
        ("[norm", "parameters of s cannot be read"),
    ],
)
def test_a_careless_file_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        book(tmp_path, text)


def test_the_version_is_the_content(tmp_path: Path) -> None:
    first = book(tmp_path, HEAD + OLD).version
    assert book(tmp_path, HEAD + OLD).version == first
    assert book(tmp_path, HEAD + OLD.replace("13700", "13701")).version != first
