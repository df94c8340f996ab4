"""Generated pages are up to date, complete, and link to what there is."""

import re
import tomllib
from pathlib import Path

import pytest

import write_docs
from cupral.system import commands, manifests, queries
from pages import clauses, errors, systems

ROOT = Path(__file__).resolve().parents[2]
PAGES = ["README.md", "README.zh-CN.md", *(str(p.relative_to(ROOT)) for p in ROOT.glob("docs/**/*.md"))]  # fmt: skip  # noqa: E501


def test_generated_pages_say_what_the_code_says() -> None:
    old = [
        path.relative_to(ROOT).as_posix()
        for path, text in write_docs.wanted(ROOT).items()
        if not path.is_file() or path.read_text("utf-8") != text
    ]
    assert old == [], "run `make docs`"


def test_every_query_and_command_is_on_the_page_of_systems() -> None:
    page = systems.page()
    for name in (*queries(), *commands()):
        assert f"`{name}`" in page


def test_a_system_is_told_by_the_first_paragraph_of_its_readme(tmp_path: Path) -> None:
    readme = tmp_path / "balance" / "README.md"
    assert systems._opening(readme) == ""
    readme.parent.mkdir()
    readme.write_text("# balance\n\nWhat flowed?\nAnd how sure?\n\n## Method\n\nSparse.\n", "utf-8")
    link = "[Method, oracle and limits](../src/cupral/systems/balance/README.md)"
    assert systems._opening(readme) == f"What flowed?\nAnd how sure?\n\n{link}\n"


def test_every_error_of_the_ledger_is_on_the_page_of_errors() -> None:
    page = errors.page()
    for name in ("InputError", "RowFaults", "NotFound", "Conflict", "CannotDecide", "Damaged"):
        assert page.count(f"| `{name}` |") == 1
    assert "row 14, column amount" in page


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_table_has_every_system_on_the_line_of_each_of_its_clauses(language: str) -> None:
    design = clauses.design()
    assert len(design["systems"]) == 31
    lines = clauses.table(language).splitlines()
    for clause, title in design["clauses"].items():
        number = f"{clause}. " if clause.isdigit() else ""
        (line,) = [row for row in lines if row.startswith(f"| {number}{title[language]} |")]
        for name, entry in design["systems"].items():
            shown = entry["title_zh"] if language == "zh" else name
            named = re.search(rf"[|,\[] ?{re.escape(shown)}[],| ]", line)
            assert bool(named) == (clause in entry["serves"]), (clause, name)


def test_the_table_counts_what_is_built() -> None:
    built = len(manifests())
    assert f"{built} of 31 systems are built: {len(queries())} questions" in clauses.table("en")
    assert f"{built} / 31 个系统已建" in clauses.table("zh")


def test_a_system_outside_the_design_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clauses, "manifests", lambda: {"alchemy": None})
    with pytest.raises(LookupError, match="add alchemy to tools/systems"):
        clauses.table("en")


def test_every_clause_that_the_design_serves_is_a_clause() -> None:
    design = tomllib.loads(clauses.DESIGN.read_text("utf-8"))
    for name, entry in design["systems"].items():
        assert set(entry["serves"]) <= set(design["clauses"]), name


def test_a_page_without_its_marks_is_refused() -> None:
    with pytest.raises(LookupError, match="lost its marks"):
        write_docs.between("no marks", "table")


def test_check_writes_nothing_and_names_what_is_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.md"
    page.write_text("old", "utf-8")
    monkeypatch.setattr(write_docs, "ROOT", tmp_path)
    monkeypatch.setattr(write_docs, "wanted", lambda _: {page: "new"})
    assert write_docs.main(["--check"]) == 1
    assert capsys.readouterr().out == "page.md is old; run `make docs`\n"
    assert page.read_text("utf-8") == "old"
    assert write_docs.main([]) == 0
    assert page.read_text("utf-8") == "new"
    assert write_docs.main(["--check"]) == 0


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_somewhere(name: str) -> None:
    page = ROOT / name
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8")):
        target, _, anchor = link.partition("#")
        if not target.startswith("http"):
            path = page.parent / target if target else page
            assert path.exists(), f"{name} links to {link}"
            if anchor and path.suffix == ".md":
                heads = re.findall(r"^#+ (.+)$", path.read_text("utf-8"), flags=re.M)
                slugs = {re.sub(r"[^\w -]", "", h).strip().lower().replace(" ", "-") for h in heads}
                assert anchor in slugs, f"{name} links to {link}"


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
def test_a_readme_is_one_page(name: str) -> None:
    assert len((ROOT / name).read_text("utf-8").splitlines()) <= 80
