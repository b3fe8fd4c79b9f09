"""Connections to PostgreSQL by the URL of the settings. No other module connects."""

import os
import ssl
from collections.abc import Mapping
from typing import Any

import asyncpg

from app.config import postgres_url
from app.config.postgres_url import PostgresUrl
from app.domain.errors import SettingsError
from app.domain.program import program_name

CONNECT_SECONDS = 5.0
"""Timeout of a connection attempt to one host, and of a cancellation; `connect_timeout` in the URL replaces it."""

_UNKNOWN = (asyncpg.UndefinedObjectError, asyncpg.InvalidParameterValueError, asyncpg.CantChangeRuntimeParamError)
"""Errors of a server that refuses a parameter of the URL."""


class PoolerInBetween(ConnectionError):
    """A pooler is in between, which would give the settings of this session to others."""


async def connect(
    url: str, *, settings: Mapping[str, str] | None = None, statements_cached: int = 0, **options: Any
) -> Any:
    """Connect, by default without named prepared statements, which a pooler may not keep.

    `settings` are those of the session. Raises SettingsError for a parameter of the URL that the server refuses.
    """
    parsed = postgres_url.parse(url)
    session = dict(settings or {})
    if parsed.application_name is None:
        session["application_name"] = os.environ.get("PGAPPNAME") or program_name.get()
    if parsed.has_several_hosts and not parsed.has_target:
        options["target_session_attrs"] = "primary"  # a standby serves no change
    if parsed.uses_system_roots:
        options["ssl"] = _system_tls(parsed)
    try:
        return await asyncpg.connect(
            parsed.dsn,
            timeout=parsed.timeout or CONNECT_SECONDS,
            statement_cache_size=statements_cached,
            server_settings=session,
            **options,
        )
    except _UNKNOWN as error:
        raise SettingsError(f"the URL of the database has a parameter that the server refuses: {error}") from None


async def connect_directly(url: str) -> Any:
    """Connect for work that changes settings of the session. Raises PoolerInBetween."""
    connection = await connect(url)
    if not await is_direct(connection):
        await connection.close()
        raise PoolerInBetween(
            "the URL leads to a connection pooler, whose other clients would get the settings of this command: "
            "use the URL of the database server itself"
        )
    return connection


async def is_direct(connection: Any) -> bool:
    """Return whether the process that serves this connection is the one that the server named when it began.

    A pooler, such as PgBouncer, names one of its own. The simple protocol leaves no prepared statement with it.
    """
    status = await connection.execute(f"SELECT 1 WHERE pg_backend_pid() = {int(connection.get_server_pid())}")
    return bool(status == "SELECT 1")


def _system_tls(parsed: PostgresUrl) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if parsed.client_certificate is not None:
        context.load_cert_chain(*parsed.client_certificate)
    return context
