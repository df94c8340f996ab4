"""An engineer describes the plant's own network on the page, with a drawing."""

import pytest

from cupral.ledger.ledger import Ledger
from cupral.system import open_ledger
from tests.journeys.browser import Visit
from tests.surfaces.workshop import NETWORK

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def ledger(own_province: object) -> Ledger:
    """The ledger behind the pages."""
    return open_ledger(own_province)  # type: ignore[arg-type]


def put(visit: Visit, sheet: str, number: int, **values: str) -> None:
    """Fill in a row of the form."""
    for column, value in values.items():
        field = visit.page.locator(f"[name='{sheet}-{number}-{column}']")
        if field.evaluate("field => field.tagName") == "SELECT":
            field.select_option(value)
        else:
            field.fill(value)


def test_a_network_is_defined_by_a_file(visit: Visit, ledger: Ledger) -> None:
    visit.open("/networks")
    buffer = NETWORK.encode()
    visit.page.set_input_files(
        "#file", {"name": "workshop.yaml", "mimeType": "text/yaml", "buffer": buffer}
    )
    visit.page.fill("#author", "engineer")
    visit.page.click("button:has-text('Define')")
    visit.page.locator(".verdict", has_text="done").wait_for()
    assert "ws-1" in ledger.networks()


def test_a_network_is_typed_in_previewed_mended_and_saved(visit: Visit, ledger: Ledger) -> None:
    visit.open("/networks/new")
    put(visit, "site", 0, id="my-plant", name_en="My plant", enterprise="e-mine")
    put(visit, "processes", 0, id="melt", name_en="melting")
    put(visit, "streams", 0, id="IN", source="outside", target="melt")
    put(visit, "streams", 1, id="OUT", source="mlt", target="outside")
    visit.page.click("summary:has-text('Meters')")
    put(visit, "meters", 0, id="IN.scale", stream="IN", sd_relative="0.01")
    put(visit, "meters", 1, id="OUT.scale", stream="OUT", sd_relative="0.01")
    visit.page.click("button:has-text('Preview')")
    visit.page.locator(".callout.alarm").wait_for()
    assert "streams.source" in visit.text(".callout.alarm")
    visit.complaints.clear()  # the browser notes the status 422
    put(visit, "streams", 1, source="melt")
    visit.page.click("button:has-text('Preview')")
    visit.page.locator("svg.net").wait_for()
    assert "my-plant" not in ledger.networks()
    visit.page.click("button:has-text('Save')")
    visit.page.locator(".callout.good").wait_for()
    assert ledger.network("my-plant").version == 1


def test_an_edit_is_a_new_version(visit: Visit, ledger: Ledger) -> None:
    visit.open("/networks/cu-ly-1")
    version = ledger.network("cu-ly-1").version
    put(visit, "processes", 0, name_en="renamed process")
    visit.page.click("button:has-text('Save')")
    visit.page.locator(".callout.good").wait_for()
    assert ledger.network("cu-ly-1").version == version + 1
    assert ledger.network("cu-ly-1").processes[0].name_en == "renamed process"
