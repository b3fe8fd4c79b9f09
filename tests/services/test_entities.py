"""Claims about the registry of entities: every kind of object with a global id has one row."""

import pytest
from graphql import GraphQLInterfaceType

from app import db
from app.domain import refs
from app.domain.viewer import Permission
from app.graphql.schema import core
from app.graphql.schema.fields import NODE_TYPES
from app.services import audit
from app.services.entities import AUDITED, ENTITIES
from tests.support.client import Api
from tests.support.factories import Make, rows_of

NODE = "query($id: ID!) { node(id: $id) { __typename id } }"


def test_every_type_with_a_global_id_has_a_row() -> None:
    schema = core()
    node = schema.type_map["Node"]
    assert isinstance(node, GraphQLInterfaceType)

    assert {kind.name for kind in schema.get_possible_types(node)} == set(ENTITIES) == set(NODE_TYPES)


@pytest.mark.parametrize("name", ENTITIES)
def test_a_type_shows_the_rows_of_its_entity(name: str) -> None:
    entity = ENTITIES[name]

    assert NODE_TYPES[name].__row__ is entity.table
    assert (entity.relation.table, entity.relation.by) == (entity.table, entity.table.id)


def test_every_kind_that_changes_name_is_audited() -> None:
    kinds = {audit.USER, audit.ROLE, audit.ORG, audit.GROUP, audit.RESOURCE, audit.RESOURCE_TYPE, audit.API_TOKEN}

    assert set(AUDITED) == kinds


async def test_every_entity_is_found_by_the_id_that_it_shows(api: Api, make: Make, database: db.Database) -> None:
    root = await make.admin()
    ann = await make.user("ann")
    await make.group("crew", ann)
    await make.resource(await make.org("sea", ann))
    await make.api_token(root, Permission.USERS_VIEW)
    answered = await api('mutation { createRole(input: {name: "pilots"}) { errors { code } } }', as_=root)
    assert answered["data"]["createRole"]["errors"] == []

    for name, entity in ENTITIES.items():
        assert await rows_of(database, entity.table) > 0, name
        node = refs.encode(name, 1)
        assert refs.decode(node) == (name, 1)
        reply = await api(NODE, as_=root, id=node)
        assert reply["data"]["node"] == {"__typename": name, "id": node}
