"""Trials of a server behind PgBouncer, in session and in transaction mode."""
