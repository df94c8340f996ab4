"""Files that people bring, for command line and page alike."""

import pytest

from cupral.ledger.errors import InputError, NotFound, RowFaults
from cupral.ledger.ledger import Ledger
from cupral.ledger.template import read
from cupral.surfaces import intake
from cupral.surfaces.intake import KINDS, Brought
from tests.surfaces.workshop import SITE, meter_file


def brought(content: bytes = b"x", **changed: object) -> Brought:
    """A meter file that somebody brought."""
    values = {"kind": "meters", "filename": "f.csv", "content": content, "author": "a",
              "site": SITE}  # fmt: skip
    return Brought(**{**values, **changed})


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(InputError, match="kind 'tea' is not known; there are meters"):
        brought(kind="tea")


def test_a_meter_file_needs_a_site() -> None:
    with pytest.raises(InputError, match="name the site"):
        brought(site="")


def test_returns_need_none() -> None:
    assert brought(kind="returns", site="").site == ""


def test_an_empty_file_is_refused() -> None:
    with pytest.raises(InputError, match="is empty"):
        brought(b"")


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_every_template_reads_back(kind: str, form: str) -> None:
    content = intake.template(kind, form)
    reading = read(content, f"t.{form}", KINDS[kind])
    assert reading.rows == ()
    assert all("column" not in fault.what for fault in reading.faults)


@pytest.mark.parametrize(("kind", "form"), [("tea", "csv"), ("meters", "pdf")])
def test_other_templates_do_not_exist(kind: str, form: str) -> None:
    with pytest.raises(NotFound, match="no template"):
        intake.template(kind, form)


def test_a_dry_run_posts_nothing(workshop: Ledger) -> None:
    head = workshop.head
    report = intake.take(workshop, brought(meter_file(("2026-04",))), dry_run=True)
    assert (report.status, report.rows_new) == ("dry run", 7)
    assert workshop.head == head


def test_posting_twice_posts_once(workshop: Ledger) -> None:
    april = brought(meter_file(("2026-04",)))
    first = intake.take(workshop, april, dry_run=False)
    second = intake.take(workshop, april, dry_run=False)
    assert (first.status, second.status) == ("posted", "already")


def test_a_faulty_file_posts_nothing(workshop: Ledger) -> None:
    head = workshop.head
    with pytest.raises(RowFaults, match=r"CONC\.belt2"):
        intake.take(
            workshop, brought(b"meter,period,amount\nCONC.belt2,2026-04,1\n"), dry_run=False
        )
    assert workshop.head == head


def test_every_file_leaves_an_audit_record(workshop: Ledger) -> None:
    with pytest.raises(RowFaults):
        intake.take(workshop, brought(b"nothing\n", kind="returns", site=""), dry_run=True)
    latest = workshop.records.audit(1)[0]
    assert latest["action"] == "statistics.import_file"
    assert latest["outcome"].startswith("RowFaults")


@pytest.mark.parametrize("form", ["yaml", "xlsx"])
def test_a_network_is_exported_and_reads_back(workshop: Ledger, form: str) -> None:
    from cupral.system import order

    content = intake.network_export(workshop, SITE, form)
    report = order(workshop, "balance.define_network", author="a", content=content,
                   filename=f"n.{form}")  # fmt: skip
    assert report.status == "already"


def test_a_network_has_no_other_form(workshop: Ledger) -> None:
    with pytest.raises(NotFound, match="there are yaml and xlsx"):
        intake.network_export(workshop, SITE, "pdf")


def test_without_a_demonstration_there_is_no_late_file(workshop: Ledger) -> None:
    with pytest.raises(NotFound, match="no demonstration"):
        intake.late_file(workshop)
