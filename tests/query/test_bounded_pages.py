"""Tests that a bounded page has the rows of an unbounded one, for viewers with many subjects."""

from datetime import timedelta
from itertools import product
from random import Random
from typing import Any

import pytest

from app import db
from app.db import Freshness
from app.db.statements import compile_statement
from app.domain import resource_roles
from app.domain.viewer import Viewer
from app.query import index_scan
from app.query.pagination import ListQuery, QueryShape
from app.query.relations import Layout
from app.query.sql import page
from app.services import read_graph
from tests.support.factories import Make, Person

RELATION = read_graph.resources
ORDERS: list[tuple[tuple[str, bool], ...]] = [
    *(((name, down),) for name in ("name", "created_at", "updated_at") for down in (False, True)),
    (("name", False), ("created_at", True)),
]
FILTERS: tuple[QueryShape, ...] = ((), ("and", ("viewer_role", ("has", "mask"))))
GROUPS, RESOURCES = 24, 120
NAMES = ("Corals", "Glacier", "a", "zz", "Ünal", "\U0010ffff" * 3, "Æther")
VIEWER = Viewer(None)


async def _world(make: Make) -> Person:
    """Create a user in many groups, of which some have many resources and some none; names and times repeat."""
    random, user = Random(18), await make.user()
    org, now = await make.org(), make.app.database.clock()
    groups = [await make.group(None, user) for _ in range(GROUPS)]
    for _ in range(RESOURCES):
        name = random.choice(["Corals", "Glacier", "a", "zz", "Ünal", "\U0010ffff" * 3, "Æther"]) + random.choice(
            "  123"
        )
        moment = now - timedelta(days=random.randrange(20))
        columns: dict[str, Any] = {"name": name, "name_key": db.tables.sort_key(name)}
        columns |= {"created_at": moment, "updated_at": moment + timedelta(hours=random.randrange(3))}
        general = random.choice([None, None, None, resource_roles.METADATA_READ])
        resource = await make.resource(org, general=general, **columns)
        for group in random.sample(groups[random.choice([0, 0, 12]) :], random.choice([0, 1, 1, 2, 5])):
            await make.grant(resource, group, random.choice([1, 5, 16]), random.choice([None, now, now + timedelta(1)]))
    return user


async def _walk(database: db.Database, user: Person, query: ListQuery, size: int, *, bounded: bool) -> list[Any]:
    """Return the pages of a list, each with the order values and keys of its rows."""
    pages: list[Any] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(index_scan, "MANY_SUBJECTS", 1 if bounded else 10**6)
        first, after = (
            compile_statement(page(RELATION, Layout(()), VIEWER, each, database.dialect), database.dialect)
            for each in (query, ListQuery(query.order, query.filter, True, query.backward))
        )
    assert "leading" in first.text
    values: dict[str, Any] = {"viewer_id": user.id, "token_id": None, "now": database.clock(), "mask": 1}
    while True:
        statement = after if pages else first
        (rows,) = await database.read([(statement, values | {"limit": size + 1})], freshness=Freshness.PRIMARY)
        pages.append([tuple(row[:-1]) for row in rows])
        if len(rows) <= size:
            return pages
        values |= {f"a{at}": value for at, value in enumerate(rows[size - 1][:-1])}


async def test_a_bounded_page_has_the_same_rows(make: Make, database: db.Database) -> None:
    user = await _world(make)
    for order, roles, backward in product(ORDERS, FILTERS, (False, True)):
        query = ListQuery(order, roles, False, backward)
        for size in (3, 40, 500):
            pages = await _walk(database, user, query, size, bounded=True)
            assert pages == await _walk(database, user, query, size, bounded=False)
            assert sum(map(len, pages)) > RESOURCES // 3


def test_a_filter_by_columns_of_the_table_has_no_bound(database: db.Database) -> None:
    query = ListQuery(ORDERS[0], ("and", ("type", ("eq", "f0"))))
    statement = compile_statement(page(RELATION, Layout(()), VIEWER, query, database.dialect), database.dialect)
    assert "leading" not in statement.text
