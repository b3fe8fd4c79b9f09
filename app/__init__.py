"""Ostiary, an access server for data registries."""

import importlib.metadata

try:
    __version__ = importlib.metadata.version("ostiary")
except importlib.metadata.PackageNotFoundError:
    __version__ = "(not installed)"
