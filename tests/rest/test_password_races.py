"""Tests of sign-ins and password changes at the same moment: who knows the password is never told that it is wrong."""

import asyncio
import logging
from collections.abc import Awaitable
from typing import Any

import bcrypt
import pytest
from httpx import Response
from sqlalchemy import insert, select

from app import db
from app.db.tables import Role, User, UserRole, col
from app.domain.viewer import DEACTIVATED
from app.services import password_changes
from tests.support.factories import PASSWORD, Make, Person
from tests.support.other_worker import change_rows
from tests.support.rest_client import Rest

IMPORTED = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
"""A hash of another system, which the first sign-in replaces."""

NEW = ("another horse another staple", "a third horse a third staple")


def _sign_in(rest: Rest, password: str = PASSWORD) -> Awaitable[Response]:
    return rest("POST", "/users/authenticate", data={"username": "ann", "password": password})


def _change(rest: Rest, ann: Person, new: str) -> Awaitable[Response]:
    return rest("POST", "/users/changepwd", ann, data={"oldPassword": PASSWORD, "newPassword": new})


async def test_first_sign_ins_after_an_import_all_succeed(
    rest: Rest, make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    await make.user("ann", password_hash=IMPORTED)
    with caplog.at_level(logging.INFO):
        answers = await asyncio.gather(*(_sign_in(rest) for _ in range(4)))
    assert [each.status_code for each in answers] == [200] * 4
    assert "refused" not in caplog.text
    assert (await _sign_in(rest, "wrong")).status_code == 401


async def test_a_wrong_password_beside_a_first_sign_in_is_refused(rest: Rest, make: Make) -> None:
    await make.user("ann", password_hash=IMPORTED)
    answers = await asyncio.gather(_sign_in(rest), _sign_in(rest, "wrong"), _sign_in(rest))
    assert [each.status_code for each in answers] == [200, 401, 200]


async def test_a_change_beside_a_first_sign_in_is_made(rest: Rest, make: Make) -> None:
    ann = await make.user("ann", password_hash=IMPORTED)
    signed_in, changed = await asyncio.gather(_sign_in(rest), _change(rest, ann, NEW[0]))
    assert changed.status_code == 200, changed.text
    assert signed_in.status_code in {200, 401}, "401 if the change came first"
    assert [(await _sign_in(rest, each)).status_code for each in (PASSWORD, NEW[0])] == [401, 200]


async def test_of_two_changes_at_once_one_is_made_and_the_other_is_told_so(rest: Rest, make: Make) -> None:
    ann = await make.user("ann")
    answers = await asyncio.gather(*(_change(rest, ann, each) for each in NEW))
    statuses = [each.status_code for each in answers]
    assert sorted(statuses) == [200, 409], [each.text for each in answers]
    refused = answers[statuses.index(409)]
    assert "Another request has changed the password meanwhile" in refused.text
    made = NEW[statuses.index(200)]
    assert [(await _sign_in(rest, each)).status_code == 200 for each in NEW] == [each == made for each in NEW]


async def test_who_is_deactivated_while_they_change_their_password_changes_nothing(
    rest: Rest, make: Make, database: db.Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = await make.user("ann")
    hash_new_password = password_changes.hash_new_password

    async def deactivating(*arguments: Any) -> str:
        role = select(col(Role.id)).where(col(Role.name_key) == DEACTIVATED).scalar_subquery()
        await change_rows(database, insert(UserRole).values(user_id=ann.id, role_id=role))
        return await hash_new_password(*arguments)

    monkeypatch.setattr(password_changes, "hash_new_password", deactivating)
    before = await database.ask(select(col(User.password_hash)), freshness=db.Freshness.PRIMARY)
    assert (await _change(rest, ann, NEW[0])).status_code == 401
    assert await database.ask(select(col(User.password_hash)), freshness=db.Freshness.PRIMARY) == before
