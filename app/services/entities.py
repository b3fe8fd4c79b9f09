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
    """One kind of object with a global id. `name` is the name of its GraphQL type and the prefix of the id.

    `relation` finds an object by id, for `node`. `audit` loads the states that the audit log compares, and `audit_text`
    describes the kind in the API. The log does not follow an entity without them.
    """

    name: str
    table: type[SQLModel]
    relation: Relation
    audit: StateLoader | None = None
    audit_text: str = ""

    @property
    def constant(self) -> str:
        """Return the name as an enum value of the API: `RESOURCE_TYPE`."""
        return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", self.name).upper()


ENTITIES: Mapping[str, Entity] = {
    entity.name: entity
    for entity in (
        Entity(
            "User",
            table=tables.User,
            relation=read_graph.user,
            audit=states.load_users,
            audit_text="A user with all roles, and the memberships and grants that changed.",
        ),
        Entity("Role", table=tables.Role, relation=read_graph.role, audit=states.load_roles, audit_text="A role."),
        Entity(
            "Org",
            table=tables.Org,
            relation=read_graph.org,
            audit=states.load_orgs,
            audit_text="An org, and the members and resources that changed.",
        ),
        Entity(
            "Group",
            table=tables.Group,
            relation=read_graph.group,
            audit=states.load_groups,
            audit_text="A group, and the members and grants that changed.",
        ),
        Entity(
            "Resource",
            table=tables.Resource,
            relation=read_graph.resource,
            audit=states.load_resources,
            audit_text="A resource, and the grants, uploads and downloads that changed.",
        ),
        Entity(
            "ResourceType",
            table=tables.ResourceType,
            relation=read_graph.resource_type,
            audit=states.load_resource_types,
            audit_text="A resource type.",
        ),
        Entity("AuditEvent", table=tables.AuditEvent, relation=read_graph.audit_event),
        Entity(
            "ApiToken",
            table=tables.ApiToken,
            relation=read_graph.api_token,
            audit=states.load_api_tokens,
            audit_text="An API token, without the token itself.",
        ),
    )
}

AUDITED: Mapping[str, StateLoader] = {
    name: entity.audit for name, entity in ENTITIES.items() if entity.audit is not None
}
"""Loaders of object states, by the name of the entity."""

RELATIONS: Mapping[str, Relation] = {name: entity.relation for name, entity in ENTITIES.items()}
"""Relations that find an object by its global id, by the name of the entity."""
