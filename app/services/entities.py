"""The registry of entities: every kind of object that has a global id, one row each."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from sqlmodel import SQLModel

from app.db import tables
from app.query.relations import Relation
from app.services import read_graph
from app.services.audit import states
from app.services.audit.states import StateLoader


@dataclass(frozen=True, slots=True, eq=False)
class Entity:
    """One kind of object with a global id.

    `relation` finds an object by id, for `node`. `audit` loads the states that the audit log compares, and `audit_text`
    describes the kind in the API. The log does not follow an entity without them.
    """

    table: type[SQLModel]
    relation: Relation
    audit: StateLoader | None = None
    audit_text: str = ""

    @property
    def name(self) -> str:
        """Return the name of its GraphQL type, which is the prefix of the id."""
        return self.table.__name__

    @property
    def constant(self) -> str:
        """Return the name as an enum value of the API: `RESOURCE_TYPE`."""
        return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", self.name).upper()


ENTITIES: Mapping[str, Entity] = {
    entity.name: entity
    for entity in (
        Entity(
            tables.User,
            read_graph.user,
            states.load_users,
            "A user with all roles, and the memberships and grants that changed.",
        ),
        Entity(tables.Role, read_graph.role, states.load_roles, "A role."),
        Entity(tables.Org, read_graph.org, states.load_orgs, "An org, and the members and resources that changed."),
        Entity(tables.Group, read_graph.group, states.load_groups, "A group, and the members and grants that changed."),
        Entity(
            tables.Resource,
            read_graph.resource,
            states.load_resources,
            "A resource, and the grants, uploads and downloads that changed.",
        ),
        Entity(tables.ResourceType, read_graph.resource_type, states.load_resource_types, "A resource type."),
        Entity(tables.AuditEvent, read_graph.audit_event),
        Entity(
            tables.ApiToken, read_graph.api_token, states.load_api_tokens, "An API token, without the token itself."
        ),
    )
}

AUDITED: Mapping[str, StateLoader] = {
    name: entity.audit for name, entity in ENTITIES.items() if entity.audit is not None
}
"""Loaders of object states, by the name of the entity."""

RELATIONS: Mapping[str, Relation] = {name: entity.relation for name, entity in ENTITIES.items()}
"""Relations that find an object by its global id, by the name of the entity."""
