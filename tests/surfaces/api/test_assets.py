"""Static files: hashed addresses, compression, no way out of their folder."""

import gzip
from pathlib import Path

import pytest

import cupral.surfaces.web
from cupral.surfaces.web.rendering import asset
from tests.surfaces.reader import Reader

STATIC = Path(cupral.surfaces.web.__path__[0]) / "static"
FILES = sorted(p.relative_to(STATIC).as_posix() for p in STATIC.rglob("*") if p.is_file())


@pytest.mark.parametrize("name", FILES)
def test_every_file_is_served_for_ever_under_its_hash(browser: Reader, name: str) -> None:
    answer = browser.get(asset(name), headers={"accept-encoding": "identity"})
    assert answer.status_code == 200
    assert answer.content == (STATIC / name).read_bytes()
    assert "immutable" in answer.headers["cache-control"]


def test_media_types_are_told(browser: Reader) -> None:
    kinds = {"cupral.css": "text/css", "cupral.js": "javascript"}
    for name, kind in kinds.items():
        assert kind in browser.get(asset(name)).headers["content-type"]


def test_scripts_are_compressed_for_those_who_can(browser: Reader) -> None:
    answer = browser.get(asset("vendor/echarts.min.js"), headers={"accept-encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert int(answer.headers["content-length"]) < 400_000


def test_what_the_browser_has_is_not_sent_again(browser: Reader) -> None:
    etag = browser.get(asset("cupral.css")).headers["etag"]
    answer = browser.get(asset("cupral.css"), headers={"if-none-match": etag})
    assert (answer.status_code, answer.content) == (304, b"")


def test_a_wrong_hash_is_not_found(browser: Reader) -> None:
    assert browser.get("/static/000000000000/cupral.css").status_code == 404


@pytest.mark.parametrize("name", ["..%2Frendering.py", "%2e%2e/rendering.py", "vendor", "none.css"])
def test_there_is_no_way_out_of_the_folder(browser: Reader, name: str) -> None:
    assert browser.get(f"/static/000000000000/{name}").status_code == 404


def test_third_party_files_come_with_their_licences() -> None:
    assert {"vendor/htmx.LICENSE.txt", "vendor/echarts.LICENSE.txt"} <= set(FILES)
    assert {"vendor/htmx.min.js", "vendor/echarts.min.js"} <= set(FILES)


def test_our_stylesheet_and_script_are_small() -> None:
    assert (STATIC / "cupral.css").stat().st_size <= 25_000
    assert (STATIC / "cupral.js").stat().st_size <= 12_000


def test_everything_a_first_page_needs_is_small() -> None:
    files = ("cupral.css", "cupral.js", "vendor/htmx.min.js")
    assert sum(len(gzip.compress((STATIC / n).read_bytes(), 9)) for n in files) < 60_000
