"""What the pages say, in both languages, and what they never say."""

import html
import re
from html.parser import HTMLParser

import pytest

from cupral.ledger.ledger import Ledger
from cupral.system import manifests, open_ledger, order, queries
from tests.surfaces.reader import Reader
from tests.surfaces.workshop import NETWORK, SITE, SUSPECT

PAGES = (
    "/", "/?basis=declared", "/?target=T8", "/sites", f"/sites/{SITE}",
    f"/sites/{SITE}?month=202601", "/upload", f"/upload?site={SITE}&kind=assays", "/networks",
    f"/networks/{SITE}", "/networks/new", "/released", "/systems", "/parameters",
    "/parameters?system=efficiency&status=unconfirmed", "/postings", "/postings?verify=2",
    "/query/efficiency/level?norm=al_liquid_ac&value=13000", "/query/balance/problem",
    f"/why?reference=result:balance.streams%3Fperiod%3D2026-03%26site%3D{SITE}",
    f"/why?reference=network:{SITE}", "/why?reference=parameter:efficiency.al_liquid_ac",
)  # fmt: skip
VOID = {"meta", "link", "input", "br", "hr", "img", "path", "rect", "circle", "line", "col"}


class Outline(HTMLParser):
    """Headings, ids, references of ids, labels, open tags of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.headings: list[str] = []
        self.ids: list[str] = []
        self.named: list[str] = []
        self.fields: list[dict[str, str | None]] = []
        self.labels: set[str] = set()
        self.open: list[str] = []
        self.faults: list[str] = []
        self.within_label = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in ("h1", "h2", "h3"):
            self.headings.append(tag)
        if given.get("id"):
            self.ids.append(str(given["id"]))
        self.named += str(given.get("aria-labelledby") or "").split()
        if tag == "label":
            self.labels.add(str(given.get("for") or ""))
            self.within_label += 1
        if tag in ("input", "select", "textarea") and given.get("type") != "hidden":
            self.fields.append({**given, "within": "yes" if self.within_label else None})
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, _tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if dict(attrs).get("id"):
            self.ids.append(str(dict(attrs)["id"]))

    def handle_endtag(self, tag: str) -> None:
        if tag == "label":
            self.within_label -= 1
        if tag in VOID:
            return
        if not self.open or self.open.pop() != tag:
            self.faults.append(tag)


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_sound(browser: Reader, path: str, lang: str) -> None:
    """Tags close, headings and ids are in order, every field has a name."""
    outline = Outline(browser.page(path, lang))
    assert outline.faults == []
    assert outline.open == []
    assert outline.headings.count("h1") == 1
    assert len(outline.ids) == len(set(outline.ids))
    assert set(outline.named) <= set(outline.ids)
    for field in outline.fields:
        named = field.get("aria-label") or field.get("within") or field.get("id") in outline.labels
        assert named, field


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("path", PAGES)
def test_a_page_without_its_frame_is_only_its_inner_part(
    browser: Reader, path: str, lang: str
) -> None:
    headers = {"hx-request": "true", "cookie": f"lang={lang}"}
    text = browser.get(path, headers=headers).text
    assert "<html" not in text
    assert '<nav class="nav"' not in text
    assert text.strip().startswith("<")


@pytest.mark.parametrize("path", PAGES)
def test_every_link_of_a_page_leads_somewhere(browser: Reader, path: str) -> None:
    seen = set(re.findall(r'href="(/[^"#]*)', browser.page(path)))
    addresses = [html.unescape(address) for address in sorted(seen)[:80]]
    assert [a for a in addresses if browser.get(a).status_code >= 400] == []


@pytest.mark.parametrize("path", ["/", "/sites", "/networks", "/upload", "/postings", "/systems"])
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_an_empty_ledger_has_pages_as_well(tmp_path: object, path: str, lang: str) -> None:
    reader = Reader(open_ledger(f"{tmp_path}/empty"))
    text = reader.page(path, lang)
    assert 'role="note"' not in text


class TestOverview:
    """The plan at a glance."""

    def test_all_eight_targets_have_a_row(self, browser: Reader) -> None:
        page = browser.page("/")
        for number in range(1, 9):
            assert f">T{number}</a>" in page or f'class="id">T{number}' in page

    def test_without_returns_it_says_what_it_needs(self, browser: Reader) -> None:
        assert "Cannot decide; needs: declared rows of 2026" in browser.page("/")

    def test_all_36_clauses_are_listed_under_their_department(self, browser: Reader) -> None:
        page = browser.page("/")
        assert len(set(re.findall(r">(T\d\d-M\d)<", page))) == 36

    def test_an_unknown_basis_is_refused(self, browser: Reader) -> None:
        answer = browser.get("/?basis=guessed", headers={"cookie": "lang=en"})
        assert answer.status_code == 422
        assert "there are reconciled, declared" in html.unescape(answer.text)

    def test_the_map_has_a_table_twin(self, browser: Reader) -> None:
        page = browser.page("/")
        assert page.count('class="tile ') == 16
        assert "<caption>T2 by city</caption>" in page


class TestSites:
    """Sites and their months."""

    def test_the_list_names_lines_and_months(self, browser: Reader) -> None:
        page = browser.page("/sites")
        assert "Dongying Workshop" in page
        assert "copper semis" in page
        assert "202601–202603" in page

    def test_the_latest_month_is_shown_unless_told(self, browser: Reader) -> None:
        assert "Balance test of 2026-03" in browser.page(f"/sites/{SITE}")
        assert "Balance test of 2026-01" in browser.page(f"/sites/{SITE}?month=2026-01")

    def test_the_suspect_meter_is_named_and_marked(self, browser: Reader) -> None:
        page = browser.page(f"/sites/{SITE}")
        assert "Suspect meters" in page
        assert f"<strong>{SUSPECT}" in page
        assert page.count('<tr class="suspect">') >= 2
        assert "a meter is suspect" in page

    def test_a_sound_month_names_nobody(self, browser: Reader) -> None:
        page = browser.page(f"/sites/{SITE}?month=202601")
        assert "Suspect meters" not in page
        assert "passed" in page

    def test_redundancy_and_test_are_published(self, browser: Reader) -> None:
        page = browser.page(f"/sites/{SITE}")
        for word in ("Redundancy", "Objective J", "p-value", "critical"):
            assert word in page

    def test_each_chart_has_its_table(self, browser: Reader) -> None:
        page = browser.page(f"/sites/{SITE}")
        assert "data-sankey=" in page
        assert '<svg class="net"' in page
        for stream in ("CONC", "SLAG", "MATTE", "DROSS", "ANODE", "POWER"):
            assert f'code">{stream}</span>' in page

    def test_every_meter_leads_to_its_rows(self, browser: Reader) -> None:
        page = browser.page(f"/sites/{SITE}")
        assert len(re.findall(r"/why\?reference=flows%3A", page)) >= 7

    def test_a_month_without_readings_says_so(self, browser: Reader) -> None:
        page = browser.page(f"/sites/{SITE}?month=202512")
        assert "2025-12" in page
        assert "Balance test of" not in page

    def test_a_month_that_is_none_is_refused(self, browser: Reader) -> None:
        assert browser.get(f"/sites/{SITE}?month=soon").status_code == 422


class TestWhy:
    """From a figure to its rows."""

    KEY = f"result:balance.streams?period=2026-03&site={SITE}"

    def page(self, browser: Reader, reference: str) -> str:
        """The explanation of a reference."""
        answer = browser.get("/why", params={"reference": reference},
                             headers={"cookie": "lang=en"})  # fmt: skip
        assert answer.status_code == 200, answer.text
        return answer.text

    def test_a_result_shows_parts_parameters_and_rows(self, browser: Reader) -> None:
        page = self.page(browser, self.KEY)
        assert "Parts" in page
        assert "balance.significance_level" in page
        assert "quarter.csv" in page
        assert "Ledger rows" in page

    def test_two_clicks_lead_to_file_and_line(self, browser: Reader) -> None:
        page = self.page(browser, self.KEY)
        row = html.unescape(re.findall(r'href="(/why\?reference=flows[^"]+)"', page)[0])
        second = browser.get(row, headers={"cookie": "lang=en"}).text
        assert "quarter.csv" in second
        assert "Flow row" in second

    def test_a_parameter_shows_status_and_source(self, browser: Reader) -> None:
        page = self.page(browser, "parameter:efficiency.al_liquid_ac")
        assert "GB 21346-2022" in page
        assert "confirmed" in page

    def test_a_posting_leads_to_the_chain(self, browser: Reader) -> None:
        posting = browser.ledger.postings()[0]["id"]
        assert "/postings#p1" in self.page(browser, f"posting:{posting}")

    def test_an_undone_row_says_so(self, reader: Reader) -> None:
        posting = reader.ledger.postings()[0]["id"]
        order(reader.ledger, "balance.reverse_posting", author="a", posting=posting, reason="x")
        assert "undone or corrected" in self.page(reader, f"flows:{posting}/0")

    def test_versions_are_shown_once_a_result_is_kept(self, reader: Reader) -> None:
        from cupral.system import call

        call(reader.ledger, "balance.streams", site=SITE, period="2026-03")
        page = self.page(reader, f"{self.KEY}&treatment=compensate")
        assert "Versions" in page
        assert "current" in page

    @pytest.mark.parametrize(
        ("reference", "status"), [("", 422), ("tea:x", 422), ("flows:x/0", 404), ("result:x", 422)]
    )
    def test_what_is_no_reference_is_a_page_of_advice(
        self, browser: Reader, reference: str, status: int
    ) -> None:
        answer = browser.get("/why", params={"reference": reference})
        assert answer.status_code == status


class TestQuestions:
    """A form for every query."""

    @pytest.mark.parametrize("name", sorted(queries()))
    def test_every_query_has_a_form(self, browser: Reader, name: str) -> None:
        system, _, short = name.partition(".")
        page = browser.page(f"/query/{system}/{short}")
        assert 'name="run"' in page
        assert f"/api/query/{system}/{short}" in page

    def test_an_answer_stands_below_the_form(self, browser: Reader) -> None:
        page = browser.page("/query/efficiency/level?run=1&norm=al_liquid_ac&value=13000")
        assert "level 2" in page
        assert 'value="13000"' in page

    def test_an_error_keeps_what_was_typed(self, browser: Reader) -> None:
        answer = browser.get("/query/efficiency/level?run=1&norm=tea&value=1")
        assert answer.status_code == 404
        assert 'value="tea"' in answer.text


class TestOthers:
    """Systems, parameters, ledger."""

    def test_every_system_is_listed_with_its_queries(self, browser: Reader) -> None:
        page = browser.page("/systems")
        for name in manifests():
            assert f'id="s-{name}"' in page
        for name in queries():
            assert f'href="/query/{name.replace(".", "/")}"' in page
        assert "not built" in page

    def test_every_parameter_is_listed_with_status_and_source(self, browser: Reader) -> None:
        page = html.unescape(browser.page("/parameters"))
        assert browser.ledger.parameters.values
        for id, values in browser.ledger.parameters.values.items():
            assert id in page
            for value in values:
                assert value.source in page

    def test_parameters_are_narrowed_down(self, browser: Reader) -> None:
        page = browser.page("/parameters?system=efficiency&status=unconfirmed")
        assert "plan.relations" not in page
        assert '<span class="badge b-works">' not in page

    def test_the_audit_is_shown(self, browser: Reader) -> None:
        page = browser.page("/postings?verify=2")
        assert "Intact" in page
        assert "Level 2: 1 postings" in page

    def test_the_ledger_pages_back(self, browser: Reader) -> None:
        assert "Nothing has been posted yet" in browser.page("/postings?before=1")
        assert "quarter" in browser.page("/postings?before=odd")


HOSTILE = '<script>alert("x")</script>'


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Reader:
    """A ledger in which every name a person can choose is an attack."""
    ledger: Ledger = open_ledger(tmp_path_factory.mktemp("hostile") / "ledger")
    text = NETWORK.replace("东营小厂", f"'{HOSTILE}'").replace("Dongying Workshop", f"'{HOSTILE}'")
    text = text.replace("name_zh: 熔炼", f"name_zh: '{HOSTILE}'")
    text = text.replace("name_en: concentrate", "name_en: '\"><img src=x onerror=alert(1)>'")
    order(ledger, "balance.define_network", author=HOSTILE, content=text.encode(),
          filename="n.yaml")  # fmt: skip
    rows = b"meter,period,amount,unit,note\nCONC.belt,2026-01,1000,t,<b>bold</b>\n"
    order(ledger, "balance.import_meters", author=HOSTILE, site=SITE, content=rows,
          filename=f"{HOSTILE}.csv")  # fmt: skip
    return Reader(ledger)


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("path", [*PAGES, f"/query/balance/streams?site={HOSTILE}&period=x"])
def test_names_from_outside_are_never_markup(hostile: Reader, path: str, lang: str) -> None:
    text = hostile.get(path, headers={"cookie": f"lang={lang}"}).text
    assert "<script>alert" not in text
    assert "<img src=x" not in text
    assert "<b>bold" not in text
    scripts = re.findall(r"<script[^>]*>", text)
    assert all("src=" in tag for tag in scripts)


def test_hostile_references_and_arguments_are_escaped(hostile: Reader) -> None:
    for path in (f"/why?reference={HOSTILE}", f"/sites/{HOSTILE}", f"/?target={HOSTILE}",
                 f"/nowhere/{HOSTILE}", f"/parameters?system={HOSTILE}"):  # fmt: skip
        assert "<script>alert" not in hostile.get(path).text
