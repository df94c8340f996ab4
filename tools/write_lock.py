"""Write the lock files from the present environment: exact pins, with markers where needed.

    .venv/bin/python tools/write_lock.py

`requirements.lock` holds what Cupral needs to run and to be installed, and
`requirements-test.lock` what its tests need besides. A package that is needed on some of
the supported Pythons only gets a marker.
"""

import sys
import tomllib
from collections.abc import Iterable, Mapping
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PYTHONS = ("3.11", "3.12", "3.13")
HEAD = "# Written by tools/write_lock.py; valid for Python 3.11, 3.12 and 3.13.\n"


class NotInstalled(Exception):
    """A required package is missing from the environment that the lock is written from."""


def main() -> int:
    """Write both files; returns the exit code."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    build = project["build-system"]["requires"]
    extras = project["project"]["optional-dependencies"]
    runtime = project["project"]["dependencies"] + extras["fast"] + build
    tests = extras["test"]
    try:
        run = pins(runtime)
        test = {name: line for name, line in pins(runtime + tests).items() if name not in run}
    except NotInstalled as error:
        print(f"write_lock: {error}; install it, then write the locks again")
        return 1
    (ROOT / "requirements.lock").write_text(text(run), "utf-8")
    (ROOT / "requirements-test.lock").write_text(text(test), "utf-8")
    print(f"write_lock: {len(run)} packages to run, {len(test)} more to test")
    return 0


def text(lines: Mapping[str, str]) -> str:
    """Content of a lock file."""
    return HEAD + "".join(f"{lines[name]}\n" for name in sorted(lines))


def pins(requirements: Iterable[str]) -> dict[str, str]:
    """Pin everything that the requirements lead to: line of the lock file by package name."""
    needed: dict[str, list[str]] = {}
    for python in PYTHONS:
        for name in closure(requirements, python):
            needed.setdefault(name, []).append(python)
    return {name: pin(name, pythons) for name, pythons in needed.items()}


def pin(name: str, pythons: list[str]) -> str:
    """Line of one package.

    Examples
    --------
    >>> pin("packaging", ["3.11"]).partition(" ; ")[2]
    "python_version == '3.11'"
    """
    line = f"{name}=={installed(name).version}"
    if pythons == list(PYTHONS):
        return line
    marker = " or ".join(f"python_version == '{python}'" for python in pythons)
    return f"{line} ; {marker}"


def closure(requirements: Iterable[str], python: str) -> set[str]:
    """Names of all packages that the requirements lead to on one version of Python."""
    found, waiting = set[tuple[str, str]](), [(Requirement(r), "") for r in requirements]
    while waiting:
        requirement, extra = waiting.pop()
        if not applies(requirement, python, extra):
            continue
        name = canonicalize_name(requirement.name)
        for wanted in ("", *requirement.extras):
            if (name, wanted) not in found:
                found.add((name, wanted))
                waiting += [(Requirement(r), wanted) for r in installed(name).requires or ()]
    return {name for name, _ in found}


def applies(requirement: Requirement, python: str, extra: str) -> bool:
    """Whether a requirement holds on one version of Python for one extra."""
    place = {"python_version": python, "python_full_version": f"{python}.0", "extra": extra}
    return requirement.marker is None or requirement.marker.evaluate(place)


def installed(name: str) -> Distribution:
    """The installed distribution of a package."""
    try:
        return distribution(name)
    except PackageNotFoundError:
        raise NotInstalled(f"{name} is required but not installed here") from None


if __name__ == "__main__":
    sys.exit(main())
