"""The command line: `ostiary serve`, `demo`, `migrate`, `reindex`, `settings`, and those of the other modules here."""

import argparse
import errno
import gc
import json
import os
import signal
import sys
import textwrap
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from app import __version__
from app.cli import audit, backups, completion, copying, help_texts, importing, inspection, users
from app.cli import commands as operator_commands
from app.cli import state as state_commands
from app.cli.common import (
    APP,
    CommandFailed,
    Parser,
    add_command,
    configure_log,
    explain_database_errors,
    parse_integer,
    read_settings,
    server,
    start,
    tasks,
)
from app.domain.errors import OstiaryError, SettingsError
from app.domain.program import program_name
from app.domain.quantities import format_count
from app.observability import worker_metrics

if TYPE_CHECKING:
    from app.cli.listening import Listener
    from app.config import Settings

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""Errors of standard output that is a file on a full disk."""

PROTOCOLS = {"fast": "app.http.fastpath.protocol:Protocol", "plain": "httptools"}
"""The protocol class of uvicorn for each value of `HttpProtocol`."""

HEALTHCHECK_SECONDS = 15
"""Seconds for a worker to start, or to answer its supervisor, before it is replaced."""


def main(argv: list[str] | None = None) -> int | None:
    """Run one command and return its exit code."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    if arguments.version:
        print(f"ostiary {__version__}")
        return 0
    if arguments.run is None:
        parser.print_help(sys.stderr)
        return 2
    return _run_command(arguments)


def _report_lost_output(arguments: argparse.Namespace, error: OSError) -> int:
    """Say what was done in spite of the error, and if nothing was, what is wrong; a closed pipe is told by no line."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python writes the rest again at its end
    if (done := getattr(arguments, "output_failure", None)) is not None:
        return _print_error(done, 1)
    if error.errno == errno.EPIPE:  # the reader closed the pipe, as in `ostiary schema | head`
        return 1
    return _print_error(f"the output cannot be written: {error.strerror}", 1)


def _run_command(arguments: argparse.Namespace) -> int:
    program_name.set(arguments.program)
    try:
        with _as_interrupt(signal.SIGTERM):  # a supervisor's stop cleans up as Ctrl-C does
            code: int | None = arguments.run(arguments)
        sys.stdout.flush()
    except SettingsError as error:
        return _print_error(str(error), 2)
    except (CommandFailed, OstiaryError) as error:
        return _print_error(str(error), 1)
    except OSError as error:
        if error.errno not in {errno.EPIPE, *_FULL} or error.filename is not None:
            raise
        return _report_lost_output(arguments, error)
    except KeyboardInterrupt:
        return 130
    return code or 0


def _print_error(text: str, code: int) -> int:
    for line in text.splitlines():
        print(f"ostiary: {line}", file=sys.stderr)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        "ostiary",
        description=help_texts.DESCRIPTION,
        epilog=help_texts.EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="store_true", help="print the version and stop")
    parser.set_defaults(run=None)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    serve = add_command(commands, "serve", "migrate the database, then serve until stopped", _serve)
    serve.add_argument("--host", default="127.0.0.1", help="address to listen on; 0.0.0.0 for all (%(default)s)")
    serve.add_argument("--port", type=_port, default=5000, help="0 to 65535, 0 for any free port (%(default)s)")
    serve.add_argument("--unix-socket", type=Path, metavar="FILE", help="listen on this socket instead, mode 660")
    mode = serve.add_mutually_exclusive_group()
    mode.add_argument("--workers", type=_workers, default=1, help="processes, best one for each core (%(default)s)")
    mode.add_argument("--reload", action="store_true", help="restart when the server's code changes")
    serve.add_argument("--root-path", type=_prefix, metavar="PATH", help="in place of the setting RootPath")
    serve.add_argument("--no-migrate", action="store_true", help="refuse to start if migrations are missing")
    serve.add_argument("--demo", action="store_true", help="first fill an empty database with a sample registry")
    add_command(commands, "demo", "fill an empty database with a sample registry", _demo)
    add_command(commands, "migrate", "bring the database up to date and stop", _migrate)
    add_command(commands, "reindex", "rebuild the access index and check it", _reindex)
    operator_commands.add_all(commands)
    users.add_all(commands)
    state_commands.add_all(commands)
    importing.add_all(commands)
    backups.add_all(commands)
    copying.add_all(commands)
    inspection.add_all(commands)
    audit.add_all(commands)
    completion.add_all(commands, parser)
    add_command(commands, "schema", "print the GraphQL schema", _schema)
    settings = add_command(
        commands, "settings", "show every setting, its source and its meaning, without secrets", _settings
    )
    settings.add_argument("--json", action="store_true", help="print the settings as one JSON object")
    return parser


def _port(text: str) -> int:
    return parse_integer(text, 0, 65535)


def _workers(text: str) -> int:
    return parse_integer(text, 1, 256)


def _prefix(text: str) -> str:
    from app.config.values import path_prefix

    try:
        return path_prefix(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _prepare(settings: "Settings", *, exposed: bool, serves: bool = False, migrates: bool = True) -> Any:
    with explain_database_errors(settings):
        return tasks().prepare(settings, exposed=exposed, serves=serves, migrates=migrates)


def _serve(arguments: argparse.Namespace) -> None:
    gc.disable()  # the objects of the start are no garbage; `app.main.create` enables it again in a worker
    try:
        _start_server(arguments)
    finally:
        gc.enable()


def _start_server(arguments: argparse.Namespace) -> None:
    from app.cli import listening
    from app.config import check_exposure
    from app.http import file_descriptors
    from app.http.budget import RESERVED_CONNECTIONS

    settings = read_settings(arguments.settings)
    log = configure_log(settings)
    with listening.listen(arguments) as listener:
        if settings.metrics_address is not None:
            listening.free_port(*settings.metrics_endpoint)
        _check_proxies()
        exposed = listener.is_exposed
        _check_demo(listener.option, exposed and arguments.demo)
        prepared = _prepare(settings, exposed=exposed, serves=True, migrates=not arguments.no_migrate)
        check_exposure(settings, listener.option, exposed and prepared.default_password_valid)
        _check_demo(listener.option, exposed and prepared.demo_password_valid)
        demo = ["", *_fill_demo(settings, prepared)] if arguments.demo else []
        if prepared.first_password is not None:
            name = settings.default_admin.user_name
            arguments.output_failure = (
                f"{name} was created, but the password was not written: ostiary admin reset-password {name}"
            )
        print("\n".join([*_banner(settings, prepared, listener), *demo]), flush=True)
        arguments.output_failure = None
        with worker_metrics.shared_folder(arguments.workers):
            file_descriptors.raise_limit(settings.request_limits.connections, RESERVED_CONNECTIONS)
            _run(arguments, listener, log, settings)


def _check_proxies() -> None:
    """Raise SettingsError for uvicorn's variable, which has no effect here."""
    if os.environ.get("FORWARDED_ALLOW_IPS"):
        raise SettingsError("FORWARDED_ALLOW_IPS is not supported: set TrustedProxies (OSTIARY_TRUSTED_PROXIES)")


def _check_demo(option: str, is_exposed_demo: bool) -> None:
    if is_exposed_demo:
        raise SettingsError(
            f"{option}: the password of the demo users is public: "
            "serve the demo on 127.0.0.1, and serve other hosts from another database"
        )


def _fill_demo(settings: "Settings", prepared: Any) -> Sequence[str]:
    """Fill the database with the demo data, unless it has them, and return the lines that introduce them."""
    root = tasks()
    if prepared.demo_password_valid:
        tour: Sequence[str] = root.tour()
        return tour
    with explain_database_errors(settings):
        report: Sequence[str] = root.fill(settings)
        return report


def _banner(settings: "Settings", prepared: Any, listener: "Listener") -> Sequence[str]:
    first = listener.addresses[0].partition(" ")[0]
    lines = [f"Ostiary {__version__}"]
    lines += [f"  address     {address}" for address in listener.addresses]
    if first.startswith("http"):
        lines.append(f"  GraphiQL    {first}/graphql")
    lines.append(f"  database    {settings.redacted_database_url}")
    if settings.external_auth_url:
        lines.append(f"  sign-in     at {urlsplit(settings.external_auth_url).hostname}, which manages the accounts")
    lines += [f"  migrated    {name}" for name in prepared.migrated]
    if prepared.default_password_valid:
        name = settings.default_admin.user_name
        lines += [
            f"  {name} still has the default password: sign in and change it. It is accepted from this machine only.",
            f"  Behind a proxy, set another one: ostiary admin reset-password {name}",
        ]
    if prepared.first_password is not None:
        name = settings.default_admin.user_name
        lines.append(f"  {name} was created with this password, which is shown once: {prepared.first_password}")
    return lines


def _run(arguments: argparse.Namespace, listener: "Listener", log: dict[str, Any], settings: "Settings") -> None:
    from app.http import supervisor
    from app.http.shutdown import stop_on_hangup

    if arguments.workers > 1:
        gc.enable()  # the workers are other processes
    # After a graceful stop, uvicorn raises the signal again. It handles an interrupt, so SIGTERM as an interrupt ends
    # the process with exit code 0 too.
    with _as_interrupt(signal.SIGTERM), stop_on_hangup():
        supervisor.run(
            f"{APP}:create",
            listener.sockets,
            factory=True,
            host=listener.host,
            port=listener.port,
            root_path=settings.root_path if arguments.root_path is None else arguments.root_path,
            workers=arguments.workers,
            reload=arguments.reload,
            reload_dirs=[str(Path(__file__).parents[1])] if arguments.reload else None,
            loop="auto",  # uvloop if it is installed
            http=PROTOCOLS[settings.http_protocol],
            ws="none",
            lifespan="on",  # a failure in it stops the start
            log_config=log,
            log_level="warning",
            access_log=False,
            server_header=False,
            interface="asgi3",
            proxy_headers=False,  # `ProxyGate` reads those of trusted proxies
            date_header=True,
            timeout_graceful_shutdown=settings.shutdown_seconds,
            timeout_worker_healthcheck=HEALTHCHECK_SECONDS,
        )


@contextmanager
def _as_interrupt(number: signal.Signals) -> Iterator[None]:
    """Treat a signal as Ctrl-C during the block; another thread than the main one cannot."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(number, before)


def _migrate(arguments: argparse.Namespace) -> None:
    settings = start(arguments)
    migrated = _prepare(settings, exposed=True).migrated  # the address of the server is not known yet
    print("\n".join(f"migrated {name}" for name in migrated) or f"{settings.redacted_database_url} is up to date")


def _demo(arguments: argparse.Namespace) -> None:
    settings = start(arguments)
    _prepare(settings, exposed=True)  # the address of the server is not known yet
    with explain_database_errors(settings):
        report = tasks().fill(settings)
    print("\n".join([*report, "To open GraphiQL at /graphql, run: ostiary serve"]))


def _reindex(arguments: argparse.Namespace) -> None:
    settings = start(arguments)
    began = time.monotonic()
    with explain_database_errors(settings):
        result = tasks().reindex(settings, _print_progress)
    print(f"rebuilt {format_count(result.rows, 'row')} of the access index in {time.monotonic() - began:.1f} s")
    if result.missing or result.surplus:
        missing = format_count(result.missing, "missing or different row")
        print(f"it was incorrect: {missing}, {format_count(result.surplus, 'surplus row')}")
    else:
        print("it was correct: no row differed")


def _print_progress(done: int, total: int) -> None:
    print(f"ostiary: {done:,} of {total:,} resources", file=sys.stderr, flush=True)


def _schema(_: argparse.Namespace) -> None:
    print(server().sdl().rstrip("\n"))


def _settings(arguments: argparse.Namespace) -> None:
    from app.config import Settings

    try:
        settings = read_settings(arguments.settings)
    except SettingsError:
        if arguments.json:
            raise
        print("The settings are invalid; the problems follow at the end. These are the defaults.\n")
        _print_settings(Settings())
        sys.stdout.flush()
        raise
    if arguments.json:
        print(json.dumps({key: info._asdict() for key, info in settings.describe().items()}, indent=2))
    else:
        _print_settings(settings)


def _print_settings(settings: "Settings") -> None:
    for key, info in settings.describe().items():
        print(f"{key} = {info.value}")
        print(f"    from {info.source}; variable {info.variable}")
        print(textwrap.indent(textwrap.fill(info.description, 84), "    "))
