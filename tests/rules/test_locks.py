"""Lock files name packages, versions and hashes, and no address."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PATTERNS = ("requirements*.lock", "app/**/*-lock.json", "scripts/**/*.lock", "scripts/**/*-lock.json")
LOCKS = [path.relative_to(ROOT).as_posix() for pattern in PATTERNS for path in sorted(ROOT.glob(pattern))]


def test_the_locks_of_both_languages_are_seen() -> None:
    assert {"requirements.lock", "scripts/client_checks/js/package-lock.json"} <= {*LOCKS}


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_has_no_address(name: str) -> None:
    lines = (ROOT / name).read_text().splitlines()

    assert [line for line in lines if "://" in line or '"resolved"' in line or "--index-url" in line] == []
