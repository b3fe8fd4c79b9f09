"""Functions that all commands use: add a parser, read the settings, load the server, explain database errors."""

import argparse
import difflib
import importlib
import logging.config
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from app.cli import help_texts
from app.observability import logs

if TYPE_CHECKING:
    from app.config import Settings

APP, TASKS = "app.main", "app.administration"
"""The application, and the tasks of commands. Both import a lot, so they are loaded by name and only when needed."""

Subparsers = Any
"""The subparsers of a command; argparse has no public type for them."""


PROGRESS_SECONDS = 2.0
"""Seconds until the first line about progress, and between two."""


MAX_DIGITS = 9


class Progress:
    """Lines on standard error about work that takes longer than two seconds."""

    def __init__(self) -> None:
        self._next = time.monotonic() + PROGRESS_SECONDS

    def __call__(self, stage: str, done: int, total: int = 0) -> None:
        """Tell how much of a stage is done: with a total of 0 if that is unknown, and with 0 of 0 if both are."""
        now = time.monotonic()
        if now >= self._next:
            self._next = now + PROGRESS_SECONDS
            text = f"{done:,} of {total:,}" if total else f"{done:,} done" if done else "still working"
            print(f"ostiary: {stage}: {text}", file=sys.stderr, flush=True)


class CommitCount:
    """Changes of a command with several transactions. If it does not end, standard error has how many are made."""

    def __init__(self) -> None:
        self._done = self._total = 0

    def __call__(self, done: int, total: int) -> None:
        """Note how many changes are committed, of all that are planned."""
        self._done, self._total = done, total

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None or not self._total:
            return
        outcome = f"{self._done:,} of {self._total:,} changes are made" if self._done else "nothing was changed"
        rest = ""
        if 0 < self._done < self._total:
            rest = "; the same command again makes the others"
        print(f"ostiary: {outcome}{rest}", file=sys.stderr, flush=True)


class Parser(argparse.ArgumentParser):
    """A parser that refuses unknown arguments itself, so that the usage of the command itself is printed."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Return the namespace and no rest. Exits with 2 for unknown arguments."""
        parsed, unknown = super().parse_known_args(args, namespace)
        if unknown:
            self.error(f"unknown arguments: {' '.join(unknown)}; see `{self.prog} --help`")
        return parsed, []

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """Exit with 2 for an unknown command, and name the nearest one."""
        if (
            not isinstance(action.choices, dict) or value in action.choices
        ):  # only commands have a parser for each choice
            super()._check_value(action, value)
            return
        near = difflib.get_close_matches(value.lower(), action.choices, n=1)
        hint = f"did you mean `{self.prog} {near[0]}`?" if near else f"`{self.prog} --help` lists all"
        self.error(f"there is no command `{self.prog} {value}`: {hint}")


class CommandFailed(Exception):
    """A problem outside of the server, such as a busy port. Its text is for the operator."""


def add_command(
    commands: Subparsers, name: str, summary: str, run: Callable[[argparse.Namespace], int | None] | None = None
) -> argparse.ArgumentParser:
    """Add the parser of a command with its texts; one that runs has `--settings` if it needs settings."""
    command: argparse.ArgumentParser = commands.add_parser(
        name, help=summary, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    command.description, command.epilog = help_texts.COMMANDS[command.prog.partition(" ")[2]]
    if run is not None:
        command.set_defaults(run=run, program=command.prog)
        if name not in {"schema", "completion"}:
            command.add_argument(
                "--settings", type=Path, metavar="FILE", help="settings file (./appsettings.json, if it exists)"
            )
    return command


def add_group(commands: Subparsers, name: str, summary: str) -> Subparsers:
    """Add a command that only holds others, and return its subparsers."""
    return add_command(commands, name, summary).add_subparsers(title="commands", metavar="COMMAND", required=True)


def parse_integer(text: str, minimum: int, maximum: int) -> int:
    """Return a whole number of an argument. Raises ArgumentTypeError."""
    if not text.isascii() or not text.isdigit() or len(text) > MAX_DIGITS or not minimum <= int(text) <= maximum:
        raise argparse.ArgumentTypeError(f"must be a whole number from {minimum} to {maximum}")
    return int(text)


def parse_name(text: str) -> str:
    """Return a name of an argument. Raises ArgumentTypeError for bytes that are no text, which no object has."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise argparse.ArgumentTypeError("must be a text in UTF-8") from None
    return text


def read_password() -> str:
    """Return the first line of standard input. Raises CommandFailed for bytes that are no text."""
    try:
        return sys.stdin.readline().rstrip("\r\n")
    except UnicodeDecodeError:
        raise CommandFailed("the password on standard input must be a text in UTF-8") from None


def server() -> Any:
    """Load the application."""
    return importlib.import_module(APP)


def tasks() -> Any:
    """Load the tasks of commands."""
    return importlib.import_module(TASKS)


def read_settings(file: Path | None, **overrides: object) -> "Settings":
    from app.config import Settings
    from app.config.sources import FILE_VARIABLE

    settings = Settings.read(file, **overrides)
    if file:
        os.environ[FILE_VARIABLE] = str(file.absolute())  # each worker reads the file again
    return settings


def start(arguments: argparse.Namespace, **overrides: object) -> "Settings":
    """Read the settings, in which `overrides` replace those of file and environment, and configure the log."""
    settings = read_settings(arguments.settings, **overrides)
    configure_log(settings)
    return settings


def configure_log(settings: "Settings") -> dict[str, Any]:
    """Configure the log of this process and return the configuration for the workers."""
    shape = settings.log_format or ("console" if sys.stderr.isatty() else "json")
    configuration = logs.configuration(shape, settings.log_level, requests=settings.log_requests)
    logging.config.dictConfig(configuration)
    return configuration


@contextmanager
def explain_database_errors(settings: "Settings") -> Iterator[None]:
    """Raise CommandFailed with one line instead of the error of an unusable database."""
    try:
        yield
    except Exception as error:
        from app.db import failures

        if not _is_database_failure(failures.cause_of(error)):
            raise
        reason = failures.reason(error)
        raise CommandFailed(f"the database {settings.redacted_database_url} cannot be used: {reason}") from None


def _is_database_failure(error: BaseException) -> bool:
    """Return whether the database is unreachable or refuses us; an invalid statement is a defect, with a traceback."""
    from app.db.failures import Failure, classify

    failure = classify(error)
    # asyncpg raises its own error for an invalid parameter in the URL.
    return failure not in {None, Failure.WRONG_SCHEMA} or type(error).__name__ == "ClientConfigurationError"
