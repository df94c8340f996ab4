"""Questions: a form for every query, made from its signature, and its answer below."""

from cupral.ledger.errors import CupralError, NotFound
from cupral.surfaces.problem import problem
from cupral.surfaces.references import sorted_lineage
from cupral.surfaces.signature import signature
from cupral.surfaces.web.asked import Asked, Page
from cupral.system import ask, queries


def question(asked: Asked) -> Page:
    """A query's form; with arguments (or `?run=1`) also its Result."""
    name = f"{asked.named['system']}.{asked.named['query']}"
    if name not in queries():
        raise NotFound(f"no query {name}; there are {', '.join(sorted(queries()))}")
    found = signature(name, queries()[name])
    given = {n: value for n, value in asked.arguments.items() if n != "run"}
    result, trouble, lineage = None, None, None
    if asked.arguments:
        try:
            result = ask(asked.ledger, name, **found.read(given))
            lineage = sorted_lineage(asked.ledger, result.lineage)
        except CupralError as error:
            trouble = problem(error, name)
    content = {"found": found, "given": given, "result": result, "lineage": lineage,
               "problem": trouble, "history": (),
               "reference": f"result:{result.key}" if result else ""}  # fmt: skip
    return Page(template="question.html", title=name, content=content,
                status=trouble.status if trouble else 200,
                demonstration=result.demonstration if result else False)  # fmt: skip
