"""The description of the interface holds: every answer to any input is one that it lists."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.surfaces import tenants
from tests.surfaces.tenants import Visitor

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance,
          response_schema_conformance]  # fmt: skip
ENDLESS = "/api/live"
"""The live stream never ends; its test is test_live.py."""


@contextmanager
def listening(app: Any) -> Iterator[str]:
    """Address of a server while inside."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="on"))
        thread = threading.Thread(target=server.run, args=([bound],), daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.02)
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"
        server.should_exit = True
        thread.join(10)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Address, and the token of somebody of the department, who may ask and order most."""
    visitor = Visitor(tenants.set_up(tmp_path_factory.mktemp("tenants") / "ledger"))
    visitor.with_token("bureau")
    with listening(visitor.app) as address:
        yield address, visitor.headers["authorization"]
    visitor.ledger.records.database.dispose()


def tried(served: tuple[str, str], examples: int, mode: GenerationMode) -> tuple[int, list[str]]:
    """How many requests were made of every operation, and what broke the description."""
    address, word = served
    described = schemathesis.openapi.from_url(f"{address}/api/openapi.json")
    count, found = [0], list[str]()
    for result in described.get_all_operations():
        operation = result.ok()
        if operation.path == ENDLESS:
            continue

        @settings(max_examples=examples, deadline=None, database=None, derandomize=True,
                  phases=[Phase.generate], suppress_health_check=list(HealthCheck))  # fmt: skip
        @given(case=operation.as_strategy(generation_mode=mode))
        def run(case: Any) -> None:
            count[0] += 1
            answer = case.call(base_url=address, headers={"authorization": word}, timeout=30)
            try:
                case.validate_response(answer, checks=CHECKS)
            except FailureGroup as error:
                told = "; ".join(str(one)[:200] for one in error.exceptions)
                sent = f"{case.method} {case.formatted_path} {case.query} {str(case.body)[:300]}"
                found.append(f"{sent}: {answer.status_code} {told}")

        with suppress(Unsatisfiable):  # nothing can be wrong with an operation without arguments
            run()
    return count[0], found


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_no_answer_breaks_the_description(served: tuple[str, str], mode: GenerationMode) -> None:
    count, found = tried(served, 4, mode)
    assert found == []
    assert count > 200


@pytest.mark.slow
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_no_answer_of_many_breaks_the_description(
    served: tuple[str, str], mode: GenerationMode
) -> None:
    assert tried(served, 200, mode)[1] == []


def test_everything_is_described(served: tuple[str, str]) -> None:
    """Every operation says what it answers and all its problems, and how one shows who he is."""
    import httpx

    content = httpx.get(f"{served[0]}/api/openapi.json").json()
    assert set(content["components"]["securitySchemes"]) == {"token", "session"}
    for path, methods in content["paths"].items():
        for method, told in methods.items():
            codes = set(told["responses"])
            assert codes >= {"401", "403", "404", "409", "422", "429"}, (method, path)
            assert len(codes & {"200", "202"}) == 1, (method, path)
            named = {one["name"] for one in told.get("parameters", ()) if one["in"] == "path"}
            assert all(f"{{{name}}}" in path for name in named)
            assert path.count("{") == len(named)
