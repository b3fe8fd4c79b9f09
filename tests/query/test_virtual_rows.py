"""Tests that a page of access subjects is the same whether candidates fill it or all rows are computed."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import product
from random import Random
from typing import Any

import pytest

from app import db
from app.db import Freshness
from app.db.statements import CompiledStatement, compile_statement
from app.db.tables import User
from app.domain import resource_roles
from app.domain.resource_roles import MemberLevel
from app.domain.viewer import Permission, Viewer
from app.policy import access_subjects
from app.query import virtual_rows
from app.query.pagination import ListQuery, QueryShape
from app.query.relations import FieldSpec, layout
from app.query.sql import page
from app.services import read_graph
from tests.support.factories import Make

ORDER = (("user_name", False),)
DOWN = (("user_name", True),)
FILTERS: tuple[QueryShape, ...] = ((), ("and", ("role", ("has", "mask"))))
COLUMNS = {"mask": "mask", "kind": "kind", "user": '"user"', "whole": "whole"}
LAYOUT = layout(User, **{name: FieldSpec(sql=virtual_rows.virtual_column(column)) for name, column in COLUMNS.items()})
VIEWERS = {
    "sees everybody": Permission.USERS_VIEW | Permission.GROUPS_VIEW | Permission.ORGS_MANAGE,
    "sees the members of some": Permission.NONE,
}
USERS = 60


async def _world(make: Make) -> tuple[int, list[int]]:
    """Create users with access by every way, some by several; one resource is granted to most of them, one to few."""
    random, now = Random(211), make.app.database.clock()
    users = [await make.user() for _ in range(USERS)]
    viewer, org = users[0], await make.org(owner=random.choice(users))
    groups = [await make.group(None, *random.sample(users, number)) for number in (40, 25, 5, 0)]
    groups.append(await make.group(None, viewer, *random.sample(users[1:], 30)))
    for user in random.sample(users, 12):
        await make.member(org, user, random.choice([*MemberLevel]))
    resources = []
    for at in range(3):
        general = random.choice([None, resource_roles.METADATA_READ])
        resource = await make.resource(org, general=general, owner=users[at + 1] if at else None)
        subjects: list[Any] = [groups, groups[2:4], []][at] + random.sample(users, 4)
        for subject in subjects:
            end = random.choice([None, None, now, now + timedelta(1)])
            await make.grant(resource, subject, random.choice([1, 4, 8, 16]), end)
        resources.append(resource.id)
    return viewer.id, resources


def _compile(database: db.Database, viewer: Viewer, query: ListQuery, *, tries: bool) -> CompiledStatement:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(access_subjects, "MANY", 1 if tries else 10**9)
        patch.setattr(virtual_rows, "CANDIDATES", 2)
        statement = page(read_graph.accessors, LAYOUT, viewer, query, database.dialect)
        return compile_statement(statement, database.dialect)


async def _walk(
    database: db.Database, viewer: Viewer, statements: Sequence[CompiledStatement], keys: list[int], size: int
) -> list[Any]:
    """Return the pages of some resources at once, or all pages of one."""
    pages, (first, later) = list[Any](), statements
    values = {**viewer.bind_values, "now": database.clock(), "mask": 4, "keys": keys}
    while True:
        statement = later if pages else first
        (rows,) = await database.read([(statement, values | {"limit": size + 1})], freshness=Freshness.PRIMARY)
        pages.append([tuple(row) for row in rows])
        if len(keys) > 1 or len(rows) <= size:
            return pages
        values |= {f"a{at}": value for at, value in enumerate(rows[size - 1][4:6])}


@pytest.mark.parametrize("name", VIEWERS)
async def test_candidates_give_the_same_pages(make: Make, database: db.Database, name: str) -> None:
    viewer_id, resources = await _world(make)
    viewer, rows = Viewer(viewer_id, VIEWERS[name]), 0
    for order, roles, backward in product((ORDER, DOWN), FILTERS, (False, True)):
        queries = [ListQuery(order, roles, after, backward) for after in (False, True)]
        tried, whole = ([_compile(database, viewer, each, tries=tries) for each in queries] for tries in (True, False))
        for keys, size in product([[key] for key in resources] + [resources], (3, 25)):
            pages = await _walk(database, viewer, tried, keys, size)
            assert pages == await _walk(database, viewer, whole, keys, size)
            rows += sum(map(len, pages))
    assert rows > 500
