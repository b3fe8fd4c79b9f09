"""Bulk mutations, by the entity that they change."""
