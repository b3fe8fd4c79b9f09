"""The command line: `ostiary serve`, `demo`, `migrate`, `reindex`, `settings`, and those of `app.cli.commands`."""

import argparse
import gc
import importlib
import logging.config
import os
import signal
import socket
import sys
import textwrap
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from app import __version__
from app.cli import commands as operator_commands
from app.cli import help_texts
from app.domain.errors import OstiaryError, SettingsError
from app.observability import logs, worker_metrics

if TYPE_CHECKING:
    from app.config import Settings

APP = "app.main"
"""The composition root. It brings the whole server along, so it is loaded by name, and only when it is needed."""

PROTOCOLS = {"fast": "app.http.fastpath.protocol:Protocol", "plain": "httptools"}
"""What uvicorn loads for each `HttpProtocol`."""

HEALTHCHECK_SECONDS = 15
"""How long a worker may take to start, or to answer its supervisor, before it is replaced."""


class _Stopped(Exception):
    """The world stands against it; the text is for the operator."""


def main(argv: list[str] | None = None) -> int | None:
    """Run one command and give the exit code."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    if arguments.version:
        print(f"ostiary {__version__}")
        return 0
    if arguments.run is None:
        parser.print_help(sys.stderr)
        return 2
    return _attempt(arguments)


def _attempt(arguments: argparse.Namespace) -> int:
    try:
        arguments.run(arguments)
        sys.stdout.flush()
    except SettingsError as error:
        return _complain(str(error), 2)
    except (_Stopped, OstiaryError) as error:
        return _complain(str(error), 1)
    except BrokenPipeError:  # the reader, as in `ostiary schema | head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _complain(text: str, code: int) -> int:
    for line in text.splitlines():
        print(f"ostiary: {line}", file=sys.stderr)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "ostiary",
        description=help_texts.DESCRIPTION,
        epilog=help_texts.EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="store_true", help="print the version and stop")
    parser.set_defaults(run=None)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    _add_serve(commands)
    demo = commands.add_parser("demo", help="fill an empty database with a registry to try")
    demo.description, demo.epilog = help_texts.DEMO, help_texts.DEMO_EPILOG
    demo.set_defaults(run=_demo)
    migrate = commands.add_parser("migrate", help="bring the database up to date and stop")
    migrate.set_defaults(run=_migrate)
    reindex = commands.add_parser("reindex", help="make the access index anew and check it")
    reindex.description = help_texts.REINDEX
    reindex.set_defaults(run=_reindex)
    frame = operator_commands.Frame(_add_settings, _read_for, _in_words)
    operator_commands.add_keys(commands, frame)
    operator_commands.add_sessions(commands, frame)
    operator_commands.add_admin(commands, frame)
    schema = commands.add_parser("schema", help="print the GraphQL schema")
    schema.set_defaults(run=_schema)
    settings = commands.add_parser("settings", help="show every setting, its source and its meaning; no secrets")
    settings.set_defaults(run=_settings)
    for command in (demo, migrate, reindex, settings):
        _add_settings(command)
        command.formatter_class = argparse.RawDescriptionHelpFormatter
    return parser


def _add_serve(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    serve = commands.add_parser("serve", help="migrate the database, then serve until stopped")
    serve.add_argument("--host", default="127.0.0.1", help="address to listen on; 0.0.0.0 for all (%(default)s)")
    serve.add_argument("--port", type=_port, default=5000, help="0 to 65535, 0 for any that is free (%(default)s)")
    pace = serve.add_mutually_exclusive_group()
    pace.add_argument("--workers", type=_workers, default=1, help="processes, best one for each core (%(default)s)")
    pace.add_argument("--reload", action="store_true", help="start anew when the server's code changes")
    serve.add_argument("--demo", action="store_true", help="fill an empty database with a registry to try first")
    _add_settings(serve)
    serve.set_defaults(run=_serve)


def _add_settings(command: argparse.ArgumentParser) -> None:
    command.add_argument("--settings", type=Path, metavar="FILE", help="settings file (./appsettings.json, if there)")


def _port(text: str) -> int:
    return _between(text, 0, 65535)


def _workers(text: str) -> int:
    return _between(text, 1, 256)


def _between(text: str, least: int, most: int) -> int:
    if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
        raise argparse.ArgumentTypeError(f"must be a whole number from {least} to {most}")
    return int(text)


def _read(file: Path | None) -> "Settings":
    from app.config import Settings
    from app.config.sources import FILE_VARIABLE

    read = Settings.read(file)
    if file:
        os.environ[FILE_VARIABLE] = str(file.absolute())  # the workers read it again for themselves
    return read


def _read_for(arguments: argparse.Namespace) -> "Settings":
    settings = _read(arguments.settings)
    _logging(settings)
    return settings


def _logging(settings: "Settings") -> dict[str, Any]:
    """Begin to log as the settings say; answers how."""
    shape = settings.log_format or ("console" if sys.stderr.isatty() else "json")
    wanted = logs.configuration(shape, settings.log_level, requests=settings.log_requests)
    logging.config.dictConfig(wanted)
    return wanted


def _prepare(settings: "Settings", *, exposed: bool, serves: bool = False) -> Any:
    with _in_words(settings):
        return importlib.import_module(APP).prepare(settings, exposed=exposed, serves=serves)


@contextmanager
def _in_words(settings: "Settings") -> Iterator[None]:
    """A database that cannot be used is said in a line."""
    try:
        yield
    except Exception as error:
        if not _is_the_databases(getattr(error, "orig", None) or error):
            raise
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise _Stopped(f"the database {settings.database_shown} cannot be used: {reason}") from None


def _is_the_databases(error: BaseException) -> bool:
    """Whether the database is out of reach or closed to us; a wrong statement is our own fault and shows its trace."""
    from app.db.failures import Failure, classify

    failure = classify(getattr(error, "orig", None) or error)
    # asyncpg's own error for a parameter in the URL is none of the server's.
    return failure not in {None, Failure.WRONG_SCHEMA} or type(error).__name__ == "ClientConfigurationError"


def _serve(arguments: argparse.Namespace) -> None:
    gc.disable()  # nothing of what a start loads is garbage; `app.main.create` enables it again
    from app.config import check_exposure, is_loopback
    from app.http import file_descriptors
    from app.http.budget import RESERVED_CONNECTIONS

    settings = _read(arguments.settings)
    log = _logging(settings)
    port = _free_port(arguments.host, arguments.port)
    if settings.metrics_address is not None:
        _free_port(*settings.metrics_endpoint)
    _check_proxies()
    exposed = not is_loopback(arguments.host)
    _check_demo(arguments.host, exposed and arguments.demo)
    prepared = _prepare(settings, exposed=exposed, serves=True)
    check_exposure(settings, arguments.host, prepared.default_password_valid)
    _check_demo(arguments.host, exposed and prepared.demo_password_valid)
    told = ["", *_demo_world(settings, prepared)] if arguments.demo else []
    print("\n".join([*_announcement(settings, prepared, arguments.host, port), *told]), flush=True)
    with worker_metrics.shared(arguments.workers):
        file_descriptors.raise_limit(settings.request_limits.connections, RESERVED_CONNECTIONS)
        _run(arguments, port, log, settings)


def _check_proxies() -> None:
    """Refuse what decided about proxies before, so that nobody believes that it still does."""
    if os.environ.get("FORWARDED_ALLOW_IPS"):
        raise SettingsError("FORWARDED_ALLOW_IPS is not read any more: set TrustedProxies (OSTIARY_TRUSTED_PROXIES)")


def _check_demo(host: str, open_to_all: bool) -> None:
    if open_to_all:
        raise SettingsError(
            f"--host {host or '(all addresses)'}: everybody knows the password of the demo's people: "
            "serve the demo on 127.0.0.1, and others from another database"
        )


def _demo_world(settings: "Settings", prepared: Any) -> Sequence[str]:
    """Make the demo world, unless it is what there is; answers what to tell about it."""
    root = importlib.import_module(APP)
    if prepared.demo_password_valid:
        told: Sequence[str] = root.tour()
        return told
    with _in_words(settings):
        filled: Sequence[str] = root.fill(settings)
        return filled


def _free_port(host: str, port: int) -> int:
    """Find out before the database is touched, and in plain words, whether the port can be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
            return int(probe.getsockname()[1])
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no such host"
        raise _Stopped(f"cannot listen on {host} port {port}: {reason}; choose with --host and --port") from None


def _announcement(settings: "Settings", prepared: Any, host: str, port: int) -> Sequence[str]:
    near = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104 - to name it, not to bind
    address = f"http://[{near}]:{port}" if ":" in near else f"http://{near}:{port}"
    lines = [
        f"Ostiary {__version__}",
        f"  address     {address}{'' if near == host else ' (and every other address of this machine)'}",
        f"  playground  {address}/graphql",
        f"  database    {settings.database_shown}",
    ]
    if settings.external_auth_url:
        lines.append(f"  sign-in     at {urlsplit(settings.external_auth_url).hostname}, which keeps the accounts")
    lines += [f"  migrated    {name}" for name in prepared.migrated]
    if prepared.default_password_valid:
        name = settings.default_admin.user_name
        lines += [
            f"  {name} still has the default password, which everybody knows: sign in and change it. It opens only for",
            f"  requests from this machine itself. Behind a proxy: ostiary admin reset-password {name}",
        ]
    if prepared.first_password is not None:
        name = settings.default_admin.user_name
        lines.append(f"  {name} was made with this password, which is shown once: {prepared.first_password}")
    return lines


def _run(arguments: argparse.Namespace, port: int, log: dict[str, Any], settings: "Settings") -> None:
    import uvicorn

    from app.http import supervisor
    from app.http.shutdown import stop_on_hangup

    run = supervisor.run if arguments.workers > 1 else uvicorn.run
    # Having finished what it was doing, uvicorn raises the signal that stopped it once more. As an interrupt, which it
    # takes for an end, SIGTERM too leaves with 0 and not as if the process had been shot.
    with _as_interrupt(signal.SIGTERM), stop_on_hangup():
        run(
            f"{APP}:create",
            factory=True,
            host=arguments.host,
            port=port,
            workers=arguments.workers,
            reload=arguments.reload,
            reload_dirs=[str(Path(__file__).parent)] if arguments.reload else None,
            loop="auto",  # uvloop where it can be had
            http=PROTOCOLS[settings.http_protocol],
            ws="none",
            lifespan="on",  # a failure in it stops the start
            log_config=log,
            log_level="warning",
            access_log=False,
            server_header=False,
            interface="asgi3",
            proxy_headers=False,  # `web.entrance` reads them, of trusted proxies
            date_header=True,
            timeout_graceful_shutdown=settings.shutdown_seconds,
            timeout_worker_healthcheck=HEALTHCHECK_SECONDS,
        )


@contextmanager
def _as_interrupt(number: signal.Signals) -> Iterator[None]:
    before = signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(number, before)


def _migrate(arguments: argparse.Namespace) -> None:
    settings = _read(arguments.settings)
    _logging(settings)
    migrated = _prepare(settings, exposed=True).migrated  # nobody knows yet where it will listen
    print("\n".join(f"migrated {name}" for name in migrated) or f"{settings.database_shown} is up to date")


def _demo(arguments: argparse.Namespace) -> None:
    settings = _read(arguments.settings)
    _logging(settings)
    _prepare(settings, exposed=True)  # nobody knows yet where it will listen
    with _in_words(settings):
        told = importlib.import_module(APP).fill(settings)
    print("\n".join([*told, "The playground is at /graphql of: ostiary serve"]))


def _reindex(arguments: argparse.Namespace) -> None:
    settings = _read(arguments.settings)
    _logging(settings)
    began = time.monotonic()
    with _in_words(settings):
        done = importlib.import_module(APP).reindex(settings, _progress)
    print(f"{done.rows:,} rows of the access index were made anew in {time.monotonic() - began:.1f} s")
    if done.missing or done.surplus:
        print(f"it was wrong: {done.missing:,} rows were missing or different, {done.surplus:,} should not have been")
    else:
        print("it was right: nothing differed")


def _progress(done: int, total: int) -> None:
    print(f"ostiary: {done:,} of {total:,} resources", file=sys.stderr, flush=True)


def _schema(_: argparse.Namespace) -> None:
    print(importlib.import_module(APP).sdl().rstrip("\n"))


def _settings(arguments: argparse.Namespace) -> None:
    from app.config import Settings

    try:
        settings = _read(arguments.settings)
    except SettingsError:
        print("Something is wrong with your settings, as said at the end; these are the defaults.\n")
        _show(Settings())
        sys.stdout.flush()
        raise
    _show(settings)


def _show(settings: "Settings") -> None:
    for key, described in settings.describe().items():
        print(f"{key} = {described.value}")
        print(f"    from {described.source}; variable {described.variable}")
        print(textwrap.indent(textwrap.fill(described.description, 84), "    "))


if __name__ == "__main__":
    sys.exit(main())
