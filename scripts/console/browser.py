"""The browser for the tests, the pictures and the benchmark of the web console."""

import os
import shutil

NAMES = ("chromium", "chromium-browser", "google-chrome")


def find() -> str:
    """Return the program that CHROMIUM names, or else the first Chromium in PATH; empty if there is none."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), "")
