"""Claims about addresses that move from one user to another in one document, in one transaction or in many."""

from collections.abc import Mapping

import pytest

from app import db
from app.services.state import applying
from tests.services.state.documents import applied, exported, planned

NUMBER = 6


@pytest.fixture(params=[(1_000, 2_000), (2, 2)], ids=["one transaction", "batches"], autouse=True)
def _sizes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(applying, "BATCH", request.param[0])
    monkeypatch.setattr(applying, "ONE_TRANSACTION", request.param[1])


def _document(emails: Mapping[str, int | None]) -> str:
    lines = [
        f"  - {{userName: {name}, email: {'null' if at is None else f'u{at}@example.org'}}}"
        for name, at in emails.items()
    ]
    return "\n".join(["version: 1", "users:", "  - {userName: root, roles: [admin]}", *lines, ""])


BEFORE = {f"user{at}": at for at in range(NUMBER)}
AFTER: dict[str, tuple[dict[str, int | None], bool]] = {
    "exchanged": ({f"user{at}": NUMBER - 1 - at for at in range(NUMBER)}, False),
    "turned": ({f"user{at}": (at + 1) % NUMBER for at in range(NUMBER)}, False),
    "of users who are renamed": ({f"new{at}": at for at in range(NUMBER)}, True),
    "given by one to another": ({**BEFORE, "user0": None, "user5": 0}, False),
}


@pytest.mark.parametrize("case", AFTER)
async def test_addresses_move(own_db: db.Database, case: str) -> None:
    emails, prunes = AFTER[case]
    await applied(own_db, _document(BEFORE))

    await applied(own_db, _document(emails), prune=prunes)

    assert (await planned(own_db, _document(emails), prune=prunes)).changes == []
    text = await exported(own_db)
    for name, at in emails.items():
        assert name in text
        assert at is None or f"u{at}@example.org" in text
