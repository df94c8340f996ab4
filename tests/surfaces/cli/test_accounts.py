"""`cupral accounts`: for whoever holds the folder; and the logins of the demonstration."""

import re
from pathlib import Path
from typing import Any

import pytest

from cupral.access import store
from cupral.access.account import GRANTED
from cupral.access.signing_in import Place, by_password
from cupral.demonstration.faults import KEY
from cupral.ledger.registers import Enterprise, Site
from cupral.surfaces import demonstration_logins
from cupral.system import open_ledger
from tests.surfaces.cli.test_app import Line
from tests.surfaces.tenants import Visitor


@pytest.fixture
def line(tmp_path: Path, capsys: Any) -> Line:
    """A ledger with two enterprises."""
    ledger = open_ledger(tmp_path / "l")
    for id in ("E1", "E2"):
        ledger.register(Enterprise(id=id, name_zh="", name_en="", chain="copper"), author="me")
    ledger.register(
        Site(id=KEY.site, enterprise="E1", name_zh="", name_en="", city=""), author="me"
    )
    ledger.records.database.dispose()
    return Line(tmp_path / "l", capsys)


def test_the_first_accounts_and_all_that_follows(line: Line) -> None:
    printed = line.run("accounts", "init")
    names = re.findall(r"^(\w+-administrator) +([a-z2-9-]{23})$", printed, re.MULTILINE)
    assert len(names) == 3
    _out, error = line.both("accounts", "init", code=2)
    assert "has accounts already" in error
    given = line.run("accounts", "add", "li", "--role", "enterprise", "--enterprise", "E1")
    password = given.splitlines()[0].split()[1]
    ledger = open_ledger(line.folder)
    by_password(ledger, name="li", password=password, place=Place())
    assert "li" in line.run("accounts", "list")
    listed = {row["name"]: row for row in line.json("accounts", "list")}
    assert listed["li"]["enterprises"] == ["E1"]
    assert listed["li"]["one_time"] is True
    line.run("accounts", "grant", "li", "--role", "signer", "--enterprise", "E2")
    assert store.account(ledger, "li").enterprises == {"E2"}
    for word, state in (("lock", "locked"), ("unlock", "active")):
        line.run("accounts", word, "li")
        assert store.account(ledger, "li").state == state
    assert line.run("accounts", "reset", "li").split()[1] != password
    _out, error = line.both("accounts", "token", "li", code=2)
    assert "change the one-time password first" in error
    line.run("accounts", "disable", "li")
    _out, error = line.both("accounts", "add", "zhao", "--role", "king", code=2)
    assert "no role king can be granted; " not in error
    assert "king" in error
    trail = [row["action"] for row in ledger.records.audit()]
    assert trail.count("accounts.init") == 3
    assert {"accounts.add", "accounts.grant", "accounts.state", "accounts.reset"} <= set(trail)
    assert "intact" in line.run("audit", "verify")
    ledger.records.database.dispose()


def test_a_token_is_printed_once(line: Line) -> None:
    ledger = open_ledger(line.folder)
    demonstration_logins.made(ledger, author="me")
    word = line.run("accounts", "token", "demo-department", "--days", "2").splitlines()[0]
    visitor = Visitor(ledger)
    visitor.headers["authorization"] = f"Bearer {word}"
    assert visitor.get("/api/postings").status_code == 200
    ledger.records.database.dispose()


def test_demonstration_logins_are_of_every_role_and_shown_at_the_door(line: Line) -> None:
    ledger = open_ledger(line.folder)
    logins = demonstration_logins.made(ledger, author="me")
    assert demonstration_logins.made(ledger, author="me") == logins, "made once"
    assert {role for one in logins for role in one.roles} == set(GRANTED)
    assert {one.enterprises for one in logins if one.roles == ("enterprise",)} == {
        ("E1",), ("E2",)}  # fmt: skip
    assert (line.folder / demonstration_logins.FILE).stat().st_mode & 0o077 == 0
    page = Visitor(ledger).get("/login?lang=en").text
    assert "Demonstration logins" in page
    for one in logins:
        assert one.password in page
        entered = Visitor(ledger).sign_in(one.name, one.password)
        assert entered.headers["location"] == "/"
    ledger.records.database.dispose()


def test_a_ledger_with_accounts_of_its_own_gets_no_known_ones(line: Line) -> None:
    line.run("accounts", "init")
    ledger = open_ledger(line.folder)
    assert demonstration_logins.made(ledger, author="me") == ()
    assert "Demonstration logins" not in Visitor(ledger).get("/login?lang=en").text
    ledger.records.database.dispose()
