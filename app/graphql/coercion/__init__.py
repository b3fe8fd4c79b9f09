"""Coercion of variables, arguments and literals."""
