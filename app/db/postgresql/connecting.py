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
        raise SettingsError(f"DatabaseUrl has a parameter that the server refuses: {error}") from None


def _system_tls(parsed: PostgresUrl) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if parsed.client_certificate is not None:
        context.load_cert_chain(*parsed.client_certificate)
    return context
