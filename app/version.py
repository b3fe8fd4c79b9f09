"""Which version this is."""

import importlib.metadata


def version() -> str:
    """As the package says it; a checkout that is not installed has none."""
    try:
        return importlib.metadata.version("ostiary")
    except importlib.metadata.PackageNotFoundError:
        return "(not installed)"
