"""What both databases promise a ledger; and that a database and a folder belong together."""

import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from cupral.ledger.audit import verify
from cupral.ledger.document import Document
from cupral.ledger.errors import Conflict, InputError, Unreachable
from cupral.ledger.ledger import Ledger
from cupral.ledger.result import Result
from cupral.ledger.stores import schema
from cupral.ledger.stores.database import MARK, Commits, connected, write_version
from cupral.system import open_ledger
from tests.ledger.rows import flow
from tests.ledger.server import Server, again

# -- both ----------------------------------------------------------------------------------


def test_text_is_in_the_order_of_its_bytes(ledger: Ledger) -> None:
    """The sites of a file are a range; a language's order (b before C, é beside e) breaks it."""
    sites = ["a", "B", "C", "_", "é", "e", "f", "铜陵", "冶", "Z-1", "Z 1", "z"]
    for site in sites:
        ledger.post(site, author="me", flows=[flow(site=site)])
    ledger.post("all", author="me", flows=[flow("S2", site=site) for site in sites])
    for site in sites:
        assert ledger.flows(site=site).num_rows == 2, site
        ledger.put(Document(kind="k", id=site, party="p"), author="me")
    assert [document.id for document in ledger.documents("k")] == sorted(sites)


def test_a_reader_sees_one_moment(ledger: Ledger) -> None:
    count = sa.select(sa.func.count()).select_from(schema.posting)
    with ledger.manifest.database.connect() as reader:
        assert reader.scalar(count) == 0
        again(ledger).post("p", author="me", flows=[flow()])
        assert reader.scalar(count) == 0
    assert ledger.head == 1


def test_a_writer_sees_what_was_committed_while_it_waited(ledger: Ledger) -> None:
    count = sa.select(sa.func.count()).select_from(schema.audit)
    waiting, seen = threading.Event(), list[int]()

    def wait() -> None:
        waiting.set()
        with schema.writing(again(ledger).records.database) as connection:
            seen.append(int(connection.scalar(count) or 0))

    with schema.writing(ledger.records.database) as connection:
        thread = threading.Thread(target=wait)
        thread.start()
        waiting.wait()
        thread.join(0.3)
        assert not seen
        values = {"at": 1, "author": "a", "action": "x", "arguments": "{}", "outcome": "done"}
        connection.execute(sa.insert(schema.audit).values(**values))
    thread.join()
    assert seen == [1]


def test_what_is_rolled_back_leaves_no_trace(ledger: Ledger) -> None:
    document = Document(kind="k", id="i", party="p")

    def write_and_fail() -> None:
        with schema.writing(ledger.records.database) as connection:
            ledger.records.put_document(connection, document, "me", "")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_and_fail()
    assert ledger.state == (0, 0, 0)
    assert ledger.put(document, author="me").version == 1


def test_row_numbers_tell_what_came_after_a_reading_began(ledger: Ledger) -> None:
    """Two writers overlap: the one that wrote first by the clock commits last."""
    document = Document(kind="k", id="early", party="p")
    held, read = threading.Event(), threading.Event()

    def slow() -> None:
        other = again(ledger)
        with schema.writing(other.records.database) as connection:
            other.records.put_document(connection, document, "me", "")
            held.set()
            read.wait()

    thread = threading.Thread(target=slow)
    thread.start()
    held.wait()
    with ledger.reading() as noted:
        assert not ledger.documents("k")
    read.set()
    thread.join()
    ledger.keep(Result(query="q.late", subject="A", value=0.0), noted)
    assert ledger.records.stale_count() == 1


def test_text_of_any_kind_and_length_comes_back(ledger: Ledger) -> None:
    body = {
        "nul": "\0",
        "long": "铜" * 10_000,
        "quotes": "'\"\\%s:name{}",
        "none": None,
        "n": 2**60,
    }
    ledger.put(Document(kind="k", id="i' %s", party='p"', body=body), author="冶炼厂")
    assert dict(ledger.document("k", "i' %s").body) == body
    arguments = {"sites": ["x" * 50] * 1000}
    with ledger.reading() as read:
        pass
    ledger.keep(Result(query="q.a", subject="A", value=1.0, arguments=arguments), read)
    found = ledger.kept("q.a", arguments)
    assert found is None or found.value == 1.0
    assert ledger.results()[0]["body"]["value"] == 1.0


def test_commits_of_others_are_counted(ledger: Ledger) -> None:
    counted = Commits(ledger.manifest.database)
    seen = [counted.count]
    ledger.flows()
    assert counted.count == seen[0]
    for number in range(5):
        ledger.put(Document(kind="k", id=f"{number}", party="p"), author="me")
        assert counted.count > seen[-1]
        seen.append(counted.count)
    counted.close()


def test_an_older_and_a_newer_version_are_refused_with_advice(ledger: Ledger) -> None:
    for version, advice in (("1", "ledger migrate"), ("99", "update Cupral")):
        with schema.writing(ledger.records.database) as connection:
            write_version(connection, version)
        with pytest.raises(Conflict, match=rf"has version {version}.* {advice}"):
            again(ledger)


def test_rows_without_their_database_are_no_new_ledger(
    ledger: Ledger, databases: Callable[[], str]
) -> None:
    """An empty one would take every row for left over, and sweep it."""
    ledger.post("p", author="me", flows=[flow()])
    ledger.records.database.dispose()
    for path in ledger.folder.glob("documents.sqlite*"):
        path.unlink()
    with pytest.raises(InputError, match=r"holds rows or files, but the database .* is empty"):
        Ledger.open(ledger.folder, database=databases())


# -- PostgreSQL ------------------------------------------------------------------------------


def test_the_environment_names_the_database(
    postgresql: Callable[[], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUPRAL_DATABASE", postgresql())
    ledger = open_ledger(tmp_path / "ledger")
    ledger.post("p", author="me", flows=[flow()])
    assert not list(tmp_path.rglob("*.sqlite"))
    assert ledger.records.database.dialect.name == "postgresql"
    assert open_ledger(tmp_path / "other", database="sqlite").head == 0
    monkeypatch.delenv("CUPRAL_DATABASE")
    with pytest.raises(InputError, match="is kept on PostgreSQL; give the URL"):
        open_ledger(tmp_path / "ledger")


def test_each_folder_has_its_own_database(postgresql: Callable[[], str], tmp_path: Path) -> None:
    first, second = postgresql(), postgresql()
    Ledger.open(tmp_path / "a", database=first).post("p", author="me", flows=[flow()])
    Ledger.open(tmp_path / "b", database=second)
    with pytest.raises(InputError, match="belongs to the rows of another folder"):
        Ledger.open(tmp_path / "a", database=second)
    with pytest.raises(InputError, match="belongs to the rows of another folder"):
        Ledger.open(tmp_path / "new", database=first)
    Ledger.open(tmp_path / "s")
    with pytest.raises(InputError, match=r"is kept on SQLite.*CUPRAL_DATABASE.*backup"):
        Ledger.open(tmp_path / "s", database=second)
    shutil.move(tmp_path / "a", tmp_path / "moved")
    assert Ledger.open(tmp_path / "moved", database=first).flows().num_rows == 1


def test_an_opening_that_was_killed_is_made_good(
    postgresql: Callable[[], str], tmp_path: Path
) -> None:
    """The mark is in the folder before the tables are committed."""
    (tmp_path / "ledger").mkdir()
    (tmp_path / "ledger" / MARK).write_text("0123")
    url = postgresql()
    Ledger.open(tmp_path / "ledger", database=url).post("p", author="me", flows=[flow()])
    assert Ledger.open(tmp_path / "ledger", database=url).head == 1


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("nonsense", "no URL of a database; it takes postgresql://"),
        ("mysql://u@h/d", "cannot be kept on mysql; it takes postgresql://"),
        ("sqlite:///x.db", "cannot be kept on sqlite; it takes postgresql://"),
        ("postgresql://u@h:x/d", "no URL of a database"),
    ],
)
def test_other_urls_are_refused(tmp_path: Path, url: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        Ledger.open(tmp_path, database=url)


def test_no_server_is_told_without_the_password(tmp_path: Path) -> None:
    pytest.importorskip("psycopg")
    url = f"postgresql://me:secret@/x?host={tmp_path}"
    with pytest.raises(Unreachable, match=r"does not answer .*; see that the server runs") as told:
        Ledger.open(tmp_path / "ledger", database=url)
    assert "secret" not in str(told.value)


@pytest.mark.parametrize(
    ("url", "mode"),
    [
        ("postgresql://u:p@db.example/d", "verify-full"),
        ("postgresql://u@10.0.0.7:5433/d", "verify-full"),
        ("postgresql://u@/d?host=db.example", "verify-full"),
        ("postgresql://u@/d?host=localhost,db.example", "verify-full"),
        ("postgresql://u@db.example/d?sslmode=require", "require"),
        ("postgresql://u@localhost/d", None),
        ("postgresql://u@127.0.0.1/d", None),
        ("postgresql://u@/d?host=/run/postgresql", None),
        ("postgresql://u@/d", None),
    ],
)
def test_another_computer_is_reached_over_verified_tls_unless_told_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, mode: str | None
) -> None:
    """What the environment says counts as told, too."""
    pytest.importorskip("psycopg")
    monkeypatch.delenv("PGSSLMODE", raising=False)
    assert connected(tmp_path, url).url.query.get("sslmode") == mode
    monkeypatch.setenv("PGSSLMODE", "verify-ca")
    said = "require" if mode == "require" else None
    assert connected(tmp_path, url).url.query.get("sslmode") == said


def test_text_that_postgresql_cannot_hold_is_refused(
    postgresql: Callable[[], str], tmp_path: Path
) -> None:
    ledger = Ledger.open(tmp_path / "ledger", database=postgresql())
    with pytest.raises(InputError, match="leave out the character NUL"):
        ledger.put(Document(kind="k", id="a\0b", party="p"), author="me")
    unlike = "".join(chr(0x4E00 + (n * 7919) % 20_000) for n in range(9000))
    with pytest.raises(InputError, match="too long for an index; give a shorter one"):
        ledger.put(Document(kind="k", id=unlike, party="p"), author="me")
    with pytest.raises(InputError, match="leave out the character NUL"):
        ledger.post("p", author="me", flows=[flow(site="a\0b")])
    assert ledger.state == (0, 0, 0)
    assert not list(ledger.folder.rglob("*.parquet"))


def test_a_connection_lost_at_the_commit_loses_nothing(
    server: Server, postgresql: Callable[[], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commit was made, its acknowledgement lost: the files it names must stay."""
    ledger = Ledger.open(tmp_path / "ledger", database=postgresql())
    commit = sa.engine.default.DefaultDialect.do_commit
    end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname LIKE 't%'"

    def then_lost(dialect: sa.engine.default.DefaultDialect, connection: object) -> None:
        commit(dialect, connection)  # type: ignore[arg-type]
        server.sql(end)
        connection.execute("SELECT 1")  # type: ignore[attr-defined]

    with monkeypatch.context() as patched:
        patched.setattr(sa.engine.default.DefaultDialect, "do_commit", then_lost)
        with pytest.raises(Unreachable, match="does not answer"):
            ledger.post("p", author="me", flows=[flow()])
    assert ledger.post("p", author="me", flows=[flow()]).status == "already"
    assert ledger.flows().num_rows == 1
    assert verify(ledger, 2).intact


def test_a_server_that_starts_again_is_found_again(
    server: Server, postgresql: Callable[[], str], tmp_path: Path
) -> None:
    ledger = Ledger.open(tmp_path / "ledger", database=postgresql())
    ledger.post("p", author="me", flows=[flow()])
    counted = Commits(ledger.manifest.database)
    before = counted.count
    server.stop()
    with pytest.raises(Unreachable, match="try again"):
        ledger.post("q", author="me", flows=[flow("S2")])
    with pytest.raises(Unreachable, match="try again"):
        _ = ledger.head
    server.start()
    assert ledger.post("q", author="me", flows=[flow("S2")]).seq == 2
    assert counted.count > before
    counted.close()
    assert verify(ledger, 2).intact
