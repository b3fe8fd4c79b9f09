"""The name of this program for the database server, in a context variable: PostgreSQL shows it in pg_stat_activity."""

from contextvars import ContextVar

program_name: ContextVar[str] = ContextVar("program_name", default="ostiary")
"""A name such as `ostiary migrate`, or `ostiary worker 4711` with the number of the process."""
