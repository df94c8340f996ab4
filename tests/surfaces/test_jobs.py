"""Long work: steps, progress, cancellation, failure."""

import threading
import time

import pytest

from cupral.ledger.errors import Conflict, Fault, InputError, NotFound, RowFaults
from cupral.surfaces.jobs import KEPT, MOST_WAITING, Job, Jobs


def ended(jobs: Jobs, id: str) -> Job:
    """The job once it has ended."""
    for _ in range(500):
        if jobs.job(id).finished:
            return jobs.job(id)
        time.sleep(0.005)
    raise AssertionError(jobs.job(id))


def test_steps_run_in_order_and_see_what_came_before() -> None:
    jobs = Jobs()
    job = jobs.start("sum", [("one", lambda _: 1), ("two", lambda done: done["one"] + 1)])
    job = ended(jobs, job.id)
    assert (job.state, job.result, job.done) == ("done", 2, 2)


def test_a_new_job_is_known_at_once() -> None:
    jobs, gate = Jobs(), threading.Event()
    job = jobs.start("wait", [("wait", lambda _: gate.wait(5))])
    assert jobs.job(job.id).state in ("waiting", "running")
    gate.set()
    assert ended(jobs, job.id).state == "done"


def test_jobs_run_one_after_another_in_the_order_of_their_coming() -> None:
    jobs, running, most, ran = Jobs(), [], [], []

    def work(number: int) -> None:
        running.append(number)
        most.append(len(running))
        time.sleep(0.002)
        ran.append(number)
        running.remove(number)

    ids = [jobs.start("work", [("work", lambda _, n=n: work(n))]).id for n in range(20)]
    assert [ended(jobs, id).state for id in ids] == ["done"] * 20
    assert ran == list(range(20))
    assert set(most) == {1}


def test_a_waiting_job_can_be_cancelled_and_too_many_are_refused() -> None:
    jobs, gate, ran = Jobs(), threading.Event(), []
    first = jobs.start("hold", [("hold", lambda _: gate.wait(5))])
    while jobs.job(first.id).state == "waiting":
        time.sleep(0.001)
    waiting = [jobs.start("more", [("more", ran.append)]) for _ in range(MOST_WAITING)]
    with pytest.raises(Conflict, match=f"{MOST_WAITING} jobs wait already; try again when"):
        jobs.start("one too many", [("more", ran.append)])
    assert jobs.job(waiting[0].id).state == "waiting"
    jobs.cancel(waiting[0].id)
    gate.set()
    assert ended(jobs, waiting[-1].id).state == "done"
    assert jobs.job(waiting[0].id).state == "cancelled"
    assert len(ran) == MOST_WAITING - 1


def test_progress_names_the_step_that_runs() -> None:
    jobs, gate, reached = Jobs(), threading.Event(), threading.Event()

    def second(_: object) -> None:
        reached.set()
        gate.wait(5)

    job = jobs.start("two", [("first", lambda _: None), ("second", second)])
    assert reached.wait(5)
    document = jobs.job(job.id).document()
    assert (document["state"], document["step"], document["done"]) == ("running", "second", 1)
    assert document["of"] == 2
    gate.set()
    assert ended(jobs, job.id).step == "second"


def test_a_job_is_cancelled_between_steps() -> None:
    jobs, gate, reached = Jobs(), threading.Event(), threading.Event()
    ran = []

    def first(_: object) -> None:
        reached.set()
        gate.wait(5)

    job = jobs.start("two", [("first", first), ("second", ran.append)])
    assert reached.wait(5)
    jobs.cancel(job.id)
    gate.set()
    assert ended(jobs, job.id).state == "cancelled"
    assert ran == []


def test_cancelling_a_finished_job_changes_nothing() -> None:
    jobs = Jobs()
    job = jobs.start("one", [("one", lambda _: 1)])
    ended(jobs, job.id)
    assert jobs.cancel(job.id).state == "done"


def test_an_error_of_ours_is_told_in_its_parts() -> None:
    jobs = Jobs()

    def refuse(_: object) -> None:
        raise RowFaults("f.csv", [Fault(2, "amount", "x", "is no number", "write one")])

    job = ended(jobs, jobs.start("import", [("check", refuse)]).id)
    assert job.state == "failed"
    assert job.problem is not None
    assert job.problem["where"] == "check"
    assert job.problem["faults"][0]["column"] == "amount"


def test_a_later_step_does_not_run_after_a_failure() -> None:
    jobs, ran = Jobs(), []

    def refuse(_: object) -> None:
        raise InputError("wrong; mend it")

    job = ended(jobs, jobs.start("two", [("a", refuse), ("b", ran.append)]).id)
    assert (job.state, ran, job.done) == ("failed", [], 0)


def test_a_defect_of_ours_reaches_the_reader_and_its_inside_the_log_only(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(_done: object) -> None:
        raise RuntimeError("SELECT secret FROM inside")

    jobs = Jobs()
    job = ended(jobs, jobs.start("broken", [("divide", broken)]).id)
    assert job.problem is not None
    assert job.problem["title"] == "defect"
    assert job.problem["what"] == "RuntimeError"
    assert "secret" not in str(job.problem)
    (record,) = caplog.records
    assert record.getMessage() == f"job {job.id} failed in step divide"
    assert "SELECT secret" in str(record.exc_info)


def test_an_unknown_job_is_not_found() -> None:
    with pytest.raises(NotFound, match="no job 'x'; jobs end with the process"):
        Jobs().job("x")


def test_old_jobs_are_forgotten() -> None:
    jobs = Jobs()
    first = jobs.start("first", [("one", lambda _: 1)])
    ended(jobs, first.id)
    for _ in range(KEPT + 1):
        ended(jobs, jobs.start("more", [("one", lambda _: 1)]).id)
    with pytest.raises(NotFound):
        jobs.job(first.id)


def test_ids_cannot_be_guessed() -> None:
    jobs = Jobs()
    ids = {jobs.start("one", [("one", lambda _: 1)]).id for _ in range(20)}
    assert len(ids) == 20
    assert all(len(id) >= 22 for id in ids), "128 bits"
