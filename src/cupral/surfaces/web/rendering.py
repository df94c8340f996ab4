"""Rendering: a view's page through its template, with everything escaped."""

import hashlib
import re
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from cupral.ledger.ledger import Ledger
from cupral.ledger.rights import OWNER, Rights
from cupral.surfaces.web import figures, phrases, tables, words
from cupral.surfaces.web.asked import Asked, Page

_HERE = Path(__file__).parent
PAGES: Mapping[str, Callable[[Rights], bool]] = {
    "overview": lambda _: True,
    "sites": lambda _: True,
    "upload": lambda rights: rights.may("post"),
    "networks": lambda rights: rights.over("read", "register:network") != "",
    "documents": lambda rights: rights.over("read", "document:request") != "",
    "released": lambda _: True,
    "systems": lambda _: True,
    "parameters": lambda _: True,
    "postings": lambda rights: rights.over("read", "posting") != "",
    "accounts": lambda rights: rights.may("grant") and OWNER not in rights.roles,
    "audit": lambda rights: rights.may("audit") and OWNER not in rights.roles,
    "operation": lambda rights: rights.may("operate") and OWNER not in rights.roles,
}
"""Entries of the navigation, in order, and who sees them; the first is at '/'."""
WORD = "form_word"
"""Field by which a form shows that it is of the present session."""
WORD_PLACE = "<!--form word-->"
"""Stands in kept pages for the word, which is another in each session."""
_FORM = re.compile(r'<form\b[^>]*\bmethod="post"[^>]*>')


def render(asked: Asked, page: Page) -> str:
    """The HTML of a page, or of its inner part only."""
    template = environment().get_template(page.template)
    pages = [name for name, shown in PAGES.items() if shown(asked.rights)]
    text = template.render(
        t=asked.language, asked=asked, page=page, frame="part.html" if asked.part else "page.html",
        head=asked.ledger.head, pages=pages,
        demonstration=page.demonstration or stands_on_demonstration(asked.ledger), **page.content,
    )  # fmt: skip
    return _FORM.sub(_worded, text) if asked.signed_in else text


def _worded(form: re.Match[str]) -> str:
    """A form that changes something, with a place for the session's word: none is forgotten."""
    return f'{form[0]}<input type="hidden" name="{WORD}" value="{WORD_PLACE}">'


@lru_cache(maxsize=1)
def environment() -> Environment:
    """The templates; what is not escaped is ours and drawn from escaped text."""
    made = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.update(
        link=figures.link, asset=asset, column_names=tables.column_names,
        constant_columns=tables.constant_columns, fitting=tables.fitting,
        is_numeric=tables.is_numeric, badge_counts=tables.badge_counts,
        is_reference=tables.is_reference,
        is_references=tables.is_references, first_tables=tables.FIRST_TABLES, city=words.city,
        told=words.told, difference_unit=words.difference_unit, aim=words.aim,
        two_lines=words.two_lines, amount=words.amount, chance=words.chance, said=phrases.said,
        demonstration_sentence=words.demonstration_sentence,
    )  # fmt: skip
    for name in ("number", "signed", "within", "percent", "percent_points", "shown"):
        made.filters[name] = getattr(figures, name)
    return made


def asset(name: str) -> str:
    """Address of a static file, with the hash of its content so that it may be kept for ever."""
    return f"/static/{asset_hash(name)}/{name}"


@cache
def asset_hash(name: str) -> str:
    """First characters of the SHA-256 of a static file."""
    return hashlib.sha256((_HERE / "static" / name).read_bytes()).hexdigest()[:12]


def stands_on_demonstration(ledger: Ledger) -> bool:
    """Whether any registered enterprise or site belongs to the demonstration province."""
    return any(site.demonstration for site in ledger.sites())
