"""Whose data whom: the matrix exhaustively, and a ledger that asks it at every read and write."""

from collections.abc import Callable
from itertools import product
from typing import Any

import pytest

from cupral.ledger.dependence import fingerprint
from cupral.ledger.document import Document
from cupral.ledger.errors import InputError, NoRight, NotFound
from cupral.ledger.explain import explain
from cupral.ledger.ledger import Ledger
from cupral.ledger.registers import Enterprise, Network, Site
from cupral.ledger.result import Result, Versions
from cupral.ledger.rights import (
    ACTIONS,
    ADMINISTRATORS,
    GRADES,
    MATRIX,
    PUBLIC,
    ROLES,
    Rights,
    grade_of,
)
from cupral.system import order
from tests.ledger.rows import assay, flow, stocktake

ALLOWED = {
    "public": {"read": "general:all", "export": "general:all"},
    "enterprise": {
        "read": "general:all important:own core:own",
        "export": "general:all important:own core:own",
        "post": "general:own important:own core:own",
    },
    "verifier": {
        "read": "general:all important:own core:own",
        "export": "general:all important:own",
        "verify": "general:own important:own core:own",
    },
    "department": {
        "read": "general:all important:all core:all",
        "export": "general:all important:all",
        **dict.fromkeys(
            ("post", "decide", "amend", "confirm", "release"), "general:all important:all"
        ),
    },
    "system": {"operate": "general:all important:all core:all"},
    "security": {"grant": "general:all important:all core:all"},
    "audit": {"audit": "general:all important:all core:all"},
}
"""The same matrix written down a second time, by role and action."""
ALLOWED["signer"] = ALLOWED["enterprise"] | {"sign": "general:own important:own core:own"}
for role in ADMINISTRATORS:
    ALLOWED[role] |= ALLOWED["public"]


@pytest.mark.parametrize(("role", "action", "grade"), list(product(ROLES, ACTIONS, GRADES)))
def test_every_cell_of_the_matrix(role: str, action: str, grade: str) -> None:
    table = {"general": "register:site", "important": "flows", "core": "assays"}[grade]
    assert grade_of(table) == grade
    given = dict(pair.split(":") for pair in ALLOWED[role].get(action, "").split())
    rights = Rights(name="x", roles=frozenset({role}), enterprises=frozenset({"E1"}))
    assert rights.over(action, table) == given.get(grade, "")
    for owners in (None, ["E1"], ["E2"], ["E1", "E2"], []):
        allowed = given.get(grade) == "all" or (
            given.get(grade) == "own" and owners is not None and set(owners) <= {"E1"}
        )
        if allowed:
            rights.demand_over(action, table, owners)
        else:
            with pytest.raises(NoRight, match=f"x may not {action} {table}"):
                rights.demand_over(action, table, owners)


def test_roles_add_up_but_administrators_are_separate() -> None:
    assert set(MATRIX) == {*ROLES, "owner"}
    both = Rights(name="x", roles=frozenset({"signer", "verifier"}))
    assert both.over("sign", "flows") == both.over("verify", "flows") == "own"
    for role, other in product(ADMINISTRATORS, ROLES):
        if role != other:
            with pytest.raises(InputError, match="separate persons"):
                Rights(name="x", roles=frozenset({role, other}))
    with pytest.raises(InputError, match="no role king; there are public, "):
        Rights(name="x", roles=frozenset({"king"}))


@pytest.fixture
def shared(ledger: Ledger) -> Ledger:
    """A ledger of two enterprises with a site each; site ids do not tell whose they are."""
    for number in (1, 2):
        ledger.register(
            Enterprise(id=f"E{number}", name_zh="", name_en="", chain="copper"), author="me"
        )
        ledger.register(
            Site(id=f"s{number}", name_zh="", name_en="", enterprise=f"E{number}", city=""),
            author="me",
        )
        ledger.register(
            Network(site=f"s{number}", processes=(), streams=(), meters=()), author="me"
        )
        ledger.post(
            f"p{number}", author=f"clerk{number}", flows=[flow("A", site=f"s{number}")],
            assays=[assay("A", site=f"s{number}")], stocktakes=[stocktake(site=f"s{number}")],
            documents=[Document(kind="return", id=f"r{number}", party=f"E{number}"),
                       Document(kind="doubt", id=f"d{number}", party=f"s{number}")],
        )  # fmt: skip
    ledger.put(Document(kind="plan", id="plan", party="department"), author="me")
    return ledger


def rights(role: str = "enterprise", *enterprises: str) -> Rights:
    return Rights(name="clerk1", roles=frozenset({role}), enterprises=frozenset(enterprises))


READS: dict[str, Callable[[Ledger, str | None], Any]] = {
    "flows": lambda ledger, n: ledger.flows(site=n and f"s{n}"),
    "assays": lambda ledger, n: ledger.assays(site=n and f"s{n}"),
    "stocktakes": lambda ledger, n: ledger.stocktakes(site=n and f"s{n}"),
    "totals": lambda ledger, n: ledger.totals(by=["site"], site=n and f"s{n}"),
    "as of": lambda ledger, n: ledger.flows(site=n and f"s{n}", as_of=2),
    "both sites": lambda ledger, n: ledger.flows(site=[f"s{n}", "s1"] if n else None),
    "network": lambda ledger, n: ledger.network(f"s{n}"),
    "returns": lambda ledger, n: ledger.documents("return", party=n and f"E{n}"),
    "doubts": lambda ledger, n: ledger.documents("doubt", party=n and f"s{n}"),
    "row": lambda ledger, n: explain(ledger, f"flows:p{n}/0"),
    "posting": lambda ledger, n: explain(ledger, f"posting:p{n}"),
    "result": lambda ledger, n: ledger.versions(f"test?site=s{n}"),
    "kept": lambda ledger, n: ledger.kept("test", {"site": f"s{n}"}),
}


@pytest.mark.parametrize("what", READS)
def test_an_enterprise_reads_its_own_and_nothing_else(shared: Ledger, what: str) -> None:
    for number in (1, 2):
        with shared.reading() as read:
            shared.flows(site=f"s{number}")
        shared.keep(
            Result(query="test", subject="x", arguments={"site": f"s{number}"},
                   versions=Versions(2, fingerprint(shared.book, read.scopes), shared.code)), read,
        )  # fmt: skip
    mine, read = shared.seen_by(rights("enterprise", "E1")), READS[what]
    assert read(mine, "1") is not None
    for number in ("2", None) if what in [*list(READS)[:6], "returns", "doubts"] else ("2",):
        with pytest.raises(NoRight, match="clerk1 may not read"):
            read(mine, number)
        assert read(shared, number) is not None
    for stranger in (PUBLIC, rights("system"), rights("enterprise"), rights("audit")):
        with pytest.raises(NoRight, match="may not read"):
            read(shared.seen_by(stranger), "1")
    assert read(shared.seen_by(rights("department")), "2") is not None


def test_lists_and_documents_of_others_are_not_there(shared: Ledger) -> None:
    mine = shared.seen_by(rights("enterprise", "E1"))
    assert [row["id"] for row in mine.postings()] == ["p1"]
    assert mine.document("return", "r1").party == "E1"
    with pytest.raises(NotFound, match="no return document 'r2'"):
        mine.document("return", "r2")
    with pytest.raises(NotFound, match="no return document 'r3'"):
        mine.document("return", "r3")
    assert [site.id for site in mine.sites()] == ["s1", "s2"], "the register is public"
    assert [d.id for d in shared.seen_by(PUBLIC).documents("plan")] == ["plan"]
    for closed in (mine.results, mine.documents, lambda: mine.results(stale=True)):
        with pytest.raises(NoRight):
            closed()


WRITES: dict[str, Callable[[Ledger, str], Any]] = {
    "flows": lambda ledger, n: ledger.post("q", author="me", flows=[flow("B", 1.0, site=f"s{n}")]),
    "mixed": lambda ledger, n: ledger.post(
        "q", author="me", flows=[flow("B", 1.0, site="s1"), flow("B", 1.0, site=f"s{n}")]
    ),
    "assays": lambda ledger, n: ledger.post("q", author="me", assays=[assay("B", site=f"s{n}")]),
    "settles": lambda ledger, n: ledger.post(
        "q", author="me", documents=[Document(kind="return", id="new", party=f"E{n}")]
    ),
    "document": lambda ledger, n: ledger.put(
        Document(kind="return", id="new", party=f"E{n}"), author="me"
    ),
    "takes over a document": lambda ledger, n: ledger.put(
        Document(kind="return", id=f"r{n}", party="E1"), author="me"
    ),
    "reverse": lambda ledger, n: ledger.reverse(f"p{n}", author="me", reason="wrong"),
    "site": lambda ledger, n: ledger.register(
        Site(id=f"s{n}", name_zh="", name_en="", enterprise="E1", city="x"), author="me"
    ),
    "network": lambda ledger, n: ledger.register(
        Network(site=f"s{n}", processes=(), streams=(), meters=()), author="me"
    ),
    "gives away": lambda ledger, n: ledger.register(
        Site(id="s1", name_zh="", name_en="", enterprise=f"E{n}", city="x"), author="me"
    ),
}


@pytest.mark.parametrize("what", WRITES)
def test_an_enterprise_writes_its_own_and_nothing_else(shared: Ledger, what: str) -> None:
    mine, state = shared.seen_by(rights("enterprise", "E1")), shared.state
    with pytest.raises(NoRight, match="clerk1 may not post"):
        WRITES[what](mine, "2")
    for reader in (PUBLIC, rights("verifier", "E1", "E2"), rights("system"), rights("audit")):
        with pytest.raises(NoRight, match="may not post"):
            WRITES[what](shared.seen_by(reader), "1")
    assert shared.state == state
    assert WRITES[what](mine, "1") is not None


def test_orders_need_the_action_and_ones_own_name_and_refusals_are_audited(
    shared: Ledger,
) -> None:
    mine = shared.seen_by(rights("enterprise", "E1"))
    given = {"site": "s1", "period": "2026-01", "statement": "right"}
    with pytest.raises(NoRight, match="clerk1 may not sign; allowed for signer"):
        order(mine, "balance.sign_account", author="clerk1", **given)
    with pytest.raises(NoRight, match="clerk1 may not act in the name of boss"):
        order(mine, "balance.reverse_posting", author="boss", posting="p1", reason="x")
    assert order(
        mine, "balance.reverse_posting", author="clerk1", posting="p1", reason="x"
    ).status == "posted"  # fmt: skip
    trail = shared.records.audit(3)
    assert [row["outcome"].partition(":")[0] for row in trail] == ["done", "NoRight", "NoRight"]
