"""Logs, metrics and the statistics of each request, for operators of a running server."""
