"""Serve with one optimization switched off: `python -m scripts.benchmark.without NAME -- serve …`.

Each patch is applied in the server's own process, before the application is built. It leaves what the code would be
if the optimization did not exist.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import asyncpg
import uvicorn
from starlette.types import Receive, Scope, Send

from app import cli
from app.db.interface import Database
from app.db.postgresql import connection as pg
from app.db.postgresql import database as postgresql
from app.db.postgresql.connecting import CONNECT_SECONDS
from app.db.sqlite.database import SqliteDatabase
from app.graphql.documents.cache import Invalid
from app.graphql.http import request
from app.graphql.http.endpoint import GraphQLEndpoint
from app.graphql.http.messages import GraphQLAnswer
from app.http.fastpath import buffered_response
from app.http.fastpath.buffered_response import BUFFERED
from app.http.fastpath.exchange import Exchange

PLAIN = "httptools"


def _do_nothing() -> None:
    """Change nothing: two equal servers show how much of a difference is noise."""


def _parse_headers_again() -> None:
    """Parse the headers of each request, and read its credentials again."""

    def call(self: Exchange, scope: Scope, _: Receive, __: Send) -> Awaitable[None]:
        scope["extensions"] = {BUFFERED: {}}
        return self._app(scope, self.receive, self.send)

    Exchange.__call__ = call  # type: ignore[method-assign]


def _write_headers_again() -> None:
    """Build and check the header lines of each response."""
    memo = buffered_response._header_memo
    buffered_response._header_memo = memo.__wrapped__  # type: ignore[assignment]


def _parse_bodies_again() -> None:
    """Parse each body, look up its document, and coerce its variables."""

    async def post(self: GraphQLEndpoint, scope: Scope, body: bytes) -> GraphQLAnswer:
        parsed = request.from_body(body)
        self._require_few_values(parsed, len(body))
        try:
            return await self._answer(scope, parsed)
        except Invalid as invalid:
            return self._reject(invalid)

    GraphQLEndpoint._post = post  # type: ignore[method-assign]


def _read_version_each_time(self: SqliteDatabase) -> Any:
    return self._watcher_cursor.execute("PRAGMA data_version").fetchone()[0]


def _load_each_viewer() -> None:
    """Load the viewer of each request, as PostgreSQL does."""

    async def commit_version(self: SqliteDatabase) -> Any:
        return _read_version_each_time(self)

    SqliteDatabase.commit_version = commit_version  # type: ignore[method-assign]
    SqliteDatabase.cached_commit_version = Database.cached_commit_version  # type: ignore[method-assign]


def _share_no_version() -> None:
    """Read the commit version for each request, also within one pass of the event loop."""
    SqliteDatabase.cached_commit_version = _read_version_each_time  # type: ignore[method-assign]


class PublicPool:
    """The pool of asyncpg with the methods of `ConnectionPool`. A release resets nothing."""

    def __init__(self, connect: Callable[[], Awaitable[Any]], size: int) -> None:
        self._url: str = connect.__self__.url  # type: ignore[attr-defined]  # a method of the database
        self._size = size
        self._pool: Any = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def acquire(self) -> Any:
        """Acquire a connection."""
        if self._pool is None:
            self._pool = await asyncpg.create_pool(
                self._url,
                min_size=0,
                max_size=self._size,
                reset=_reset_nothing,
                command_timeout=60,
                timeout=CONNECT_SECONDS,
                connection_class=pg.PostgresConnection,
                statement_cache_size=pg.PREPARED_PER_CONNECTION,
                max_cached_statement_lifetime=0,
                server_settings=postgresql.SETTINGS,
            )
        return await self._pool.acquire()

    def release(self, connection: Any) -> None:
        """Release a connection in the background."""
        self._start(self._pool.release(connection))

    def release_after(self, connection: Any, statement: str) -> None:
        """Run a statement and release the connection, in the background."""
        self._start(self.release_settled(connection, statement))

    async def release_settled(self, connection: Any, statement: str) -> None:
        """Run a statement and release the connection."""
        try:
            await connection.execute(statement)
        finally:
            await self._pool.release(connection)

    def expire(self) -> None:
        """Close every idle connection."""
        self._start(self._pool.expire_connections())

    def stats(self) -> tuple[int, int]:
        """Return the numbers of connections in use and of idle ones."""
        idle = self._pool.get_idle_size()
        return self._pool.get_size() - idle, idle

    async def close(self) -> None:
        """Close all connections."""
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._pool.close()

    def _start(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _reset_nothing(_: Any) -> None:
    """Leave the connection as it is."""


def _use_public_pool() -> None:
    """Use the pool of asyncpg, and its cache of prepared statements: a release invalidates every one held outside."""

    async def rows(
        self: pg.PostgresConnection,
        text: str,
        arguments: Sequence[Any],
        *,
        begins: bool = False,
        condition: None = None,
    ) -> Sequence[Any]:
        is_prepared = self._prepared.get(text) is not None
        if begins and is_prepared:
            self._transport.write(self._begin)  # type: ignore[attr-defined]
        elif begins:
            await self.execute(pg.READ)
        result_rows: Sequence[Any] = await self.fetch(text, *arguments, timeout=pg.READ_SECONDS)
        if not is_prepared:
            self._prepared.put(text, True)
        return result_rows

    _authenticate_apart()
    pg.PostgresConnection.rows = rows  # type: ignore[method-assign,assignment]
    postgresql.ConnectionPool = PublicPool  # type: ignore[attr-defined,assignment]


def _authenticate_apart() -> None:
    """Authenticate each request on PostgreSQL by a read of its own."""
    postgresql.PostgresDatabase.checks_conditions = False


def _use_public_protocol() -> None:
    """Serve with uvicorn's own protocol: neither the budget of a request nor the fast path."""
    run = uvicorn.run

    def run_plain(app: Any, **options: Any) -> None:
        run(app, **(options | {"http": PLAIN}))

    uvicorn.run = run_plain


PATCHES: Mapping[str, Callable[[], None]] = {
    "nothing": _do_nothing,
    "header cache": _parse_headers_again,
    "response header cache": _write_headers_again,
    "body cache": _parse_bodies_again,
    "viewer cache": _load_each_viewer,
    "commit version": _share_no_version,
    "own pool": _use_public_pool,
    "viewer condition": _authenticate_apart,
    "protocol class": _use_public_protocol,
}


def main(argv: Sequence[str]) -> int:
    """Apply the patch and run the command; returns the exit code."""
    name, separator, *command = argv
    if separator != "--":
        raise SystemExit("usage: python -m scripts.benchmark.without NAME -- serve …")
    PATCHES[name]()
    return cli.main(command) or 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
