"""The docket: the search finds what is written and nothing else, on both databases."""

import random
import string
import unicodedata

from hypothesis import given, settings
from hypothesis import strategies as st

from cupral.ledger.document import Document
from cupral.ledger.ledger import Ledger
from cupral.ledger.stores.docket import Wanted, asked_grams, find, grams_of, words_of

ALPHABET = "铜铝电解阳极泥绿直连申请ab1239 -%'\"*"


@given(st.text(max_size=60), st.integers(0, 60), st.integers(1, 20))
@settings(max_examples=300, deadline=None)
def test_a_part_of_the_words_asks_only_for_grams_that_are_there(
    text: str, first: int, length: int
) -> None:
    words = words_of([text])
    part = words[first : first + length].strip()
    assert set(asked_grams(part)) <= set(grams_of(words).split())


@given(st.text(max_size=60))
@settings(max_examples=300, deadline=None)
def test_words_are_stable(text: str) -> None:
    words = words_of([text])
    assert words_of([words]) == words or not unicodedata.is_normalized("NFKC", text.casefold())
    assert all(c.isalnum() or c == " " for c in words)
    assert "  " not in words


def test_the_search_is_the_same_as_looking_at_every_document(ledger: Ledger) -> None:
    """Both databases, questions cut out of the texts and made up ones, hostile characters too."""
    chance = random.Random(11)
    texts = {f"d{n:02d}": "".join(chance.choices(ALPHABET, k=40)) for n in range(60)}
    for id, text in texts.items():
        ledger.put(Document(kind="note", id=id, party="E1", body={"text": text}), author="me")
    said = {id: words_of([id, id, "E1", text]) for id, text in texts.items()}
    asked = [chance.choice(list(texts.values()))[n % 30 : n % 30 + n % 5 + 1] for n in range(80)]
    asked += ["".join(chance.choices(ALPHABET, k=k)) for k in (1, 2, 3, 4) for _ in range(10)]
    asked += ['"', "'", "%", "_", "*", "NEAR(a b)", "a OR b", "铜*", "-铜", "^铜", "\\", ";--"]
    for question in asked:
        words = words_of([question])
        expected = {id for id, text in said.items() if words and words in text}
        if not question.strip():
            expected = set(said)
        found, more = find(ledger.records.database, Wanted(text=question), limit=100)
        assert ({entry.id for entry in found}, more) == (expected, False), question


def test_a_changed_document_is_found_by_what_it_says_now(ledger: Ledger) -> None:
    for text in ("阳极泥", "电解液", "阴极铜"):
        ledger.put(Document(kind="note", id="d", party="E1", body={"text": text}), author="me")
    for text, count in (("阳极泥", 0), ("电解", 0), ("阴极", 1), ("e1", 1)):
        assert len(find(ledger.records.database, Wanted(text=text))[0]) == count, text


def test_pages_of_the_list_are_disjoint_and_whole(ledger: Ledger) -> None:
    for n in range(25):
        ledger.put(Document(kind="note", id=f"d{n}", party="E1"), author="me")
    seen: list[str] = []
    for skip in range(0, 30, 10):
        found, more = find(ledger.records.database, Wanted(text="e1"), limit=10, skip=skip)
        assert more == (skip < 20)
        seen += [entry.id for entry in found]
    assert seen == [f"d{n}" for n in range(24, -1, -1)]


def test_a_long_document_is_cut_not_refused(ledger: Ledger) -> None:
    text = "".join(random.Random(1).choices(string.ascii_letters, k=200_000))
    ledger.put(Document(kind="note", id="d", party="E", body={"text": text}), author="me")
    database = ledger.records.database
    assert len(find(database, Wanted(text=text[1000:1040]))[0]) == 1
    assert find(database, Wanted(text=text[150_000:150_040]))[0] == []


def test_a_question_may_be_a_whole_document(ledger: Ledger) -> None:
    """More grams than a database takes in one question."""
    text = "".join(chr(0x4E00 + n) for n in range(3_000))
    ledger.put(Document(kind="note", id="d", party="E", body={"text": text}), author="me")
    database = ledger.records.database
    assert len(find(database, Wanted(text=text))[0]) == 1
    assert find(database, Wanted(text=text + "铜"))[0] == []
