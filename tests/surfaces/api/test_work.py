"""Jobs over HTTP: state, progress as events, cancellation."""

import json
import threading

from tests.surfaces.reader import Reader


def events(text: str) -> list[tuple[str, dict]]:
    """Name and content of each event of a stream."""
    found = []
    for block in text.strip().split("\n\n"):
        name, data = block.split("\n", 1)
        found.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    return found


def test_a_job_tells_its_state(browser: Reader) -> None:
    job = browser.inner.state.desk.jobs.start("one", [("one", lambda _: {"x": 1})])
    ended = browser.finished(job.id)
    assert (ended["state"], ended["result"], ended["of"]) == ("done", {"x": 1}, 1)


def test_progress_is_streamed_until_the_end(browser: Reader) -> None:
    gate = threading.Event()
    job = browser.inner.state.desk.jobs.start(
        "two", [("first", lambda _: gate.wait(5)), ("second", lambda _: "ready")]
    )
    threading.Timer(0.3, gate.set).start()
    answer = browser.get(f"/api/jobs/{job.id}/events")
    assert answer.headers["content-type"].startswith("text/event-stream")
    told = events(answer.text)
    assert told[0][0] == "progress"
    assert told[-1][0] == "end"
    assert told[-1][1]["result"] == "ready"


def test_a_job_is_cancelled(browser: Reader) -> None:
    gate = threading.Event()
    job = browser.inner.state.desk.jobs.start(
        "two", [("first", lambda _: gate.wait(5)), ("second", lambda _: "ready")]
    )
    answer = browser.ask("DELETE", f"/api/jobs/{job.id}")
    assert answer.status_code == 202
    gate.set()
    assert browser.finished(job.id)["state"] == "cancelled"


def test_an_unknown_job_is_a_problem(browser: Reader) -> None:
    for path in ("/api/jobs/none", "/api/jobs/none/events"):
        answer = browser.get(path)
        assert answer.status_code == 404
        assert "jobs end with the process" in answer.json()["next"]
