"""Checks that run clients and code generators against the schema, the OpenAPI description and a server."""
