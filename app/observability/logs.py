"""Log configuration and formatters: text for a terminal, or one JSON object a line. Lines of a request have its id."""

import json
import logging
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from app.observability import request_stats

REQUESTS = "ostiary.requests"
"""Name of the logger that writes one line for each request."""

_QUOTED = re.compile(r'[\s"=\\]')
"""Characters that make `Lines` quote the value of a field."""


def configuration(shape: str, level: str, *, requests: bool) -> dict[str, Any]:
    """Return a dictionary for `logging.config`: `shape` is console or json, `level` the minimum of our own loggers.

    Libraries log at WARNING and above only, since some of them log request headers at lower levels.
    """
    own_level = level.upper()
    library_level = "ERROR" if own_level == "ERROR" else "WARNING"
    formatter = JsonLines if shape == "json" else Lines
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"lines": {"()": f"{__name__}.{formatter.__name__}"}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "lines", "stream": "ext://sys.stderr"}},
        "root": {"level": library_level, "handlers": ["stderr"]},
        "loggers": {
            "app": {"level": own_level},
            "ostiary": {"level": own_level},
            REQUESTS: {"level": "INFO" if requests else library_level},
            # The pool logs a traceback for every failed connection attempt; `app/db` logs an outage in one line.
            "asyncpg.pool": {"level": "ERROR"},
        },
    }


class Lines(logging.Formatter):
    """`TIME LEVEL LOGGER: MESSAGE name=value …`, followed by the indented traceback of an error.

    Text of a client cannot begin a line or reach a terminal as a control character: unprintable characters are escaped
    everywhere, and a value with spaces or quotes is written as a JSON string.
    """

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%S%z")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name is the library's
        """Return the line without its traceback."""
        fields = " ".join(f"{name}={_plain(value)}" for name, value in _fields(record).items())
        return f"{_printable(super().formatMessage(record))} {fields}".rstrip()

    def formatException(self, ei: Any) -> str:  # noqa: N802 - the same
        """Return the traceback, escaped since an error's text may contain what a client sent."""
        return "\n".join(f"  {_printable(line)}" for line in super().formatException(ei).split("\n"))

    def formatStack(self, stack_info: str) -> str:  # noqa: N802 - the same
        """Return the stack of a record that was logged with `stack_info`."""
        return "\n".join(f"  {_printable(line)}" for line in super().formatStack(stack_info).split("\n"))


class JsonLines(logging.Formatter):
    """One JSON object a line; `exception` is the traceback of an error."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the complete line."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_fields(record),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    """Return the request id, the error id and the fields of a record; empty fields are left out."""
    extra: Mapping[str, Any] = getattr(record, "fields", {})
    stats = request_stats.CURRENT.get()
    fields = {"requestId": stats.request_id} if stats is not None else {}
    if (error_id := getattr(record, "error_id", None)) is not None:
        fields["errorId"] = error_id
    return fields | {name: value for name, value in extra.items() if value not in (None, [])}


def _plain(value: object) -> str:
    if isinstance(value, list):
        return ",".join(map(_plain, value))
    text = str(value)
    if text and text.isprintable() and not _QUOTED.search(text):
        return text
    return json.dumps(text, ensure_ascii=not text.isprintable())


def _printable(text: str) -> str:
    """Escape line breaks and control characters."""
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)
