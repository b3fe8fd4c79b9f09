"""Fixtures of the tests of the command line."""

import pytest

from app.cli import common
from tests.conftest import NEVER_SECONDS


@pytest.fixture(autouse=True)
def _no_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the progress of long work out of standard error, so that no test depends on how long a command takes."""
    monkeypatch.setattr(common, "PROGRESS_SECONDS", NEVER_SECONDS)
