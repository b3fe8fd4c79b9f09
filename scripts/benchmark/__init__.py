"""Measures a real server over HTTP on worlds of a given size: `scripts/bench --help`."""
