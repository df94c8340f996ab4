"""Change what is planned: load a plan file, report progress on a clause."""

import math
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

from cupral.ledger.document import Document
from cupral.ledger.errors import InputError, NotFound
from cupral.ledger.ledger import Ledger
from cupral.ledger.period import Period
from cupral.ledger.release import publish
from cupral.system import acting, bound, command, queries
from cupral.systems.plan.compute import judging, reading
from cupral.systems.plan.compute.contributing import number
from cupral.systems.plan.model import Clause, Plan, Source
from cupral.systems.plan.queries import plans, publication


@command
@acting("decide")
def load_plan(
    ledger: Ledger, *, author: str, path: str = "", content: str = "", form: str = ""
) -> Document:
    """Load a plan from a TOML, JSON or YAML file; it replaces one of the same id.

    Parameters
    ----------
    ledger : Ledger
    author : str
    path : str
        A file on this machine, schema cupral.plan/1 (the shipped plan is an example).
    content : str
        Instead of a path, the text of the file.
    form : str
        'toml', 'json' or 'yaml'; empty = whichever reads it.

    Returns
    -------
    Document
        Kind 'plan'; loading the same content again makes no new version.

    Raises
    ------
    InputError
        If the file is faulty; every place is named and nothing is loaded.
    """
    table = reading.parsed(_text(path, content), form)
    plan = reading.plan(table)
    _check_tests(plan, ledger)
    _check_metrics(plan, ledger)
    document = Document(
        kind="plan", id=plan.id, party=plan.issuer, body=_json(table), state="in force"
    )
    return _put(ledger, document, author)


def _text(path: str, content: str) -> str:
    if bool(path) == bool(content):
        raise InputError("give either the path of a plan file or its content")
    try:
        return content or Path(path).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"plan file {path} cannot be read: {error}; give a UTF-8 file") from None


def _check_tests(plan: Plan, ledger: Ledger) -> None:
    """Refuse words and parameters that a test could not be judged by."""
    words = ledger.parameter("plan.relations", date(plan.year, 1, 1)).value
    for target in plan.targets:
        for test in target.tests:
            judging.operator(test.relation, words)
            if test.parameter:
                held = ledger.parameter(test.parameter, date(plan.year, 1, 1)).value
                if number(held) is None:
                    raise InputError(
                        f"test {test.id}: parameter {test.parameter} holds no number; name one"
                        " that does"
                    )


def _check_metrics(plan: Plan, ledger: Ledger) -> None:
    """Refuse metrics whose queries, arguments or parameters do not exist."""
    for metric in plan.metrics.values():
        for source in (metric.declared, metric.second):
            if source is not None:
                _check_arguments(metric.id, source)
                for id in source.parameters.values():
                    ledger.parameter(id, date(plan.year, 1, 1))


def _check_arguments(metric: str, source: Source) -> None:
    known = queries()
    if source.query not in known:
        raise NotFound(
            f"metric {metric}: no query {source.query!r}; there are {', '.join(sorted(known))}"
        )
    try:
        bound(known[source.query], source.arguments)
    except (InputError, NotFound) as error:
        raise type(error)(f"metric {metric}: {error}") from None
    except TypeError as error:
        raise InputError(
            f"metric {metric}: {source.query}: {error}; name it under arguments"
        ) from None


@command
@acting("decide")
def report_progress(
    ledger: Ledger,
    *,
    author: str,
    clause: str,
    unit: str,
    progress: float,
    on: str,
    plan: str = plans.SHANDONG,
    evidence: list[str] | None = None,
    deadline: str = "",
    note: str = "",
) -> Document:
    """Report how far a clause of the plan has come, with evidence.

    Parameters
    ----------
    ledger : Ledger
    author : str
    clause : str
        Clause id, e.g. 'T09-M1'.
    unit : str
        The responsible unit that reports (lead or supporting).
    progress : float
        [%], 0 to 100.
    on : str
        Day of the report, e.g. '2026-10-31'.
    plan : str
        Plan id.
    evidence : list of str
        What shows it: file names, document numbers, references of the ledger.
    deadline : str
        Day or month by which it shall be done; empty = as before.
    note : str

    Returns
    -------
    Document
        Kind 'clause', id '<plan>:<clause>'; its versions are the history.

    Raises
    ------
    NotFound
        If the plan or the clause does not exist.
    InputError
        If the unit does not answer for the clause, progress is outside 0 to 100, a date cannot
        be read, or 100 % is reported without evidence.
    """
    wanted = plans.clause(plans.find(ledger, plan), clause)
    shown = [text.strip() for text in evidence or [] if text.strip()]
    _check_report(wanted, unit, progress, shown)
    _day(on)
    until = deadline or _standing(ledger, f"{plan}:{clause}").get("deadline") or wanted.deadline
    Period.parse(until)
    body = {
        "plan": plan, "clause": clause, "unit": unit, "progress": float(progress),
        "reported_on": on, "deadline": until, "evidence": shown, "note": note,
    }  # fmt: skip
    state = "done" if progress == 100 else "open"
    document = Document(kind="clause", id=f"{plan}:{clause}", party=unit, body=body, state=state)
    return _put(ledger, document, author)


@command
@acting("release")
def publish_status(
    ledger: Ledger, *, author: str, plan: str = plans.SHANDONG, through: str = ""
) -> Document:
    """Publish the headline value of each target whose contributing enterprises allow it.

    A figure that fewer than three enterprises contribute to, or that one dominates, is withheld;
    one whose step from an earlier version would single somebody out keeps its earlier value.

    Parameters
    ----------
    ledger : Ledger
    author : str
    plan : str
        Plan id.
    through : str
        Last month counted; empty = the last declared month of the plan's year.

    Returns
    -------
    Document
        Kind 'release', party 'public'; publishing the same again makes no new version.
    """
    body, basis, demonstration = publication.drafted(ledger, plan, through)
    return publish(ledger, f"plan:{plan}", author=author, body=body, basis=basis,
                   demonstration=demonstration)  # fmt: skip


def _check_report(clause: Clause, unit: str, progress: float, evidence: list[str]) -> None:
    units = (clause.lead, *clause.supporting)
    if unit not in units:
        raise InputError(
            f"clause {clause.id}: {unit!r} does not answer for it; report as {' or '.join(units)}"
        )
    if not (math.isfinite(progress) and 0 <= progress <= 100):
        raise InputError(
            f"clause {clause.id}: progress {progress:g} is outside 0 to 100 %; give percent done"
        )
    if progress == 100 and not evidence:
        raise InputError(
            f"clause {clause.id}: 100 % needs evidence; name the file or ledger reference"
            " that shows it is done"
        )


def _day(text: str) -> date:
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError:
        raise InputError(f"{text!r} is no day; write it as 2026-10-31") from None


def _standing(ledger: Ledger, id: str) -> Mapping[str, Any]:
    found = ledger.documents("clause", id=id)
    return found[-1].body if found else {}


def _put(ledger: Ledger, document: Document, author: str) -> Document:
    """Keep a document, unless its latest version says the same."""
    for old in ledger.documents(document.kind, id=document.id):
        if (old.party, old.state, dict(old.body)) == (
            document.party, document.state, dict(document.body),
        ):  # fmt: skip
            return old
    return ledger.put(document, author=author)


def _json(content: Any) -> Any:
    """The content with dates as text, so that it can be kept as a document."""
    if isinstance(content, Mapping):
        return {str(name): _json(value) for name, value in content.items()}
    if isinstance(content, Iterable) and not isinstance(content, str):
        return [_json(value) for value in content]
    return content.isoformat() if isinstance(content, date) else content
