"""Tests of the query plans, and that a statement never depends on the id of the viewer."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Boolean, Column, Dialect, Integer
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql import asyncpg as postgresql
from sqlalchemy.sql.selectable import SelectBase
from sqlalchemy.sql.util import find_tables

from app.db import statements as prepared
from app.db import tables
from app.domain.viewer import ALL_PERMISSIONS, Permission, Viewer
from app.graphql.schema import core
from app.graphql.schema.connections import page_layout
from app.graphql.schema.fields import NODE_TYPES, EntityType
from app.graphql.schema.instances import field_specs, field_type, layout
from app.query import sql
from app.query.pagination import ListQuery
from app.query.relations import Layout, Relation
from app.rest import datasets, orgs
from app.services import read_graph
from tests.support.client import Api
from tests.support.factories import Make

SOURCES = {name: value for name, value in vars(read_graph).items() if isinstance(value, Relation)}
POSTGRES: Any = postgresql.dialect
DIALECTS: dict[str, Dialect] = {"sqlite": sqlite.dialect(paramstyle="qmark"), "postgresql": POSTGRES()}
LOOKED_AT = (Permission.USERS_VIEW, Permission.ORGS_MANAGE, Permission.GROUPS_MANAGE, Permission.RESOURCES_MANAGE)
"""The permissions that a condition looks at."""

MASKS = [Permission.NONE, ALL_PERMISSIONS, *LOOKED_AT]
ABSENCE = ("is_null", "is_not_null")
OPERATORS = {
    "str": ("eq", "in", "starts_with", "contains", *ABSENCE),
    "datetime": ("gt", "gte", "lt", "lte", *ABSENCE),
    "int": ("eq", "gt", "gte", "lt", "lte"),
    "id": ("eq", "in"),
    "words": ("contains", "contains"),
    "one": ("eq",),
}


def _layouts() -> dict[Relation, Layout]:
    """Return the layout that the schema reads for each relation."""
    kinds = [kind.extensions.get("strawberry-definition") for kind in core().type_map.values()]
    origins = [getattr(kind, "origin", None) for kind in kinds]
    entity_types: list[Any] = [each for each in origins if isinstance(each, type) and issubclass(each, EntityType)]
    layouts: dict[Relation, Layout] = {}
    for entity_type, name, spec in [
        (each, name, spec) for each in entity_types for name, spec in field_specs(each).items()
    ]:
        if spec.follow is not None:
            led: Any = field_type(entity_type, name)
            layouts[spec.follow] = page_layout(led, spec.follow) if spec.follow.kind == "page" else layout(led)
        if spec.lookup is not None:
            lead: Any = field_type(entity_type, name)
            layouts |= {each: layout(NODE_TYPES.get(key, lead)) for key, each in spec.lookup.relations.items()}
    return layouts


READ_BY_REST = {
    read_graph.my_orgs: orgs.ORG,
    read_graph.public_orgs: orgs.CELLS,
    read_graph.org_datasets: datasets.CELLS,
    read_graph.dataset_at: datasets.CELLS,
    read_graph.dataset_by_id: datasets.CELLS,
}
"""Sources that the other API reads whole."""

LAYOUTS = _layouts() | READ_BY_REST


@pytest.mark.parametrize("name", sorted(SOURCES))
@pytest.mark.parametrize("dialect", DIALECTS.values(), ids=DIALECTS)
def test_viewers_with_equal_permissions_share_one_statement(name: str, dialect: Dialect) -> None:
    source = SOURCES[name]
    for mask, ask in product(MASKS, _asks(source)):
        texts = [_built(source, Viewer(user_id, mask, jti), ask, dialect) for user_id, jti in ((7, "a"), (None, None))]

        assert texts[0] == texts[1]


def test_there_is_a_layout_for_every_source() -> None:
    assert {name for name, source in SOURCES.items() if source not in LAYOUTS} == set()


@pytest.mark.parametrize("name", sorted(SOURCES))
def test_all_cells_of_a_source_are_of_tables_that_it_reads(name: str) -> None:
    """A part of another table is joined: the database would else combine each row with all of that table's."""
    source, viewer = SOURCES[name], Viewer(7)
    read = find_tables(source.rows(viewer), include_joins=True, include_aliases=True)
    cells = [spec.expression(name, table, viewer) for name, spec, table in LAYOUTS[source].fields if not spec.part]

    assert {table for cell in cells for table in _tables_of_columns(cell)} <= set(read)


def _tables_of_columns(expression: Any) -> Iterator[Any]:
    """Yield the table of each column outside of subqueries, which name their tables themselves."""
    if isinstance(expression, Column):
        yield expression.table
    if not isinstance(expression, SelectBase):
        for part in expression.get_children():
            yield from _tables_of_columns(part)


def _whole_or_below(source: Relation, cells: Layout, viewer: Viewer, dialect: Dialect) -> Any:
    if source.by is None:
        return sql.all_rows(source, cells, viewer)
    return sql.by_keys(source, cells, viewer, dialect)


def _built(source: Relation, viewer: Viewer, ask: ListQuery, dialect: Dialect) -> list[Any]:
    """Text and constants of everything that is built for a source."""
    cells: Layout = LAYOUTS[source]
    if source.kind == "page":
        built = [sql.page(source, cells, viewer, ask, dialect), sql.count(source, viewer, ask, dialect)]
        if source in READ_BY_REST:
            built.append(_whole_or_below(source, cells, viewer, dialect))
    else:
        built = [sql.by_keys(source, cells, viewer, dialect), sql.by_key(source, cells, viewer)]
    compiled = [prepared.compile_statement(each, dialect) for each in built]
    return [(each.text, each.names, [each.constants.get(name) for name in each.names]) for each in compiled]


def _asks(source: Relation) -> Iterator[ListQuery]:
    yield ListQuery(source.default_order)
    if source.kind != "page":
        return
    mixed = tuple((name, at % 2 == 0) for at, name in enumerate(source.orders))
    terms = _every_filter(source)
    yield ListQuery(mixed, ("and", *terms), after=True, backward=True)
    if source.virtual_rows is None:
        yield ListQuery(mixed, ("and", ("or", *terms), ("not", ("and", *terms))), after=True)


def _every_filter(source: Relation) -> list[tuple[Any, ...]]:
    """Everything that the list can be filtered by, by all operators."""
    return [
        (name, *((operator, f"f{at}{number}") for number, operator in enumerate(_operators(each))))
        for at, (name, each) in enumerate(source.filters.items())
    ]


def _operators(condition: Any) -> list[str]:
    is_elsewhere = condition.within is not None and condition.absent is None  # such a value is never missing
    return [each for each in OPERATORS[_compared(condition)] if not (is_elsewhere and each in ABSENCE)]


def _compared(condition: Any) -> str:
    if condition.bits or condition.searches or condition.node:
        return "one" if condition.bits else "words" if condition.searches else "id"
    column = (
        condition.sql(Viewer(None)) if callable(condition.sql) and not hasattr(condition.sql, "type") else condition.sql
    )
    kinds = {tables.UTCDateTime: "datetime", Boolean: "one", Integer: "int"}
    return next((name for kind, name in kinds.items() if isinstance(column.type, kind)), "str")


QUESTIONS = [
    "{ users(first: 100) { nodes { userName email roles { name } } } }",
    "{ users(first: 100) { totalCount edges { cursor node { id } } nodes { metadata } pageInfo { endCursor } } }",
    "{ users(first: 100) { nodes { userName storage { quotaBytes usedBytes } } } }",
    '{ users(first: 100, filter: {roleName: {eq: "user"}}, orderBy: {field: CREATED_AT}) { nodes { lastLoginAt } } }',
]
DEEP = "{ users(first: 9) { nodes { roles { users(first: 9) { totalCount nodes { roles { name } } } } } } }"


@pytest.mark.parametrize("question", [*QUESTIONS, DEEP])
async def test_a_hundred_users_cost_no_more_statements_than_one(api: Api, make: Make, question: str) -> None:
    root = await make.user("root", "admin", "user")
    one = await api.statements(question, as_=root)

    await make.users([f"user{number}" for number in range(99)], ["user"])

    assert await api.statements(question, as_=root) == one


@pytest.mark.parametrize("question", QUESTIONS)
async def test_every_viewer_costs_the_same_number_of_statements(api: Api, make: Make, question: str) -> None:
    await make.role("lookers", Permission.USERS_VIEW)
    await make.role("makers", Permission.USERS_MANAGE)
    people = [
        await make.user(f"p{at}", "user", *roles) for at, roles in enumerate([(), ["lookers"], ["makers"], ["admin"]])
    ]

    costs = [await api.statements(question, as_=person) for person in people]

    assert len(set(costs)) == 1, costs
    assert await api.statements(question) < costs[0], "nobody has no token to look up"


@pytest.mark.usefixtures("nothing_cached")
async def test_two_ways_to_the_same_kind_of_rows_cost_the_same_every_time(api: Api, make: Make) -> None:
    """Which of the two first steps is answered sooner must not decide what is read together."""
    question = "{ viewer { user { roles { name } } } users(first: 100) { nodes { roles { name } } } }"
    await make.users([f"user{number}" for number in range(99)], ["user"])
    root = await make.admin()

    assert len({await api.statements(question, as_=root) for _ in range(20)}) == 1


async def test_what_is_hidden_costs_nothing(api: Api, make: Make) -> None:
    plain, root = await make.user("plain", "user"), await make.admin()

    assert await api.statements(DEEP, as_=plain) < await api.statements(DEEP, as_=root)


@pytest.mark.parametrize(
    ("question", "number"),
    [
        ("{ __typename }", 1),
        ("{ viewer { permissions } permissions { permission } }", 1),
        ("{ users { __typename } }", 1),
        ("{ users { totalCount } }", 2),
        ("{ a: users { nodes { id } pageInfo { endCursor } } }", 2),
        ("{ users { nodes { userName email roles { name } } } }", 3),
    ],
)
async def test_only_what_is_asked_for_is_read(api: Api, make: Make, question: str, number: int) -> None:
    assert await api.statements(question, as_=await make.user("root", "admin")) == number


WALKS = [
    ("users", ListQuery((("user_name", False),))),
    ("users", ListQuery((("user_name", False),), after=True)),
    ("users", ListQuery((("user_name", True),), after=True, backward=True)),
    ("users", ListQuery((("created_at", True),), after=True)),
    ("users", ListQuery((("last_login_at", False),))),
    ("users", ListQuery((("last_login_at", True),), after=True)),
    ("users", ListQuery((("last_login_at", True),), after=True, backward=True)),
    ("roles", ListQuery((("name", False),), after=True)),
    ("audit_events", ListQuery((("created_at", True),))),
    ("audit_events", ListQuery((("created_at", True),), after=True)),
    ("audit_events", ListQuery((("created_at", False),), after=True)),
]


@pytest.fixture
def explaining(sqlite_template: Path) -> Iterator[sqlite3.Connection]:
    """A migrated file; how SQLite reads it does not depend on what is in it until ANALYZE runs."""
    with closing(sqlite3.connect(sqlite_template)) as connection:
        yield connection


@pytest.mark.parametrize(("name", "ask"), WALKS)
def test_a_page_walks_an_index(explaining: sqlite3.Connection, name: str, ask: ListQuery) -> None:
    """Nothing is sorted, and behind a cursor nothing is passed over. A cell can read other tables by their indexes."""
    plan = _plan(explaining, SOURCES[name], ask)

    assert not any("TEMP B-TREE" in step for step in plan)
    assert not any(step.startswith("SCAN") for step in plan[1:])
    if name == "audit_events":  # by its number, which ends at the last settled event
        assert plan[0].startswith("SEARCH audit_events USING INTEGER PRIMARY KEY")
        return
    assert re.match(f"{'SEARCH' if ask.after else 'SCAN'} {name} USING INDEX", plan[0])


@pytest.mark.parametrize(("order", "index"), [("name", "name_key"), *((at, at) for at in ("created_at", "updated_at"))])
def test_a_viewer_of_all_resources_reads_them_along_an_index(
    explaining: sqlite3.Connection, order: str, index: str
) -> None:
    plan = _plan(explaining, SOURCES["resources"], ListQuery(((order, True),), after=True, backward=True))

    assert plan[0].startswith(f"SEARCH resources USING INDEX ix_resources_{index}_id")
    assert not any("access" in line or "TEMP B-TREE" in line for line in plan)


@pytest.mark.parametrize(("name", "index"), [("actor_name", "actor_key_id"), ("action", "action_id")])
def test_events_of_one_actor_or_kind_are_read_along_an_index(
    explaining: sqlite3.Connection, name: str, index: str
) -> None:
    plan = _plan(
        explaining,
        SOURCES["audit_events"],
        ListQuery((("created_at", True),), ("and", (name, ("eq", "f0"))), after=True),
    )

    assert len(plan) == 1
    assert f"USING INDEX ix_audit_events_{index}" in plan[0]


def test_events_of_an_object_are_read_without_the_others(explaining: sqlite3.Connection) -> None:
    below = _plan(explaining, SOURCES["resource_events"], ListQuery((("created_at", True),), after=True))
    narrowed = _plan(
        explaining, SOURCES["audit_events"], ListQuery((("created_at", True),), ("and", ("object_id", ("eq", "f0"))))
    )

    assert _scans(below) == _scans(narrowed) == []
    assert any("ix_audit_changes_subject_event_id (subject=?" in line for line in below)
    assert any("ix_audit_changes_subject_event_id (subject=?" in line for line in narrowed)


def test_a_page_below_a_key_reads_the_rows_of_that_key(explaining: sqlite3.Connection) -> None:
    plan = _plan(explaining, SOURCES["role_users"], ListQuery((("user_name", False),), after=True))

    assert _scans(plan) == []
    assert any("ix_user_roles_role_id_user_id (role_id=?)" in line for line in plan)


@pytest.mark.parametrize("name", sorted(name for name, source in SOURCES.items() if source.kind != "page"))
def test_rows_by_key_are_searched_for(explaining: sqlite3.Connection, name: str) -> None:
    assert _scans(_plan(explaining, SOURCES[name], ListQuery())) == []


def _scans(plan: list[str]) -> list[str]:
    """The tables that are read as a whole; the keys in their array, and as whom a viewer acts, are none."""
    small = ("VIRTUAL TABLE", "CONSTANT ROW", "SCAN me", "SCAN mine", "SCAN holder", "SCAN acting")
    return [line for line in plan if line.startswith("SCAN") and not any(each in line for each in small)]


def _plan(connection: sqlite3.Connection, source: Relation, ask: ListQuery) -> list[str]:
    """Return the query plan of SQLite, one line per step."""
    text = _built(source, Viewer(1, ALL_PERMISSIONS), ask, DIALECTS["sqlite"])[0][0]
    rows = connection.execute(f"EXPLAIN QUERY PLAN {text}", ["[]"] * text.count("?")).fetchall()
    return [row[3] for row in rows]
