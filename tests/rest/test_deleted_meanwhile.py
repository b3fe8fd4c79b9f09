"""Claims about objects that another request deletes between two reads of one call: an error that says so, never 500."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import delete

from app import db
from app.db.tables import User, col
from app.query.reader import ListReader
from tests.support.factories import Make
from tests.support.rest_client import Rest

Delete = Callable[[], Awaitable[None]]


@pytest.fixture
def before_read(monkeypatch: pytest.MonkeyPatch, second_db: db.Database) -> Callable[[str, Any, int], None]:
    """Delete a row by another connection before the first call of a method of the reader."""

    def install(name: str, table: Any, key: int) -> None:
        read = getattr(ListReader, name)

        async def late(*arguments: Any, **values: Any) -> Any:
            monkeypatch.setattr(ListReader, name, read)
            async with second_db.write() as tx:
                await tx.rows(delete(table).where(col(table.id) == key))
            return await read(*arguments, **values)

        monkeypatch.setattr(ListReader, name, late)

    return install


@pytest.mark.parametrize(("path", "method"), [("/users/storage", "related"), ("/users/meta", "one")])
async def test_a_viewer_who_is_gone_has_to_sign_in(
    rest: Rest, make: Make, before_read: Callable[[str, Any, int], None], path: str, method: str
) -> None:
    ann = await make.user("ann")
    before_read(method, User, ann.id)
    assert (await rest("GET", path, ann)).status_code == 401


async def test_another_user_who_is_gone_is_not_found(
    rest: Rest, make: Make, before_read: Callable[[str, Any, int], None]
) -> None:
    root, ann = await make.admin(), await make.user("ann")
    before_read("related", User, ann.id)
    assert (await rest("GET", "/users/ann/storage", root)).status_code == 400
    assert (await rest("GET", "/users/ann/storage", root)).status_code == 400


async def test_a_list_leaves_out_who_is_gone(
    rest: Rest, make: Make, before_read: Callable[[str, Any, int], None]
) -> None:
    root, ann = await make.admin(), await make.user("ann")
    before_read("related", User, ann.id)
    reply = await rest("GET", "/users/detailed", root)
    assert reply.status_code == 200
    assert "ann" not in {user["userName"] for user in reply.json()}


async def test_a_change_whose_object_is_gone_was_made(rest: Rest, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    root = await make.admin()

    async def gone(*_: Any, **__: Any) -> None:
        return None

    monkeypatch.setattr(ListReader, "one", gone)
    user = await rest("POST", "/users", root, json={"userName": "zoe", "password": "correct horse battery"})
    monkeypatch.undo()
    assert user.status_code == 500
    assert "The change was made" in user.text
