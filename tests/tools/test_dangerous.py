"""What the source never does, because strangers' input could turn it against us."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2] / "src" / "cupral"
SCRIPTS = SOURCE / "surfaces" / "web" / "static"
RUNS_TEXT = ("eval", "exec", "compile", "__import__")
MODULES = ("pickle", "marshal", "shelve", "dill", "subprocess", "pty", "telnetlib", "ftplib",
           "ldap", "smtplib", "memcache", "xmlrpc", "ctypes", "cffi")  # fmt: skip
"""Modules that run what they read, start programs, or speak to what Cupral does not speak to."""
CLIENTS = ("urllib.request", "http.client", "httpx", "requests", "aiohttp")
MAY_CALL = {"access/provider.py"}
"""Files that may call another computer: an address that the operator configures, no other."""
WEAK = ("md5", "sha1", "mktemp")


def trees() -> Iterator[tuple[str, ast.Module]]:
    """Every Python file of the package."""
    for path in sorted(SOURCE.rglob("*.py")):
        yield path.relative_to(SOURCE).as_posix(), ast.parse(path.read_text("utf-8"))


def imported(tree: ast.Module) -> Iterator[str]:
    """Names of the modules that a file imports, anywhere in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def called(tree: ast.Module) -> Iterator[tuple[str, ast.Call]]:
    """Every call with what is called, as it is written."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def test_no_text_is_run_as_a_program() -> None:
    """Templates, formulae and units are walked, never executed."""
    found = [
        (name, what) for name, tree in trees() for what, _ in called(tree)
        if what in RUNS_TEXT or what.startswith("os.system") or what.startswith("os.popen")
        or what.endswith(".from_string") or what == "Template.render"
    ]  # fmt: skip
    assert found == []


def test_no_module_that_runs_what_it_reads_or_starts_programs_is_imported() -> None:
    found = [
        (name, module) for name, tree in trees() for module in imported(tree)
        if module.partition(".")[0] in MODULES
    ]  # fmt: skip
    assert found == []


def test_only_named_files_call_other_computers() -> None:
    """So nothing that is uploaded or typed makes the server fetch anything."""
    found = {
        name for name, tree in trees() for module in imported(tree)
        if module.startswith(CLIENTS)
    }  # fmt: skip
    assert found <= MAY_CALL


def test_yaml_is_read_by_the_safe_loader_only() -> None:
    for name, tree in trees():
        for what, call in called(tree):
            if what.startswith("yaml.") and what not in ("yaml.safe_load", "yaml.safe_dump"):
                loaders = [
                    ast.unparse(word.value) for word in call.keywords if word.arg == "Loader"
                ]
                reads = what in ("yaml.load", "yaml.load_all", "yaml.compose", "yaml.parse",
                                 "yaml.scan")  # fmt: skip
                assert not reads or loaders == ["yaml.SafeLoader"], (name, what)


def test_no_weak_algorithm_is_named() -> None:
    """SHA-256 and what stands beside it on the page of practice; no cipher of our own."""
    found = [
        (name, what) for name, tree in trees() for what, call in called(tree)
        if what.startswith(("hashlib.", "hmac.", "tempfile.", "random."))
        and (what.rpartition(".")[2] in WEAK or what.startswith("random."))
    ]  # fmt: skip
    assert found == []


def test_sql_is_put_together_of_names_that_the_code_knows_only() -> None:
    """Values are bound; text with places to fill goes to a database in its corner only."""
    found = set()
    for name, tree in trees():
        for what, call in called(tree):
            text = call.args[0] if call.args else None
            takes_sql = what == "sa.text" or what.rpartition(".")[2] in (
                "execute", "sql", "exec_driver_sql", "executemany"
            )  # fmt: skip
            if takes_sql and isinstance(text, ast.JoinedStr | ast.BinOp):
                found.add(name)
        if "noqa: S608" in (SOURCE / name).read_text("utf-8"):  # else ruff refuses such a text
            found.add(name)
    assert {name for name in found if not name.startswith("ledger/stores/versions/")} == {
        "ledger/stores/sqlite.py", "ledger/stores/duckdb.py", "ledger/stores/ibis.py"
    }  # fmt: skip


def test_nothing_is_printed_or_logged_with_the_password_of_a_database() -> None:
    """A URL is told without it wherever it is told."""
    for name, tree in trees():
        for what, call in called(tree):
            if what.endswith("render_as_string"):
                words = {word.arg: ast.unparse(word.value) for word in call.keywords}
                assert words == {"hide_password": "True"}, name


@pytest.mark.parametrize("path", sorted(SCRIPTS.glob("*.js")), ids=lambda path: path.name)
def test_our_script_writes_text_and_keeps_nothing(path: Path) -> None:
    """No markup of strings, no evaluation, no messages between windows, no storage."""
    text = re.sub(r"/\*.*?\*/|//[^\n]*", "", path.read_text("utf-8"), flags=re.DOTALL)
    for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "createContextualFragment",
                 "document.write", "eval(", "new Function", "postMessage", "WebSocket",
                 "localStorage", "sessionStorage", "indexedDB", "document.cookie",
                 "__proto__"):  # fmt: skip
        assert word not in text, word
    assert text.lstrip().startswith('"use strict";')


def test_templates_escape_everything_and_run_nothing() -> None:
    """No text is marked as safe; no script, style or handler stands in a page."""
    files = sorted((SOURCE / "surfaces" / "web" / "templates").rglob("*.html"))
    text = "".join(path.read_text("utf-8") for path in files)
    assert len(files) > 10
    assert not re.search(r"\|\s*safe\b|autoescape|Markup", text)
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|<object|<embed|<iframe", text)
    assert not re.search(r"\son\w+=|\bstyle=|javascript:|target=\"_blank\"", text)
    python = "".join(path.read_text("utf-8") for path in (SOURCE / "surfaces").rglob("*.py"))
    assert "Markup" not in python
    assert python.count("autoescape=True") == python.count("Environment(") == 1


def test_passwords_are_masked_and_open_to_password_managers() -> None:
    """Each field says which password it is, and no script or limit keeps one from pasting it."""
    found = [
        tag
        for path in sorted((SOURCE / "surfaces" / "web" / "templates").rglob("*.html"))
        for tag in re.findall(r"<input[^>]*>", path.read_text("utf-8"))
        if 'type="password"' in tag or "-password" in tag
    ]
    assert len(found) >= 3
    for tag in found:
        assert 'type="password"' in tag, tag
        assert re.search(r'autocomplete="((current|new)-password|\{\{ word \}\})"', tag), tag
        assert "maxlength" not in tag
        assert "readonly" not in tag
