"""Jobs: long work with progress, cancellation and a result.

A job is a list of named steps that run one after another; it can be cancelled between two
steps. One thread runs one job after another, so that many orders at once share the memory and
the ledger of one. Jobs live in the memory of one serving process.
"""

import contextvars
import logging
import queue
import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from cupral.ledger.errors import Conflict, CupralError, NotFound
from cupral.ledger.rights import OWNER
from cupral.surfaces.problem import problem

_LOG = logging.getLogger(__name__)
Step = tuple[str, Callable[[Mapping[str, Any]], Any]]
"""A step's name and what it does with the outcomes of the steps before it."""

KEPT = 200
"""Finished jobs that are remembered."""
MOST_WAITING = 20
"""Jobs that may wait for the one that runs; each may hold a file in memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What is known of a piece of long work."""

    id: str
    owner: str = OWNER
    """Who started it: to others it is not there."""
    title: str
    steps: tuple[str, ...]
    state: str = "waiting"
    """'waiting', 'running', 'done', 'failed' or 'cancelled'."""
    done: int = 0
    created: str = ""
    result: Any = None
    problem: Mapping[str, Any] | None = None

    @property
    def finished(self) -> bool:
        """Whether nothing more will happen."""
        return self.state in ("done", "failed", "cancelled")

    @property
    def step(self) -> str:
        """Name of the step that runs or was the last."""
        return self.steps[min(self.done, len(self.steps) - 1)]

    def document(self) -> dict[str, Any]:
        """Plain content for HTTP."""
        names = ("id", "title", "state", "done", "created", "result", "problem")
        content = {name: getattr(self, name) for name in names}
        return {**content, "of": len(self.steps), "step": self.step, "steps": list(self.steps)}


@dataclass(slots=True)
class Jobs:
    """The jobs of this process."""

    _jobs: dict[str, Job] = field(default_factory=dict)
    _cancelled: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _waiting: "queue.SimpleQueue[tuple[contextvars.Context, str, tuple[Step, ...]]]" = field(
        default_factory=queue.SimpleQueue
    )
    _worker: threading.Thread | None = None

    def start(self, title: str, steps: Sequence[Step], *, owner: str = OWNER) -> Job:
        """Begin a job, or let it wait for those before it; returns at once.

        It acts from where it was started (`trail.origin`).

        Raises
        ------
        Conflict
            If too many jobs wait already.
        """
        names = tuple(name for name, _ in steps)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        job = Job(id=secrets.token_urlsafe(16), owner=owner, title=title, steps=names,
                  created=now)  # fmt: skip
        with self._lock:
            if self._waiting.qsize() >= MOST_WAITING:
                raise Conflict(f"{MOST_WAITING} jobs wait already; try again when some are done")
            self._forget_old()
            self._jobs[job.id] = job
            self._waiting.put((contextvars.copy_context(), job.id, tuple(steps)))
            if self._worker is None:
                self._worker = threading.Thread(target=self._work, daemon=True)
                self._worker.start()
        return job

    def _work(self) -> None:
        while True:
            context, id, steps = self._waiting.get()
            context.run(self._run, id, steps)

    def job(self, id: str, *, owner: str = OWNER) -> Job:
        """The present state of a job of that person."""
        with self._lock:
            if id not in self._jobs or self._jobs[id].owner != owner:
                raise NotFound(f"no job {id!r}; jobs end with the process that ran them")
            return self._jobs[id]

    def cancel(self, id: str, *, owner: str = OWNER) -> Job:
        """Ask a job to stop before its next step."""
        job = self.job(id, owner=owner)
        if not job.finished:
            self._cancelled.add(id)
        return self.job(id, owner=owner)

    def _run(self, id: str, steps: tuple[Step, ...]) -> None:
        outcomes: dict[str, Any] = {}
        for number, (name, work) in enumerate(steps):
            if id in self._cancelled:
                self._change(id, state="cancelled")
                return
            self._change(id, state="running", done=number)
            try:
                outcomes[name] = work(outcomes)
            except CupralError as error:
                self._change(id, state="failed", problem=problem(error, name).document())
                return
            except Exception as error:  # the waiting reader hears of a defect, the log its inside
                _LOG.exception("job %s failed in step %s", id, name)
                told = {"title": "defect", "what": type(error).__name__, "where": name,
                        "allowed": "", "faults": (),
                        "next": "a defect of ours; report it with what you sent"}  # fmt: skip
                self._change(id, state="failed", problem=told)
                return
        self._change(id, state="done", done=len(steps), result=outcomes[steps[-1][0]])

    def _change(self, id: str, **changes: Any) -> None:
        with self._lock:
            self._jobs[id] = replace(self._jobs[id], **changes)

    def _forget_old(self) -> None:
        finished = [id for id, job in self._jobs.items() if job.finished]
        for id in finished[: max(0, len(finished) - KEPT)]:
            del self._jobs[id]
