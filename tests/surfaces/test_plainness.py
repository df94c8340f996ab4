"""What commands return becomes plain content."""

import json
from datetime import date

from cupral.ledger.document import Document
from cupral.ledger.result import Result
from cupral.surfaces.plainness import plain


def test_dataclasses_become_objects() -> None:
    document = Document(kind="return", id="a", party="b", body={"x": (1, 2)})
    assert plain(document)["body"] == {"x": [1, 2]}


def test_results_become_their_documents() -> None:
    result = Result(query="q", subject="s", parts=({"a": 1},))
    assert plain(result) == result.document()


def test_anything_else_becomes_its_text() -> None:
    assert plain({"day": date(2026, 1, 1), 3: None}) == {"day": "2026-01-01", "3": None}


def test_the_outcome_is_json() -> None:
    document = Document(kind="k", id="i", party="p")
    assert json.loads(json.dumps(plain([document, (True, 1.5)])))[1] == [True, 1.5]
