"""A change of a viewer takes effect with the next request, although servers remember viewers between requests."""

from collections.abc import Callable
from datetime import timedelta
from json import dumps
from typing import Any, NamedTuple

import pytest
from sqlalchemy import Executable, delete, insert, select, update

from app import db
from app.db import tables
from app.db.tables import col
from app.domain.viewer import Permission
from app.observability import request_stats
from app.security import authentication
from app.security.session_tokens import new_generation
from app.services import audit
from tests.support.client import Api, codes
from tests.support.factories import Make, Person


class Scene(NamedTuple):
    """A user with a role, and another role."""

    person: Person
    other_role: int
    jti: str
    later: Any


_WHO = "{ viewer { user { userName } permissions apiToken { name } } }"
_NO_READ = "{ __typename }"
_COUNT = "{ users { totalCount } auditEvents { totalCount } }"
_DEEP = "{ users(first: 1) { nodes { userName roles { name createdBy { userName } } } } }"
_REFUSED = '{ user(userName: "nobody") { userName } role(name: "nobody") { name } }'
_INVALID = "{ users { nodes { userNaem } } }"
_CHANGE = 'mutation { createOrg(input: {slug: "a b", name: "x"}) { org { slug } errors { code message } } }'
_INEXACT = "query ($name: String!) { user(userName: $name) { userName } }"
QUERIES = (_INEXACT, _WHO, _NO_READ, _COUNT, _DEEP, _REFUSED, _INVALID, _CHANGE)

Change = Callable[[Scene], Executable]


def _of_user(scene: Scene, **values: Any) -> Executable:
    return update(tables.User).where(col(tables.User.id) == scene.person.id).values(**values)


def _of_token(scene: Scene, **values: Any) -> Executable:
    return update(tables.ApiToken).where(col(tables.ApiToken.user_id) == scene.person.id).values(**values)


def _role_id(key: str) -> Any:
    return select(col(tables.Role.id)).where(col(tables.Role.name_key) == key).scalar_subquery()


def _assign(scene: Scene, role: Any) -> Executable:
    return insert(tables.UserRole).values(user_id=scene.person.id, role_id=role)


CHANGES: dict[str, Change] = {
    "nothing": lambda scene: _of_user(scene, display_name="Ann"),
    "roles have other permissions": lambda _: update(tables.Role).values(permissions=Permission.USERS_VIEW.value),
    "a role is assigned": lambda scene: _assign(scene, scene.other_role),
    "all roles are taken": lambda scene: delete(tables.UserRole).where(col(tables.UserRole.user_id) == scene.person.id),
    "deactivated": lambda scene: _assign(scene, _role_id("deactivated")),
    "deleted": lambda scene: delete(tables.User).where(col(tables.User.id) == scene.person.id),
    "signed out everywhere": lambda scene: _of_user(scene, token_generation=new_generation()),
    "another account of the same id": lambda scene: _of_user(scene, user_key="ben", account_key=None),
    "renamed": lambda scene: _of_user(scene, user_name="annie", user_key="annie", account_key="ann"),
    "signed out": lambda scene: insert(tables.RevokedToken).values(jti=scene.jti, expires_at=scene.later),
    "the API token is revoked": lambda scene: delete(tables.ApiToken).where(
        col(tables.ApiToken.user_id) == scene.person.id
    ),
    "the API token has fewer permissions": lambda scene: _of_token(scene, permissions=0),
    "the API token is limited": lambda scene: _of_token(scene, is_limited=True),
    "the API token ends later": lambda scene: _of_token(scene, expires_at=scene.later),
}


@pytest.mark.parametrize("credential", ["session", "api token"])
@pytest.mark.parametrize("change", CHANGES)
async def test_a_request_after_a_change_is_answered_as_if_no_viewer_was_remembered(
    api: Api, make: Make, own_db: db.Database, backend: str, change: str, credential: str
) -> None:
    await make.role("first", Permission.USERS_VIEW | Permission.AUDIT_VIEW)
    other = await make.role("other", Permission.ROLES_MANAGE)
    ann = await make.user("ann", "first")
    session, (api_token, _) = api.token(ann), await make.api_token(ann, Permission.USERS_VIEW | Permission.ROLES_MANAGE)
    claims = make.app.signer.read(session, make.app.database.clock())
    assert claims is not None
    scene = Scene(ann, other, claims.jti or "", make.app.database.clock() + timedelta(hours=1))
    token = session if credential == "session" else api_token
    before = [[await _answer(api, query, token) for query in QUERIES] for _ in range(3)]
    assert before[1] == before[2]
    remembered = _remembered(make).copy()
    assert len(remembered) == (backend == "postgresql")

    async with own_db.write() as tx:
        await tx.rows(CHANGES[change](scene))

    after, expected = [], []
    for query in QUERIES:
        _remembered(make).update(remembered)
        after.append(await _answer(api, query, token))
    for query in QUERIES:
        make.app.database.caches.clear()
        expected.append(await _answer(api, query, token))
    assert after == expected


def _remembered(make: Make) -> dict[Any, Any]:
    """Return the entries of the cache of viewers that are valid under a condition."""
    viewers = make.app.database.caches.get(authentication._CONDITIONAL_VIEWERS)
    return {} if viewers is None else viewers._entries


async def _answer(api: Api, query: str, token: str) -> tuple[int, Any]:
    if query == _INEXACT:
        headers = {**api.headers(token), "content-type": "application/json"}
        body = f'{{"query": {dumps(query)}, "variables": {{"name": "nobody", "name": "nobody else"}}}}'
        response = await api.client.post("/graphql", content=body, headers=headers)
    else:
        response = await api.post(query, token)
    reply = response.json()
    for error in reply.get("errors", ()):
        error["extensions"].pop("requestId", None)
    return response.status_code, reply


async def test_a_change_of_a_remembered_viewer_knows_who_makes_it(
    api: Api, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The queue of password hashes has a turn for each account, and the log of a stopped change has its viewer."""
    viewers, transaction = [], audit.transaction
    root = await make.admin()

    def noted(*args: Any, **options: Any) -> Any:
        viewers.append(request_stats.current_request().viewer)
        return transaction(*args, **options)

    monkeypatch.setattr(audit, "transaction", noted)
    token = api.token(root)
    for name in ("first", "second", "third"):
        query = "mutation ($slug: String!) { createOrg(input: {slug: $slug, name: $slug}) { errors { code } } }"
        assert codes(await api(query, token, slug=name)) == []

    assert viewers == [root.id] * 3


async def test_a_remembered_viewer_is_not_authenticated_by_a_read_of_their_own(
    api: Api, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads, authenticate = [0], authentication.authenticate
    token = api.token(await make.admin())
    for query in (_WHO, _DEEP):
        for _ in range(2):  # the second one compiles the plan
            await api.post(query, token)

    async def counted(*args: Any, **options: Any) -> Any:
        reads[0] += 1
        return await authenticate(*args, **options)

    monkeypatch.setattr(authentication, "authenticate", counted)
    for query in (_WHO, _DEEP):
        assert (await api.post(query, token)).status_code == 200

    assert reads == [0]
