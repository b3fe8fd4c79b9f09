"""Copies of a large registry from SQLite to PostgreSQL and back, tried from outside."""
