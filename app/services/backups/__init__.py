"""Backups of the database and its secret: made by a command or by the server itself, and restored."""
