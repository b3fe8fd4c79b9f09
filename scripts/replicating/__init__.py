"""Trials of a server that reads from a replica of PostgreSQL."""
