"""The server's log: one line for one record, whatever somebody sends."""

import io
import json
import logging
import logging.config
from collections.abc import Iterator
from datetime import datetime

import pytest
import uvicorn

from cupral.surfaces.api.log import CONFIG, JsonLines

HOSTILE = 'li\n{"at": "1970", "text": "all is well"}\r\x1b[2J\u2028\x00'


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What a server's loggers write."""
    root, out = logging.getLogger(), io.StringIO()
    before = (root.level, root.handlers[:])
    logging.config.dictConfig(
        {**CONFIG, "handlers": {"stderr": {**CONFIG["handlers"]["stderr"], "stream": out}}}
    )
    yield out
    root.handlers[:] = before[1]
    root.setLevel(before[0])


def test_no_text_makes_two_records_of_one(log: io.StringIO) -> None:
    """Also where another server of this process has set up uvicorn's loggers in its own way."""
    logging.config.dictConfig(uvicorn.config.LOGGING_CONFIG)
    logging.config.dictConfig(
        {**CONFIG, "handlers": {"stderr": {**CONFIG["handlers"]["stderr"], "stream": log}}}
    )
    logging.getLogger("uvicorn.error").error("sign-in of %s failed", HOSTILE)
    (line,) = log.getvalue().splitlines()
    assert json.loads(line)["text"] == f"sign-in of {HOSTILE} failed"
    assert line.isascii()
    assert line.isprintable()


def test_a_defect_is_one_line_with_its_place(log: io.StringIO) -> None:
    try:
        raise ValueError(HOSTILE)
    except ValueError:
        logging.getLogger("cupral.surfaces.api.live").exception("tick failed")
    (line,) = log.getvalue().splitlines()
    told = json.loads(line)
    assert told["level"] == "ERROR"
    assert told["logger"] == "cupral.surfaces.api.live"
    assert "test_log.py" in told["trace"]
    assert HOSTILE in told["trace"]


def test_moments_are_those_of_utc() -> None:
    record = logging.makeLogRecord({"msg": "x"})
    at = datetime.fromisoformat(json.loads(JsonLines().format(record))["at"])
    assert at.utcoffset() is not None
    assert not at.utcoffset()
    assert abs(at.timestamp() - record.created) < 0.01


def test_requests_are_not_logged_so_nothing_of_an_address_is() -> None:
    """What stands behind the question mark of an address may be somebody's figure."""
    assert logging.getLevelName(CONFIG["root"]["level"]) > logging.INFO
