"""The commands of docs/start.md work as they are printed."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
START = (ROOT / "docs" / "start.md").read_text(encoding="utf-8")


def blocks(number: int) -> list[str]:
    """The shell blocks of a section."""
    section = re.split(r"^## ", START, flags=re.MULTILINE)[number]
    return re.findall(r"```\n(.*?)```", section, re.DOTALL)


@pytest.fixture(scope="module")
def own_plant(province: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What the blocks of section 3 print, one after another in one shell."""
    folder = tmp_path_factory.mktemp("start")
    (folder / "var").mkdir()
    (folder / "var" / "demo").symlink_to(province)
    script = 'set -eu\ncupral() { python -m cupral.surfaces.cli "$@"; }\n'
    script += "export CUPRAL_LEDGER=var/demo\n" + "echo @@@@\n".join(blocks(3))
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", script], cwd=folder, capture_output=True, text=True, check=False,
        env={**os.environ, "PATH": path, "CUPRAL_AUTHOR": "engineer"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.split("@@@@\n")


def test_a_network_is_defined(own_plant: list[str]) -> None:
    assert "posted as network:al-bz-1@1" in own_plant[0]


def test_the_month_is_reconciled_and_the_wrong_meter_is_named(own_plant: list[str]) -> None:
    assert "16 posted" in own_plant[1]
    assert "not passed" in own_plant[1]
    suspects = own_plant[1].partition("\nsuspects")[2]
    assert "al-bz-1.AC-2.rectifier" in suspects
    assert "demonstration" not in own_plant[1]


def test_the_account_is_judged_and_signed(own_plant: list[str]) -> None:
    assert "signed" in own_plant[2].partition("balance.accounts")[2]
    assert "open doubts" not in own_plant[2]


def test_the_commands_of_the_other_sections_are_known() -> None:
    for number in (1, 2):
        for line in "".join(blocks(number)).splitlines():
            assert line.startswith(("cupral ", "make ", "export ")), line
