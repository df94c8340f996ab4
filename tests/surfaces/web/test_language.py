"""Every string of the pages is in both catalogues, and every key that is used is there."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import cupral.surfaces.web
from cupral.ledger.ledger import Ledger
from cupral.surfaces.intake import KINDS
from cupral.surfaces.web.language import LANGUAGES, language
from cupral.surfaces.web.rendering import PAGES
from cupral.system import ask, queries
from cupral.systems.balance.commands.sheets import SHEETS
from tests.surfaces.workshop import SITE

ROOT = Path(cupral.surfaces.web.__path__[0])
TEXTS = [*sorted(ROOT.rglob("*.html")), *sorted(ROOT.rglob("*.py"))]
USED = re.compile(r"(?<![\w.])(?:t|asked\.language)\(\s*[\"']([\w./ ]+)[\"']\s*(~)?")
GROUPS = re.compile(r"(?:t|language)\.word\(\s*\"(\w+)\"")
HAN = re.compile(r"[\u4e00-\u9fff]")


def used() -> Iterator[tuple[str, str, bool]]:
    """File, key, and whether the key is only the beginning of one."""
    for path in TEXTS:
        for key, more in USED.findall(path.read_text(encoding="utf-8")):
            yield path.name, key, bool(more)


def test_both_catalogues_have_the_same_keys_in_the_same_order() -> None:
    assert list(language("zh").texts) == list(language("en").texts)


def test_no_string_is_empty() -> None:
    for code in LANGUAGES:
        assert [key for key, text in language(code).texts.items() if not text.strip()] == []


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_key_that_is_used_is_there(code: str) -> None:
    texts = language(code).texts
    missing = [
        (file, key)
        for file, key, begins in used()
        if (not any(k.startswith(key) for k in texts) if begins else key not in texts)
    ]
    assert missing == []


@pytest.mark.parametrize("code", LANGUAGES)
def test_keys_that_are_put_together_are_there(code: str) -> None:
    wanted = [f"nav.{name}" for name in PAGES]
    wanted += [f"upload.kind_{kind}" for kind in KINDS]
    wanted += [f"networks.sheet_{name}" for name in SHEETS]
    wanted += [f"job.{s}" for s in ("waiting", "running", "done", "failed", "cancelled")]
    wanted += [f"basis.{b}" for b in ("declared", "reconciled")]
    wanted += [f"family.{f}" for f in ("copper", "aluminium", "slag", "gas")]
    wanted += [f"problem.{p}" for p in ("where", "allowed", "next")]
    assert [key for key in wanted if key not in language(code).texts] == []


def test_every_query_has_a_title() -> None:
    assert [n for n in queries() if f"query.{n}" not in language("zh").texts] == []


def test_every_column_of_a_network_form_has_a_name() -> None:
    columns = {c.name for name, sheet in SHEETS.items() for c in sheet.columns}
    assert [n for n in sorted(columns) if f"sheet.{n}" not in language("zh").texts] == []


def test_places_for_values_are_the_same_in_both_languages() -> None:
    places = {
        code: {key: set(re.findall(r"{(\w+)}", text)) for key, text in language(code).texts.items()}
        for code in LANGUAGES
    }
    assert places["zh"] == places["en"]


def test_english_holds_no_chinese() -> None:
    allowed = {key for key in language("en").texts if key.startswith(("relation", "unit"))}
    found = [k for k, text in language("en").texts.items() if HAN.search(text) and k not in allowed]
    assert found == []


def test_templates_hold_no_chinese_of_their_own() -> None:
    """A string in a template would not be translated; the name of a language is its own."""
    assert len(list(ROOT.rglob("*.html"))) > 10
    for path in ROOT.rglob("*.html"):
        text = path.read_text(encoding="utf-8").replace("中文", "")
        assert HAN.search(text) is None, path.name


def test_groups_of_words_exist() -> None:
    keys = language("zh").texts
    groups = {g for path in TEXTS for g in GROUPS.findall(path.read_text(encoding="utf-8"))}
    groups -= {"unit"}
    assert [g for g in sorted(groups) if not any(k.startswith(f"{g}.") for k in keys)] == []


def test_a_missing_key_is_a_defect() -> None:
    with pytest.raises(KeyError):
        language("en")("nav.none")


def test_values_are_filled_in() -> None:
    assert language("en")("live.head", head=7) == "ledger at posting 7"


def test_words_from_data_fall_back_to_themselves() -> None:
    assert language("zh").word("origin", "measured") == "计量"
    assert language("zh").word("origin", "unheard") == "unheard"


def test_an_unknown_language_is_chinese() -> None:
    assert language("fr").code == "zh"


def test_names_of_nouns_and_rows() -> None:
    row = {"name_zh": "铜", "name_en": "copper"}
    assert language("zh").of(row) == "铜"
    assert language("en").of(row) == "copper"
    assert language("en").beside(row) == "铜"


def test_a_name_that_is_missing_is_taken_from_the_other_language() -> None:
    assert language("en").of({"name_zh": "铜", "name_en": ""}) == "铜"
    assert language("en").beside({"name_zh": "铜", "name_en": ""}) == ""


def test_tags_are_those_of_html() -> None:
    assert [language(code).tag for code in LANGUAGES] == ["zh-CN", "en"]
    assert language("zh").other == "en"


ANSWERS: dict[str, dict[str, Any]] = {
    "plan.status": {"through": "2026-03"}, "plan.target": {"target": "T3", "through": "2026-03"},
    "plan.clauses": {}, "plan.coverage": {}, "plan.published": {},
    "balance.streams": {"site": SITE, "period": "2026-03"},
    "balance.months": {"site": SITE, "period": "2026-01..2026-03"},
    "balance.accounts": {"site": SITE, "period": "2026-01..2026-03"},
    "balance.consumption": {"site": SITE, "period": "2026-03"},
    "efficiency.level": {"norm": "al_liquid_ac", "value": 13000.0},
}  # fmt: skip
"""Questions whose answers a page shows; `why` shows every column of them."""


@pytest.mark.parametrize("name", ANSWERS)
def test_every_column_table_and_status_of_an_answer_has_a_word(
    shared_workshop: Ledger, name: str
) -> None:
    result, known = ask(shared_workshop, name, **ANSWERS[name]), language("zh").texts
    tables = {"parts": result.parts, **result.tables}
    columns = {column for rows in tables.values() for row in rows for column in row}
    wanted = {f"column.{column}" for column in columns} | {f"table.{table}" for table in tables}
    wanted |= {f"status.{result.status}", f"origin.{result.origin or 'measured'}"}
    wanted |= {f"badge.{badge.partition(':')[0]}" for badge in result.badges}
    assert sorted(wanted - set(known)) == []
