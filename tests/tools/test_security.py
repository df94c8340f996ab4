"""The matrix of OWASP ASVS 5.0.0 level 2: whole, honest about its tests, and the practice true."""

import ast
import json
import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from cupral.access import password, session, signing_in, token
from cupral.ledger import media, rights
from cupral.ledger.stores import schema
from cupral.ledger.template import cell, reading, separated, workbook
from cupral.surfaces import jobs
from cupral.surfaces.api import desk, guard, serving
from cupral.systems.balance.commands import yaml_text
from cupral.systems.plan.compute import reading as plan_reading
from pages import inventory, security

ROOT = Path(__file__).resolve().parents[2]
PRACTICE = ROOT / "docs" / "security" / "practice.md"
LEVELS = {
    "1.1": "22", "1.2": "1111122223", "1.3": "112222222223", "1.4": "222", "1.5": "123",
    "2.1": "122", "2.2": "112", "2.3": "12223", "2.4": "23", "3.1": "3", "3.2": "113",
    "3.3": "12223", "3.4": "11222233", "3.5": "11122333", "3.6": "3", "3.7": "22333",
    "4.1": "12233", "4.2": "23333", "4.3": "22", "4.4": "1222", "5.1": "2", "5.2": "112333",
    "5.3": "113", "5.4": "222", "6.1": "122", "6.2": "111111112222", "6.3": "11223333",
    "6.4": "112233", "6.5": "22222333", "6.6": "2223", "6.7": "33", "6.8": "2222", "7.1": "222",
    "7.2": "1111", "7.3": "22", "7.4": "11222", "7.5": "223", "7.6": "22", "8.1": "1233",
    "8.2": "1123", "8.3": "133", "8.4": "23", "9.1": "111", "9.2": "1222", "10.1": "22",
    "10.2": "223", "10.3": "22223", "10.4": "1111122222233333", "10.5": "22222", "10.6": "22",
    "10.7": "222", "11.1": "2233", "11.2": "22233", "11.3": "11233", "11.4": "1222", "11.5": "23",
    "11.6": "23", "11.7": "33", "12.1": "12233", "12.2": "11", "12.3": "22223", "13.1": "2333",
    "13.2": "222223", "13.3": "2233", "13.4": "1222233", "14.1": "22", "14.2": "12223333",
    "14.3": "122", "15.1": "12233", "15.2": "12233", "15.3": "1222222", "15.4": "3333",
    "16.1": "2", "16.2": "22222", "16.3": "2222", "16.4": "222", "16.5": "2223", "17.1": "23",
    "17.2": "22223333", "17.3": "22",
}  # fmt: skip
"""Sections of the standard, and the level of each of their requirements in order."""


def rows() -> list[security.Requirement]:
    """Every row of the matrix."""
    return [row for chapter in security.chapters() for row in chapter.rows]


@cache
def named_in(path: Path) -> frozenset[str]:
    """Names of the tests in a file, those of a class as Class::test, by reading it only."""
    tree = ast.parse(path.read_text("utf-8"))
    return frozenset(_tests(tree.body))


def _tests(body: list[ast.stmt], within: str = "") -> Iterator[str]:
    for node in body:
        if isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            yield from _tests(node.body, f"{node.name}::")
        elif isinstance(node, ast.FunctionDef) and node.name.startswith("test"):
            yield f"{within}{node.name}"


def faults(found: list[security.Requirement], root: Path = ROOT) -> list[str]:
    """What is wrong with rows: numbers, levels, words, evidence."""
    wanted = {
        f"v5.0.0-{section}.{number}": int(level)
        for section, levels in LEVELS.items()
        for number, level in enumerate(levels, 1)
        if level in "12"
    }
    count = Counter(row.id for row in found)
    told = [f"{id} is missing" for id in wanted.keys() - count.keys()]
    told += [f"{id} stands {times} times" for id, times in count.items() if times > 1]
    for row in found:
        told += [f"{row.id}: {what}" for what in _faults(row, wanted.get(row.id), root)]
    return sorted(told)


def _faults(row: security.Requirement, level: int | None, root: Path) -> Iterator[str]:
    if level != row.level:
        yield f"is no requirement of level {row.level}"
    if row.met not in security.WORDS or row.applicable == (row.met == "not applicable"):
        yield f"{row.met!r} does not go with applicable = {row.applicable}"
    if not row.asks or len(row.asks.split()) > 12:
        yield "is not told in 1 to 12 words"
    if not row.tests and not row.reason:
        yield "has neither a test nor a reason"
    if row.met == "yes" and not row.how:
        yield "does not say how it is met"
    if row.met in ("partly", "no") and not row.reason:
        yield "does not say what is missing"
    for node in row.tests:
        path, _, name = node.partition("::")
        if not (root / path).is_file() or name not in named_in(root / path):
            yield f"there is no test {node}"


def test_every_requirement_of_levels_1_and_2_has_one_row_with_a_test_or_a_reason() -> None:
    """And every test that is named exists; 70 requirements of level 1 and 183 of level 2."""
    levels = Counter("".join(LEVELS.values()))
    assert (levels["1"], levels["2"], levels["3"]) == (70, 183, 92)
    assert faults(rows()) == []


def row(**changes: object) -> security.Requirement:
    """A sound row with some changes."""
    sound = {"id": "v5.0.0-3.4.4", "level": 2, "asks": "nosniff", "applicable": True, "met": "yes",
             "how": "guard", "reason": "", "tests": ()}  # fmt: skip
    return security.Requirement(**{**sound, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, "has neither a test nor a reason"),
        ({"tests": ("tests/tools/test_security.py::test_nothing",)}, "there is no test"),
        ({"tests": ("tests/tools/no_file.py::test_x",)}, "there is no test"),
        ({"reason": "r", "id": "v5.0.0-3.4.7"}, "is no requirement of level 2"),
        ({"reason": "r", "id": "v5.0.0-99.1.1"}, "is no requirement"),
        ({"reason": "r", "level": 1}, "is no requirement of level 1"),
        ({"reason": "r", "met": "perhaps"}, "does not go with"),
        ({"reason": "r", "met": "not applicable"}, "does not go with"),
        ({"reason": "r", "applicable": False}, "does not go with"),
        ({"reason": "r", "how": ""}, "how it is met"),
        ({"met": "partly", "tests": ("tests/tools/test_security.py::test_a_fault_is_found",)},
         "what is missing"),
        ({"reason": "r", "asks": "word " * 13}, "1 to 12 words"),
    ],
)  # fmt: skip
def test_a_fault_is_found(changes: dict[str, object], told: str) -> None:
    """Each kind of fault in one row, beside all that are missing."""
    mine = row(**changes)
    assert any(fault.startswith(f"{mine.id}: ") and told in fault for fault in faults([mine]))
    assert any(fault.endswith("is missing") for fault in faults([mine]))


def test_a_row_that_stands_twice_is_found() -> None:
    twice = [row(reason="r"), row(reason="r")]
    assert "v5.0.0-3.4.4 stands 2 times" in faults(twice)


def test_the_files_hold_a_chapter_each_in_order() -> None:
    found = security.chapters()
    assert [chapter.number for chapter in found] == list(range(1, 18))
    for chapter in found:
        assert {row.number.partition(".")[0] for row in chapter.rows} == {str(chapter.number)}


def test_the_page_counts_what_the_rows_say() -> None:
    page, counted = security.page(), Counter(row.met for row in rows())
    cells = " | ".join(str(counted[word]) for word in security.WORDS)
    assert f"| **All** | {len(rows())} | {cells} |" in page
    for mine in rows():
        assert f"| {mine.number} | {mine.level} | " in page
    assert "CC BY-SA 4.0" in page


def test_the_page_holds_the_whole_matrix_of_rights() -> None:
    page = security.page()
    for role, granted in rights.MATRIX.items():
        for grade in rights.GRADES:
            cells = [granted.get((action, grade), "") or "—" for action in rights.ACTIONS]
            assert f"| {role} | {grade} | {' | '.join(cells)} |" in page


PARTS = ("Rules of input", "Files that are taken", "Connections", "Signing in",
         "Work that takes long", "Grades of data", "Keys and algorithms", "Logs",
         "Parts that others wrote")  # fmt: skip


def part(name: str) -> str:
    """A part of the page of practice."""
    _, head, rest = PRACTICE.read_text("utf-8").partition(f"\n## {name}\n")
    assert head, f"the page of practice has lost its part {name}"
    return " ".join(rest.partition("\n## ")[0].split())


def test_the_page_of_practice_has_every_part() -> None:
    """Each with something to say, and each that a row of the matrix refers to."""
    for name in PARTS:
        assert len(part(name)) > 300, name
    for mine in rows():
        for named in re.split(r"[Pp]ractice(?:, | \()(?=[A-Z])", f"{mine.how} {mine.reason}")[1:]:
            assert named.startswith(PARTS), f"{mine.id} refers to {named}"


def test_the_page_of_practice_says_what_the_code_does() -> None:
    files = part("Files that are taken")
    for number in (
        reading.SIZE_LIMIT, workbook.UNPACKED_LIMIT, workbook.RATIO_LIMIT, workbook.PART_LIMIT,
        workbook.CELL_LIMIT, workbook.ROW_LIMIT, separated.ROW_LIMIT, separated.COLUMN_LIMIT,
        yaml_text.SIZE_LIMIT, yaml_text.DEPTH_LIMIT, plan_reading.LARGEST, plan_reading.DEEPEST,
        guard.MOST_BYTES,
    ):  # fmt: skip
        assert f"{number:,}" in files, number
    long = part("Work that takes long")
    for number in (jobs.MOST_WAITING, guard.MOST_BYTES, serving.MOST_HEADERS, schema.LOCK_SECONDS):
        assert f"{number:,}" in long, number
    assert f"{desk.PATIENCE:g} s" in long
    assert f"{cell.LARGEST:g}".replace("+", "") in part("Rules of input")
    door = part("Signing in")
    for told in (
        f"{password.SHORTEST} to {password.LONGEST} characters",
        f"After {signing_in.FREE} failures",
        f"waits {signing_in.FIRST} s",
        f"at most {signing_in.LONGEST // 60} minutes",
        f"at most {session.MOST}; the oldest",
        f"at most {token.MOST_DAYS} days",
    ):
        assert told in door, told
    assert (session.IDLE, session.ABSOLUTE) == (3600, 12 * 3600)
    for number in (media.MOST_BYTES, media.MOST_UNPACKED, media.MOST_RATIO, media.MOST_PARTS):
        assert f"{number:,}" in files, number
    grades = part("Grades of data")
    for table in ("flows", "stocktakes", "assays"):
        line = next(cells for cells in re.findall(r"\| [^|]+ (\w+) \| ([^|]+) \|", grades)
                    if table in cells[1])  # fmt: skip
        assert line[0] == rights.grade_of(table)


def test_the_inventory_lists_every_pin_and_every_vendored_script() -> None:
    made = json.loads(inventory.document(ROOT))
    assert (made["bomFormat"], made["specVersion"]) == ("CycloneDX", "1.6")
    names = {(entry["name"], entry["version"]) for entry in made["components"]}
    pins = re.findall(r"^([\w.-]+)==([^ ;\n]+)", (ROOT / "requirements.lock").read_text(), re.M)
    assert len(pins) > 20
    assert set(pins) <= names
    scripts = [entry for entry in made["components"] if "hashes" in entry]
    assert {entry["name"] for entry in scripts} == {"echarts", "htmx"}
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", entry["version"]) for entry in scripts)
    references = [entry["bom-ref"] for entry in made["components"]]
    assert len(set(references)) == len(references)


def test_every_part_that_the_project_asks_for_is_in_the_inventory() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    listed = {entry["name"] for entry in json.loads(inventory.document(ROOT))["components"]}
    asked = {re.split(r"[><=\[ ]", line)[0].lower() for line in project["dependencies"]}
    assert asked <= listed
