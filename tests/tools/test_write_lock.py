"""The lock pins exactly what pyproject.toml leads to, and names no place."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import write_lock

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ("requirements.lock", "requirements-test.lock")


def pinned(*names: str) -> dict[str, Requirement]:
    """Requirements of lock files by package."""
    lines = [line for name in names for line in (ROOT / name).read_text("utf-8").splitlines()]
    requirements = [Requirement(line) for line in lines if not line.startswith("#")]
    return {canonicalize_name(requirement.name): requirement for requirement in requirements}


@pytest.mark.parametrize("name", LOCKS)
def test_every_line_is_one_exact_pin(name: str) -> None:
    for requirement in pinned(name).values():
        (specifier,) = requirement.specifier
        assert specifier.operator == "=="
        assert requirement.url is None


def test_the_locks_satisfy_what_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    for asked, names in (
        (project["dependencies"], LOCKS[:1]),
        (project["optional-dependencies"]["test"], LOCKS),
    ):
        locked = pinned(*names)
        for requirement in map(Requirement, asked):
            (specifier,) = locked[canonicalize_name(requirement.name)].specifier
            assert requirement.specifier.contains(specifier.version), str(requirement)


def test_no_package_is_in_both_locks() -> None:
    assert not set(pinned(LOCKS[0])) & set(pinned(LOCKS[1]))


def test_what_is_installed_here_needs_nothing_outside_the_locks() -> None:
    needed = write_lock.closure(["numpy", "fastapi", "sqlalchemy", "typer", "pytest"], "3.12")
    assert needed <= set(pinned(*LOCKS))


def test_extras_and_markers_are_followed() -> None:
    assert write_lock.applies(Requirement("a; python_version < '3.12'"), "3.11", "")
    assert not write_lock.applies(Requirement("a; python_version < '3.12'"), "3.13", "")
    assert not write_lock.applies(Requirement("a; extra == 'x'"), "3.13", "")
    assert write_lock.applies(Requirement("a; extra == 'x'"), "3.13", "x")


def test_a_package_for_all_pythons_has_no_marker_and_for_some_has_one() -> None:
    assert re.fullmatch(r"packaging==\S+", write_lock.pin("packaging", list(write_lock.PYTHONS)))
    some = write_lock.pin("packaging", ["3.11", "3.12"])
    assert some.endswith(" ; python_version == '3.11' or python_version == '3.12'")


def test_a_missing_package_is_named() -> None:
    with pytest.raises(write_lock.NotInstalled, match="no-such-package is required"):
        write_lock.installed("no-such-package")


def test_the_text_is_sorted_and_headed() -> None:
    text = write_lock.text({"b": "b==1", "a": "a==2"})
    assert text.startswith("# Written by tools/write_lock.py")
    assert text.endswith("a==2\nb==1\n")
