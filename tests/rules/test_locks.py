"""Lock files name packages, versions and hashes, and no address."""

from pathlib import Path

import pytest

from tests.support.sources import files

ROOT = Path(__file__).parents[2]
FILES = [*sorted(ROOT.glob("*.lock")), *files(ROOT / "app"), *files(ROOT / "scripts")]
LOCKS = [path.relative_to(ROOT).as_posix() for path in FILES if path.name.endswith((".lock", "-lock.json"))]


def test_the_locks_of_both_languages_are_seen() -> None:
    assert {"requirements.lock", "scripts/client_checks/js/package-lock.json", "scripts/node.lock"} <= {*LOCKS}


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_has_no_address(name: str) -> None:
    lines = (ROOT / name).read_text().splitlines()

    assert [line for line in lines if "://" in line or '"resolved"' in line or "--index-url" in line] == []
