"""Log: what a server reports, one line of JSON each, which no text from outside can break."""

import json
import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class JsonLines:
    """Writes a record as one line: when (UTC), how grave, who reports, what, where it failed."""

    def format(self, record: logging.LogRecord) -> str:
        """The line; line breaks and control characters of the text become escapes.

        Examples
        --------
        >>> told = logging.makeLogRecord({"msg": "user %s", "args": ("li\\n1970 all is well",)})
        >>> told.created = 0.0
        >>> print(JsonLines().format(told))  # doctest: +ELLIPSIS
        {"at": "1970-01-01T00:00:00.000+00:00", ..., "text": "user li\\n1970 all is well"}
        """
        moment = datetime.fromtimestamp(record.created, UTC)
        told: dict[str, Any] = {
            "at": moment.isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "text": record.getMessage(),
        }
        if record.exc_info:
            told["trace"] = logging.Formatter().formatException(record.exc_info)
        return json.dumps(told)


CONFIG: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"lines": {"()": JsonLines}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "lines"}},
    "loggers": {  # uvicorn's own ones, should another server of this process have set them up
        name: {"handlers": [], "propagate": True} for name in ("uvicorn", "uvicorn.error")
    },
    "root": {"handlers": ["stderr"], "level": "WARNING"},
}
"""All loggers, those of uvicorn and of asyncio too, report to the standard error in this form."""
