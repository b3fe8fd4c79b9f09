"""The lines of the log: for people on a terminal, or a JSON object each. A line within a request names the request."""

import json
import logging
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from app.observability import request_stats

REQUESTS = "ostiary.requests"
"""The logger that has a line for each request."""

_QUOTED = re.compile(r'[\s"=\\]')
"""Where a value has one of these, it is told in quotes."""


def configuration(shape: str, level: str, *, requests: bool) -> dict[str, Any]:
    """What `logging.config` takes: `shape` is console or json, `level` the least that our own lines must have.

    Other people's code says only what is serious: at lower levels some of it tells headers.
    """
    least = level.upper()
    others = "ERROR" if least == "ERROR" else "WARNING"
    formatter = JsonLines if shape == "json" else Lines
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"lines": {"()": f"{__name__}.{formatter.__name__}"}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "lines", "stream": "ext://sys.stderr"}},
        "root": {"level": others, "handlers": ["stderr"]},
        "loggers": {
            "app": {"level": least},
            "ostiary": {"level": least},
            REQUESTS: {"level": "INFO" if requests else others},
            # It shows the whole trace of every try to reach a server that is away; `app/db` says it once, in a line.
            "asyncpg.pool": {"level": "ERROR"},
        },
    }


class Lines(logging.Formatter):
    """`TIME LEVEL LOGGER: MESSAGE name=value …`, and below it the trace of an error, each line of it indented.

    Nothing that a client sent begins a line of its own or reaches a terminal as a control character: what is not
    printable is escaped everywhere, and a value with spaces or quotes is written as a JSON string.
    """

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%S%z")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name is the library's
        """The line without a trace."""
        told = " ".join(f"{name}={_plain(value)}" for name, value in _fields(record).items())
        return f"{_printable(super().formatMessage(record))} {told}".rstrip()

    def formatException(self, ei: Any) -> str:  # noqa: N802 - the same
        """The trace, which repeats what was sent where the text of an error does."""
        return "\n".join(f"  {_printable(line)}" for line in super().formatException(ei).split("\n"))

    def formatStack(self, stack_info: str) -> str:  # noqa: N802 - the same
        """The stack of a line that asks for it."""
        return "\n".join(f"  {_printable(line)}" for line in super().formatStack(stack_info).split("\n"))


class JsonLines(logging.Formatter):
    """A JSON object in a line; `exception` is the trace of an error."""

    def format(self, record: logging.LogRecord) -> str:
        """The whole line."""
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
    """What a line says beside its message."""
    given: Mapping[str, Any] = getattr(record, "fields", {})
    about = request_stats.CURRENT.get()
    told = {"requestId": about.request_id} if about is not None else {}
    if (error_id := getattr(record, "error_id", None)) is not None:
        told["errorId"] = error_id
    return told | {name: value for name, value in given.items() if value not in (None, [])}


def _plain(value: object) -> str:
    if isinstance(value, list):
        return ",".join(map(_plain, value))
    text = str(value)
    if text and text.isprintable() and not _QUOTED.search(text):
        return text
    return json.dumps(text, ensure_ascii=not text.isprintable())


def _printable(text: str) -> str:
    """Escape what would begin a line, or would tell a terminal what to do."""
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)
