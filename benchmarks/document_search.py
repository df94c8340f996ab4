"""The search for documents beside the database's own look at every row (LIKE), in one run.

100,000 documents of 100 to 700 Chinese characters whose frequencies fall off as in a language.
Run with ``python benchmarks/document_search.py [--quick] [URL of an empty PostgreSQL]``.
Bar: 100 ms for each question.
"""

import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import sqlalchemy as sa

from cupral.ledger.document import Document
from cupral.ledger.ledger import Ledger
from cupral.ledger.stores import docket, postgresql, schema
from cupral.ledger.stores.docket import Wanted, find

BATCH, TIMES = 5_000, 7
STATES = ("draft", "submitted", "accepted")


def texts(chance: random.Random, count: int) -> list[str]:
    """Texts of words of two to four characters."""
    characters = [chr(0x4E00 + n) for n in range(1_500)]
    often = [(n + 1) ** -0.8 for n in range(1_500)]
    words = ["".join(chance.choices(characters, often, k=chance.choice((2, 2, 2, 3, 4))))
             for _ in range(20_000)]  # fmt: skip
    return ["".join(chance.choices(words, k=chance.randint(50, 240))) for _ in range(count)]


def documents(count: int, said: list[str]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Rows of the docket, and their words."""
    for number in range(1, count + 1):
        text = f"{said[number % len(said)]} 合同 {number * 7919 % 10**7:07d}"
        document = Document(
            kind=("request", "return")[number % 2], id=f"R-2026-{number:06d}",
            party=f"E{number % 300}", state=STATES[number % 3], version=1,
            body={"title": f"{text[:4]}项目申请", "text": text},
        )  # fmt: skip
        due = f"2026-{number % 12 + 1:02d}-{number % 28 + 1:02d}"
        row = {"number": number, "kind": document.kind, "id": document.id, "version": 1,
               "party": document.party, "state": document.state, "due": due,
               "title": docket.title_of(document), "recorded_at": number}  # fmt: skip
        yield row, {"number": number, **docket.said_by(document, [])}


def fill(ledger: Ledger, count: int, said: list[str]) -> None:
    """Write the docket of so many documents."""
    made, engine = documents(count, said), ledger.records.database
    index = next(iter(schema.docket_words.indexes))
    apart = engine.dialect.name == "postgresql"  # which indexes many rows best at once
    if apart:
        index.drop(engine)
    for _ in range(0, count, BATCH):
        rows, words = zip(*(next(made) for _ in range(min(BATCH, count))), strict=True)
        with schema.writing(engine) as connection:
            connection.execute(sa.insert(schema.docket), list(rows))
            connection.execute(sa.insert(schema.docket_words), list(words))
    if apart:
        with engine.connect() as connection:
            index.create(connection)
            postgresql.renumber(connection)
            connection.execute(sa.text("ANALYZE"))
            connection.commit()


def questions(said: list[str]) -> dict[str, Wanted]:
    """What is asked: rare and common, with filters that leave many, few and none."""
    pair, number, common = said[5][10:12], "R-2026-012345", "申请"
    return {
        "two characters": Wanted(text=pair), "four": Wanted(text=said[5][10:14]),
        "a sentence": Wanted(text=said[9][3:40]), "a number": Wanted(text=number),
        "digits in all": Wanted(text="2026"), "in all": Wanted(text=common),
        "one character": Wanted(text=said[3][5]), "in none": Wanted(text="钢铁侠"),
        "SQL": Wanted(text="%' OR 1=1 --"), "no text": Wanted(),
        "state": Wanted(states=("accepted",)), "no such state": Wanted(states=("refused",)),
        "overdue": Wanted(due_until="2026-12-30"), "party": Wanted(parties=("E7",)),
        "pair, party": Wanted(text=pair, parties=("E7",)),
        "in all, party": Wanted(text=common, parties=("E7",)),
        "in all, state": Wanted(text=common, states=("accepted", "returned")),
        "in all, no such state": Wanted(text=common, states=("refused",)),
        "in all, overdue": Wanted(text=common, due_until="2026-12-30"),
        "in all, few overdue": Wanted(text=common, due_until="2026-01-01"),
        "number, overdue": Wanted(text=number, due_until="2026-12-30"),
        "number, kind": Wanted(text=number, kind="return"),
    }  # fmt: skip


def median(work: Callable[[], object]) -> float:
    """Median time [ms]."""
    spent = []
    for _ in range(TIMES):
        begun = time.perf_counter()
        work()
        spent.append((time.perf_counter() - begun) * 1e3)
    return statistics.median(spent)


def looked_at(ledger: Ledger, wanted: Wanted) -> list[Any]:
    """The peer: every row's words by LIKE."""
    table = schema.docket_words.c
    query = sa.select(table.number).where(table.words.contains(wanted.text.lower()))
    with ledger.records.database.connect() as connection:
        return list(connection.execute(query.limit(51)))


def main() -> None:
    """Print the table."""
    urls = [given for given in sys.argv[1:] if "://" in given]
    count, chance = 5_000 if "--quick" in sys.argv else 100_000, random.Random(1)
    said = texts(chance, 2_000)
    with tempfile.TemporaryDirectory() as folder:
        ledger = Ledger.open(folder, database=urls[0] if urls else "sqlite")
        fill(ledger, count, said)
        name = ledger.records.database.dialect.name
        print(
            f"{count:,} documents on {name}; load {os.getloadavg()[0]:.1f}; bar 100 ms", flush=True
        )
        database = ledger.records.database
        for asked, wanted in questions(said).items():
            found, more = find(database, wanted)
            spent = median(partial(find, database, wanted))
            peer = median(partial(looked_at, ledger, wanted)) if wanted.text else 0.0
            print(f"{asked:24s}{len(found):4d}{'+' if more else ' '}{spent:9.1f} ms{peer:9.1f} ms")
        kept = iter(range(1_000))
        put = median(lambda: ledger.put(Document(kind="request", id=f"new{next(kept)}", party="E",
                                                 body={"text": said[0]}), author="me"))  # fmt: skip
        print(f"keep one more document: {put:.1f} ms")
        ledger.records.database.dispose()


if __name__ == "__main__":
    main()
