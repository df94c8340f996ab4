"""Phrases made of a row and a catalogue."""

from datetime import datetime

import pytest

from cupral.demonstration import SENTENCE_EN, SENTENCE_ZH
from cupral.surfaces.web.language import language
from cupral.surfaces.web.words import (
    aim,
    amount,
    city,
    cluster,
    counted_in,
    demonstration_sentence,
    difference_unit,
    readable,
    told,
    two_lines,
)
from cupral.system import ask
from cupral.systems.plan.compute import shipped

ZH, EN = language("zh"), language("en")


def test_cities_are_known_with_and_without_their_suffix() -> None:
    assert city(ZH, "烟台市") == city(ZH, "烟台") == "烟台"
    assert city(EN, "泰安市") == "Tai'an"
    assert city(EN, "several") == "several"
    assert city(EN, "Kunming") == "Kunming"


@pytest.mark.parametrize(
    ("relation", "zh", "en"),
    [
        ("左右", "170 万吨 左右", "about 170 10 kt"), ("超", "超 170 万吨", "more than 170 10 kt"),
        ("突破", "突破 170 万吨", "break through 170 10 kt"),
    ],
)  # fmt: skip
def test_tests_are_told_in_words(relation: str, zh: str, en: str) -> None:
    row = {"relation": relation, "threshold": 170.0, "unit": "万吨"}
    assert aim(ZH, row) == zh
    assert aim(EN, row) == en


def test_every_word_of_the_shipped_plan_has_a_phrase() -> None:
    words = {
        test.relation
        for plan in shipped.plans().values()
        for target in plan.targets
        for test in target.tests
    }
    assert [w for w in sorted(words) if f"relation.{w}" not in ZH.texts] == []
    assert [w for w in sorted(words) if f"relation_word.{w}" not in ZH.texts] == []


@pytest.mark.parametrize(
    ("values", "unit", "zh", "en"),
    [
        ([2.5e11], "CNY", (1e-8, "亿元"), (1e-9, "bn CNY")),
        ([5e4, None], "CNY", (1e-4, "万元"), (1e-6, "M CNY")),
        ([12.0], "CNY", (1.0, "元"), (1.0, "CNY")),
        ([1.7e6], "t", (1e-4, "万吨"), (1e-3, "kt")),
        ([900.0], "t", (1.0, "t"), (1.0, "t")),
        ([0.2], "1", (100.0, "%"), (100.0, "%")),
        ([], "MWh", (1.0, "MWh"), (1.0, "MWh")),
    ],
)
def test_columns_get_the_unit_that_is_easiest_to_read(
    values: list[float | None], unit: str, zh: tuple[float, str], en: tuple[float, str]
) -> None:
    for lang, (scale, name) in ((ZH, zh), (EN, en)):
        found = readable(lang, values, unit)
        assert found == (pytest.approx(scale), name)


def test_english_readers_count_in_thousands_and_billions() -> None:
    assert counted_in(EN, "万吨") == (pytest.approx(10.0), "kt")
    assert counted_in(EN, "亿元") == (pytest.approx(0.1), "bn CNY")
    assert counted_in(ZH, "亿元") == (1.0, "亿元")
    assert counted_in(EN, "%") == (1.0, "%")


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("smelting", ["smelting"]),
        ("converter and anode furnace", ["converter and", "anode furnace"]),
        ("电解精炼车间第一跨", ["电解精炼车间第一跨"]),
        ("averyveryverylongsingleword", ["averyveryveryl…"]),
        ("a " + "b" * 40, ["a", "b" * 14 + "…"]),
    ],
)
def test_long_names_take_two_lines(text: str, lines: list[str]) -> None:
    assert two_lines(text, 15) == lines


@pytest.mark.parametrize(
    ("column", "value", "text"),
    [
        ("basis", "declared", "申报"), ("city", "滨州市", "滨州"), ("unit", "1", ""),
        ("unit", "亿元", "亿元"), ("month", 202610, "2026-10"), ("product", "alumina", "氧化铝"),
        ("months", [202601, 202602], "2026-01, 2026-02"), ("class", "redundant", "冗余"),
        ("status", "not met", "未达到"), ("value", 1234.0, "1,234"), ("note", "x", "x"),
        ("start", datetime(2026, 1, 1), "2026-01-01"),
        ("at", datetime(2026, 1, 1, 5, 30), "2026-01-01 13:30:00 UTC+8"),
        ("probability", 1.9e-13, "< 1 %"), ("kind", "bias", "系统偏差"),
    ],
)  # fmt: skip
def test_values_of_known_columns_are_told_in_words(column: str, value: object, text: str) -> None:
    assert told(ZH, column, value) == text


def test_the_demonstration_says_so_in_one_sentence() -> None:
    assert demonstration_sentence(ZH) == SENTENCE_ZH
    assert demonstration_sentence(EN) == SENTENCE_EN


def test_statuses_of_the_plan_have_words(ledger: object) -> None:
    status = ask(ledger, "plan.status").status  # type: ignore[arg-type]
    assert f"status.{status}" in ZH.texts


@pytest.mark.parametrize(
    ("value", "unit", "sd", "text"),
    [(-2.5992e-6, "kg/kg", 4.44e-8, "−2.599 ± 0.044 g/t"), (0.2537, "kg/kg", None, "25.37 %"),
     (-0.014977, "1", 0.00103, "−1.50 ± 0.10 %"), (-3224.0, "MWh", 709.0, "−3,224 ± 709 MWh"),
     (None, "t", None, "—")],
)  # fmt: skip
def test_amounts_are_told_as_a_metallurgist_reads_them(
    value: float | None, unit: str, sd: float | None, text: str
) -> None:
    assert amount(EN, value, unit, sd) == text


def test_clusters_have_a_name_in_both_languages() -> None:
    assert cluster(EN, "滨州轻量化铝新材料") == "Binzhou: lightweight aluminium materials"
    assert cluster(ZH, "滨州轻量化铝新材料") == "滨州轻量化铝新材料"


def test_differences_of_percentages_are_points() -> None:
    assert (difference_unit(ZH, "%"), difference_unit(EN, "%")) == ("个百分点", "percentage points")
    assert difference_unit(ZH, "万吨") == "万吨"
